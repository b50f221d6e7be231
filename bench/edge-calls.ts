import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { KamailioRelease } from '../lab/programs/program.ts'
import { provision, type Tools } from '../lab/programs/provision.ts'
import { openLedger } from '../lab/sip/call-ledger.ts'
import { startCaller, startMediaServer } from '../lab/sip/calls.ts'
import { type Edge, type EdgeSpec, startEdge } from '../lab/sip/edge.ts'

/**
 * What the drain guard, dialogs, call profiles and begun counters cost an edge: processor time of Kamailio
 * for each call. The same SIPp calls go through edges of the two releases that differ only in these files,
 * turn by turn.
 */

const releases = ['6.1', '5.6'] as const
const callsPerSecond = 250

/** A call of dlg_manage() and nothing else of ours: what a dialog costs without being counted. */
const onlyDialog = (example: string) =>
  example.replace('\tt_on_failure("TRY_NEXT");', '\tdlg_manage();\n\tt_on_failure("TRY_NEXT");')

const variants: Readonly<Record<string, Partial<EdgeSpec>>> = {
  'none of our files but rpc.cfg': { guard: false, profiles: false },
  'drain-guard.cfg': { guard: true, profiles: false },
  'dlg_manage() alone': { guard: false, profiles: false, edit: onlyDialog },
  'call-profiles.cfg': { guard: false, profiles: true },
  'both files': { guard: true, profiles: true },
}

interface Ground {
  readonly tools: Tools
  readonly runDir: string
  readonly calls: number
  readonly ledger: ReturnType<typeof openLedger>
}

/** Nanoseconds that the processes of this Kamailio have been on a processor. */
function processorTime(runDir: string, edge: Edge): number {
  const main = readFileSync(join(runDir, edge.name, 'kamailio.pid'), 'utf8').trim()
  const pids = readdirSync('/proc').filter(
    (entry) => /^\d+$/.test(entry) && (entry === main || parentOf(entry) === main),
  )
  return pids.reduce((sum, pid) => sum + Number(readOr(`/proc/${pid}/schedstat`).split(' ')[0] || 0), 0)
}

const parentOf = (pid: string) => /\) . (\d+)/.exec(readOr(`/proc/${pid}/stat`))?.[1]

/** A process may end while it is looked at. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

let last = 0

/** Microseconds of Kamailio for one call, from the INVITE to the answered BYE. */
async function costOfCall(
  ground: Ground,
  release: KamailioRelease,
  spec: Partial<EdgeSpec>,
): Promise<number> {
  const { tools, runDir, calls, ledger } = ground
  const kamailio = tools.kamailio.get(release)
  if (!kamailio) throw new Error(`Kamailio ${release} was not provisioned`)
  const sip = { sipp: tools.sipp, runDir, ledger }
  last += 1
  const servers = await Promise.all(
    ['127.0.2.62', '127.0.2.63'].map((address, n) =>
      startMediaServer(sip, { name: `server${last}-${n}`, address }),
    ),
  )
  const own = {
    name: `edge${last}`,
    address: '127.0.1.62',
    kamailio,
    runDir,
    secret: 'bench',
    dialogDb: false,
    pingSeconds: 0,
  }
  const edge = await startEdge({
    ...own,
    destinations: servers.map(({ uri }) => ({ set: 1, uri })),
    ...spec,
  })
  try {
    const place = async (name: string, maxCalls: number) => {
      const to = { address: '127.0.3.62', via: edge, called: 'svc', callsPerSecond, callMs: 100, maxCalls }
      const caller = await startCaller(sip, { name: `${name}${last}`, ...to })
      await caller.done
    }
    await place('first', 100)
    const before = processorTime(runDir, edge)
    await place('caller', calls)
    return (processorTime(runDir, edge) - before) / 1000 / calls
  } finally {
    await Promise.all([edge.stop(), ...servers.map((server) => server.kill())])
  }
}

async function main(options: { calls: string; times: string }): Promise<void> {
  const log = (line: string) => console.error(line)
  const tools = await provision({ kamailio: releases, log })
  const ground = {
    tools,
    runDir: mkdtempSync(join(tmpdir(), 'edge-calls-')),
    calls: Number(options.calls),
    ledger: openLedger(),
  }
  const took = new Map<string, number[]>()
  try {
    for (let time = 0; time < Number(options.times); time += 1)
      for (const [name, spec] of Object.entries(variants))
        for (const release of releases) {
          const key = `${release}  ${name}`
          const cost = await costOfCall(ground, release, spec)
          log(`${key}: ${cost.toFixed(0)} us`)
          took.set(key, [...(took.get(key) ?? []), cost])
        }
  } finally {
    ground.ledger.close()
    rmSync(ground.runDir, { recursive: true })
  }
  // Other work on the machine only adds, so the lowest is nearest to what a call costs.
  console.log('us of Kamailio per call: lowest (median, highest)')
  for (const [key, costs] of [...took].sort()) {
    const [lowest = 0, ...more] = costs.sort((a, b) => a - b)
    const [median = lowest, highest = lowest] = [more[Math.ceil(more.length / 2) - 1], more.at(-1)]
    console.log(
      `${key.padEnd(38)}${lowest.toFixed(0).padStart(6)}  (${median.toFixed(0)}, ${highest.toFixed(0)})`,
    )
  }
}

await new Command('edge-calls')
  .description('processor time of a real Kamailio for each call, with and without the files of kamailio/')
  .option('--calls <n>', 'calls of each turn', '2500')
  .option('--times <n>', 'turns', '3')
  .action(main)
  .parseAsync()
