import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Edge, EdgeSpec } from '../../lab/sip/edge.ts'
import { type Leg, type Memory, openPhone, type Phone } from './in-dialog-phone.ts'
import { type Lab, until } from './lab.ts'

/**
 * Kamailio refuses an interval below 30 s, so that a count ends no earlier than after three of them and 10 s.
 */
const reapedMs = 3 * 30_000 + 10_000
const slackMs = 20_000

/** One call on an edge of its own, and what the edge has to say about it. */
export interface WatchedCall {
  readonly edge: Edge
  readonly caller: Leg
  readonly callee: Leg
  /** The phone that the edge's dispatcher list names. */
  readonly server: Phone
  readonly setMemory: (memory: Memory) => void
  /** The calls counted for the media server. */
  readonly counted: () => Promise<number>
  /** Calls in doubt, by key of the table `begun`; undefined: none. */
  readonly reaped: (key: string) => Promise<number | undefined>
  readonly log: () => string
  /** Waits until the call is no longer counted, as long as three failed keepalives may take. */
  readonly untilForgotten: () => Promise<void>
  /** Waits until both ends have got that many different keepalives since the call began. */
  readonly untilKeepalives: (count: number) => Promise<void>
}

export interface CallSpec {
  /** `inbound`: to the media server; `outbound`: placed by it. */
  readonly direction: 'inbound' | 'outbound'
  readonly keepalives?: boolean
  readonly edge?: Partial<EdgeSpec>
}

/** A call that is up, on an edge with keepalives. */
export async function placeCall(lab: Lab, phones: Phone[], spec: CallSpec): Promise<WatchedCall> {
  const server = await openPhone('127.0.2.8')
  const other = await openPhone('127.0.3.8')
  phones.push(server, other)
  const edge = await lab.edge({
    destinations: [{ set: 1, uri: server.uri }],
    dialogDb: false,
    probingMode: 0,
    settings: { DC_KEEPALIVES: spec.keepalives === false ? undefined : '' },
    ...spec.edge,
  })
  const outbound = spec.direction === 'outbound'
  const caller = await (outbound ? server.call(edge, other.uri) : other.call(edge))
  const callee = (outbound ? other : server).legs.find(({ callId }) => callId === caller.callId)
  if (!callee) throw new Error(`nobody got ${caller.callId}`)
  const profile = outbound ? ['src', server.address] : ['dst', server.uri]
  const counted = async () => Number(await edge.call('dlg.profile_get_size', profile))
  return {
    edge,
    caller,
    callee,
    server,
    counted,
    setMemory: (memory) => {
      caller.memory = memory
      callee.memory = memory
    },
    reaped: (key) => reapedOf(edge, key),
    log: () => readFileSync(edge.logFile, 'utf8'),
    untilForgotten: () =>
      until('the call is no longer counted', async () => (await counted()) === 0, reapedMs + slackMs),
    untilKeepalives: (count) =>
      until(
        `each end got ${count} keepalives`,
        () => Math.min(caller.keepalives, callee.keepalives) >= count,
        count * 30_000 + slackMs,
      ),
  }
}

async function reapedOf(edge: Edge, key: string): Promise<number | undefined> {
  try {
    const reply = await edge.call('htable.get', ['begun', `reaped:${key}`])
    const value = /"value":(\d+)/.exec(JSON.stringify(reply))?.[1]
    return value === undefined ? Number.NaN : Number(value)
  } catch (error) {
    if (error instanceof Error && error.message.includes("Key name doesn't exist in htable")) return undefined
    throw error
  }
}

/**
 * Both ends are silent for 10 s when the second keepalive is due.
 * @returns how many each end did not answer
 */
export async function breakTheNetwork(call: WatchedCall): Promise<number> {
  await call.untilKeepalives(1)
  await sleep(25_000)
  const before = call.callee.keepalives
  call.setMemory('silent')
  await sleep(10_000)
  const missed = call.callee.keepalives - before
  call.setMemory('knows')
  return missed
}
