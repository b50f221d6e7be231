import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild, untilReady } from '../../lab/programs/leash.ts'
import type { KamailioRelease } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { openLedger } from '../../lab/sip/call-ledger.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'
import {
  type Caller,
  type CallerSpec,
  type MediaServer,
  type MediaServerSpec,
  startCaller,
  startMediaServer,
} from '../../lab/sip/calls.ts'
import { type Edge, type EdgeSpec, startEdge } from '../../lab/sip/edge.ts'
import { send } from '../../lab/sip/edge-rpc.ts'

export const hasIpv6Loopback = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

/** Polls `condition`, which may read the ledger or an edge, until it is true. @throws after `timeoutMs` */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await sleep(50)
  }
}

/** Real edges, media servers and callers of one Kamailio release; `close()` ends all of them. */
export async function openLab(release: KamailioRelease) {
  const tools = await provision({ kamailio: [release], log: (line) => console.log(line) })
  const kamailio = tools.kamailio.get(release)
  if (kamailio === undefined) throw new Error(`no Kamailio ${release}`)
  const runDir = mkdtempSync(join(tmpdir(), 'edge-config-'))
  const ledger = openLedger()
  const shared = { sipp: tools.sipp, runDir, ledger }
  const started: { stop: () => Promise<void> }[] = []
  let count = 0
  const keep = <T extends { stop: () => Promise<void> }>(thing: T): T => {
    started.push(thing)
    return thing
  }
  const caller = (
    via: CallerSpec['via'],
    options: Partial<CallerSpec> & { maxCalls: number },
  ): Promise<Caller> =>
    startCaller(shared, {
      name: `caller${++count}`,
      address: '127.0.3.1',
      via,
      called: 'short',
      callsPerSecond: 20,
      callMs: 100,
      ...options,
    })
  const callsOf = (by: Caller): readonly CallRecord[] => {
    ledger.sync()
    return ledger.calls().filter(({ callId }) => callId.includes(`-${by.name}@`))
  }
  return {
    ledger,
    caller,
    callsOf,
    edge: async (spec: Partial<EdgeSpec> & Pick<EdgeSpec, 'destinations'>): Promise<Edge> =>
      keep(
        await startEdge({
          name: `edge${++count}`,
          address: '127.0.1.1',
          kamailio,
          runDir,
          secret: 'the-secret',
          ...spec,
        }),
      ),
    /**
     * Starts an edge again with another kamailio.cfg, and waits for any answer of its RPC.
     * For an edge that refuses every request.
     */
    restartEdited: async (edge: Edge, edit: (text: string) => string): Promise<Child> => {
      await edge.stop()
      const dir = dirname(edge.logFile)
      const file = join(dir, 'kamailio.cfg')
      writeFileSync(file, edit(readFileSync(file, 'utf8')))
      const argv = ['-f', file, '-DD', '-E', '-Y', dir, '-P', join(dir, 'edited.pid')]
      const spec = { name: `edited${++count}`, argv: [...kamailio.argv, ...argv], runDir: dir }
      const child = keep(await startChild(spec))
      const endpoint = { host: edge.address, port: edge.rpcPort }
      await untilReady(child, async () => (await send(endpoint, {})).status > 0)
      return child
    },
    server: async (address: string, spec: Partial<MediaServerSpec> = {}): Promise<MediaServer> =>
      keep(await startMediaServer(shared, { name: `server${++count}`, address, ...spec })),
    /** Places short calls and waits until the last is over. */
    place: async (via: CallerSpec['via'], options: Partial<CallerSpec> & { maxCalls: number }) => {
      const by = await caller(via, options)
      await by.done
      return callsOf(by)
    },
    /** Places calls and returns when all of them are up. */
    hold: async (via: CallerSpec['via'], options: Partial<CallerSpec> & { maxCalls: number }) => {
      const by = await caller(via, options)
      await until(`${by.name}'s calls are up`, () => {
        const up = callsOf(by).filter(({ outcome }) => outcome === 'up')
        return up.length === options.maxCalls
      })
      return by
    },
    close: async () => {
      await Promise.all(started.map((thing) => thing.stop()))
      ledger.close()
      rmSync(runDir, { recursive: true })
    },
  }
}

export type Lab = Awaited<ReturnType<typeof openLab>>

/** What the control plane does to drain a destination on one edge. */
export async function drain(edge: Edge, set: number, uri: string): Promise<void> {
  await edge.call('htable.seti', ['held', uri, 1])
  await edge.call('dispatcher.set_state', ['d', set, uri])
}

export async function flagsOf(edge: Edge, uri: string): Promise<readonly string[]> {
  return (await edge.list()).filter((destination) => destination.uri === uri).map(({ flags }) => flags)
}
