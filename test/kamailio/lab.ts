import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild, untilReady } from '../../lab/programs/leash.ts'
import type { KamailioProgram, KamailioRelease, Program } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { openLedger } from '../../lab/sip/call-ledger.ts'
import type { CallRecord } from '../../lab/sip/call-record.ts'
import {
  type Caller,
  type CallerSpec,
  type MediaServer,
  type MediaServerSpec,
  type SippLab,
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

type CallerOptions = Partial<CallerSpec> & { readonly maxCalls: number }

export async function openLab(release: KamailioRelease): Promise<Lab> {
  const { kamailio, sipp } = await provision({ kamailio: [release], log: (line) => console.log(line) })
  const program = kamailio.get(release)
  if (program === undefined) throw new Error(`no Kamailio ${release}`)
  return new Lab(program, sipp)
}

/** Real edges, media servers and callers of one Kamailio release; `close()` ends all of them. */
export class Lab {
  readonly ledger = openLedger()
  private readonly kamailio: KamailioProgram
  private readonly runDir = mkdtempSync(join(tmpdir(), 'edge-config-'))
  private readonly shared: SippLab
  private readonly started: { stop: () => Promise<void> }[] = []
  private count = 0

  constructor(kamailio: KamailioProgram, sipp: Program) {
    this.kamailio = kamailio
    this.shared = { sipp, runDir: this.runDir, ledger: this.ledger }
  }

  async edge(spec: Partial<EdgeSpec> & Pick<EdgeSpec, 'destinations'>): Promise<Edge> {
    const { kamailio, runDir } = this
    const name = this.named('edge')
    return this.keep(
      await startEdge({ name, address: '127.0.1.1', kamailio, runDir, secret: 'the-secret', ...spec }),
    )
  }

  /**
   * Starts an edge again with another kamailio.cfg, and waits for any answer of its RPC.
   * For an edge that refuses every request.
   */
  async restartEdited(edge: Edge, edit: (text: string) => string): Promise<Child> {
    await edge.stop()
    const dir = dirname(edge.logFile)
    const file = join(dir, 'kamailio.cfg')
    writeFileSync(file, edit(readFileSync(file, 'utf8')))
    const argv = ['-f', file, '-DD', '-E', '-Y', dir, '-P', join(dir, 'edited.pid')]
    const spec = { name: this.named('edited'), argv: [...this.kamailio.argv, ...argv], runDir: dir }
    const child = this.keep(await startChild(spec))
    const endpoint = { host: edge.address, port: edge.rpcPort }
    await untilReady(child, async () => (await send(endpoint, {})).status > 0)
    return child
  }

  async server(address: string, spec: Partial<MediaServerSpec> = {}): Promise<MediaServer> {
    return this.keep(await startMediaServer(this.shared, { name: this.named('server'), address, ...spec }))
  }

  caller(via: CallerSpec['via'], options: CallerOptions): Promise<Caller> {
    return startCaller(this.shared, {
      name: this.named('caller'),
      address: '127.0.3.1',
      via,
      called: 'short',
      callsPerSecond: 20,
      callMs: 100,
      ...options,
    })
  }

  /** Places short calls and waits until the last is over. */
  async place(via: CallerSpec['via'], options: CallerOptions): Promise<readonly CallRecord[]> {
    const by = await this.caller(via, options)
    await by.done
    return this.callsOf(by)
  }

  /** Places calls and returns when all of them are up. */
  async hold(via: CallerSpec['via'], options: CallerOptions): Promise<Caller> {
    const by = await this.caller(via, options)
    await until(`${by.name}'s calls are up`, () => {
      const up = this.callsOf(by).filter(({ outcome }) => outcome === 'up')
      return up.length === options.maxCalls
    })
    return by
  }

  callsOf(by: Caller): readonly CallRecord[] {
    this.ledger.sync()
    return this.ledger.calls().filter(({ callId }) => callId.includes(`-${by.name}@`))
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((thing) => thing.stop()))
    this.ledger.close()
    rmSync(this.runDir, { recursive: true })
  }

  private named(kind: string): string {
    this.count += 1
    return `${kind}${this.count}`
  }

  private keep<T extends { stop: () => Promise<void> }>(thing: T): T {
    this.started.push(thing)
    return thing
  }
}

/** What the control plane does to drain a destination on one edge. */
export async function drain(edge: Edge, set: number, uri: string): Promise<void> {
  await edge.call('htable.seti', ['held', uri, 1])
  await edge.call('dispatcher.set_state', ['d', set, uri])
}

export async function flagsOf(edge: Edge, uri: string): Promise<readonly string[]> {
  return (await edge.list()).filter((destination) => destination.uri === uri).map(({ flags }) => flags)
}
