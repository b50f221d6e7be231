import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { controlConfig } from '../functions/contracts/config.ts'
import { type DestinationUri, destinationUri } from '../functions/control/destination.ts'
import { type Hold, holdKey } from '../functions/control/hold.ts'
import { readable } from '../functions/control/reading.ts'
import { Boots } from '../functions/fleet/boots.ts'
import { Lease } from '../functions/fleet/edge-lease.ts'
import { settleUnderLease } from '../functions/fleet/settle.ts'
import { createEdge, type KamailioEdge } from '../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../functions/kamailio/http-transport.ts'
import type { Store } from '../functions/ports/store.ts'
import { type KamailioRelease, kamailioReleases } from '../lab/programs/program.ts'
import { provision } from '../lab/programs/provision.ts'
import { startCountingProxy } from '../lab/sip/counting-proxy.ts'
import { type Edge as LabEdge, startEdge } from '../lab/sip/edge.ts'
import { createMemoryIds } from '../test/memory/ids.ts'
import { createMemoryStore } from '../test/memory/store.ts'

/**
 * What a look at one edge costs in HTTP requests and in time, with batches and without, side by side on one
 * real Kamailio. A look is one settle where nothing is left to do: what the edge is, its list, the guards of
 * what is held, the calls of every held destination, its boot time again.
 */

const listed = 1000
const heldCounts = [1, 100, 500] as const
const secret = 'the-secret-of-this-bench'
const config = controlConfig.parse({
  groups: [],
  timers: { failoverWindowSeconds: 4, longestCallSeconds: 43_200 },
})
const clock = { now: () => performance.now(), sleep: async (ms: number) => void (await sleep(ms)) }
const ids = createMemoryIds()

export interface Look {
  readonly requestsPerLook: number
  /** median */
  readonly ms: number
  readonly kilobytes: number
}
type Looks = Readonly<Record<string, Look>>

/** The n-th media server of the list. Nobody is there: pings are off, and no call is placed. */
function server(n: number): { readonly address: string; readonly uri: DestinationUri } {
  const address = `127.7.${n >> 8}.${n & 255}`
  const uri = destinationUri(`sip:${address}:5060`)
  if (!uri) throw new Error(`${address} makes no SIP URI`)
  return { address, uri }
}

/** A hold of one URI and one address. */
function holdOf(n: number): Hold {
  const { address, uri } = server(n)
  return {
    source: 'operator',
    id: uri,
    subject: { kind: 'uri', uri },
    uris: [uri],
    addresses: [address],
    wholeInstance: false,
    who: 'bench',
    why: 'bench',
    placedAt: 0,
    order: '0',
  }
}

async function look(edge: KamailioEdge, holds: readonly Hold[], store: Store): Promise<void> {
  const ports = { store, clock, config }
  const lease = await Lease.take(ports, edge, ids.next(), 0, new Boots([]))
  if (!lease) throw new Error('somebody else has the lease')
  const wantedHolds = { now: async () => ({ wanted: await store.wanted(), holds: await store.holds() }) }
  const known = { reading: readable(await store.reading(edge.id)), listing: await store.listing(edge.id) }
  const last = await settleUnderLease(ports, lease, wantedHolds, known, {
    ...{ ended: undefined, twice: false },
    onReading: async () => undefined,
  })
  await lease.giveUp()
  const isKnown = holds.filter((hold) => {
    const count = last.holds[holdKey(hold)]?.counted.count
    return count !== undefined && 'calls' in count
  })
  if (isKnown.length !== holds.length)
    throw new Error(`only ${isKnown.length} of ${holds.length} were counted`)
}

async function looksAt(
  kamailio: LabEdge,
  { hidesBoot, roundTripMs, times }: { hidesBoot: boolean; roundTripMs: number; times: number },
): Promise<Looks> {
  const proxy = await startCountingProxy(kamailio, { hidesBoot, roundTripMs })
  const edge = createEdge({
    id: 'edge-a',
    transport: createHttpTransport({ url: proxy.url, timeoutMs: 10_000 }),
    restoresDialogs: false,
    timeoutMs: 10_000,
    key: { secret: async () => secret, refreshSecret: async () => secret },
  })
  const looks: [string, Look][] = []
  const store = createMemoryStore()
  try {
    for (const held of heldCounts) {
      const holds = Array.from({ length: held }, (_, n) => holdOf(n))
      for (const hold of holds) await store.putHold(hold)
      // The first one opens connections, learns what the edge can do, and disables what is held.
      await look(edge, holds, store)
      const [requests, bytes, took] = [proxy.requests(), proxy.bytes().received, [] as number[]]
      for (let time = 0; time < times; time += 1) {
        const began = performance.now()
        await look(edge, holds, store)
        took.push(performance.now() - began)
      }
      const ms = took.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
      const kilobytes = (proxy.bytes().received - bytes) / times / 1000
      const requestsPerLook = (proxy.requests() - requests) / times
      looks.push([String(held), { requestsPerLook, ms: rounded(ms), kilobytes: rounded(kilobytes) }])
    }
    return Object.fromEntries(looks)
  } finally {
    await edge.close()
    await proxy.close()
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

function table(results: Readonly<Record<string, Looks>>): string {
  const lines = heldCounts.flatMap((held) =>
    Object.entries(results).map(([kind, looks]) => {
      const { requestsPerLook = 0, ms = 0, kilobytes = 0 } = looks[String(held)] ?? {}
      return `${String(held).padStart(5)}  ${kind.padEnd(8)}${String(requestsPerLook).padStart(9)}${String(ms).padStart(10)}${String(kilobytes).padStart(11)}`
    }),
  )
  return [' held  way      requests        ms   kilobytes', ...lines].join('\n')
}

async function main(options: {
  json?: boolean
  release: KamailioRelease
  rtt: number
  times: number
}): Promise<void> {
  const { release, rtt: roundTripMs, times } = options
  const log = (line: string) => console.error(line)
  const kamailio = (await provision({ kamailio: [release], log })).kamailio.get(release)
  if (!kamailio) throw new Error(`Kamailio ${release} was not provisioned`)
  const runDir = mkdtempSync(join(tmpdir(), 'edge-requests-'))
  const destinations = Array.from({ length: listed }, (_, n) => ({ set: 1, uri: server(n).uri }))
  const own = {
    name: 'edge-a',
    address: '127.0.1.61',
    kamailio,
    runDir,
    secret,
    dialogDb: false,
    pingSeconds: 0,
  }
  const edge = await startEdge({ ...own, destinations })
  try {
    log(`Kamailio ${release}, ${listed} destinations, ${roundTripMs} ms away, the median of ${times} looks`)
    const batch = await looksAt(edge, { hidesBoot: false, roundTripMs, times })
    const single = await looksAt(edge, { hidesBoot: true, roundTripMs, times })
    console.log(options.json ? JSON.stringify({ batch, single }) : table({ batch, single }))
  } finally {
    await edge.stop()
    rmSync(runDir, { recursive: true })
  }
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`it must be a whole number from ${least}`)
  }
}

function known(text: string): KamailioRelease {
  const release = kamailioReleases.find((candidate) => candidate === text)
  if (release) return release
  throw new InvalidArgumentError(`it must be one of ${kamailioReleases.join(', ')}`)
}

await new Command('edge-requests')
  .description(
    'HTTP requests and time of a look at one real edge with 1,000 destinations, with batches and one by one',
  )
  .option('--json', 'one line of JSON instead of a table')
  .option('--release <release>', `Kamailio: ${kamailioReleases.join(', ')}`, known, '6.1' as const)
  .option('--rtt <ms>', 'how far away the edge is', atLeast(0), 20)
  .option('--times <n>', 'looks of each kind', atLeast(1), 9)
  .action(main)
  .parseAsync()
