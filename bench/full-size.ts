import { looking } from '../functions/control/phases.ts'
import { difference, type Kind, unitsOf } from './counted-store.ts'
import { createFleetWorld, type FleetSize, type FleetWorld, minute, second } from './fleet-world.ts'
import { charged } from './limits.ts'

/**
 * What drains ask of edges, table and workflow at full size, on a virtual clock: `node bench/full-size.ts`
 * prints the tables of docs/rooms/bench.md, "At full size".
 */

export interface Size extends FleetSize {
  readonly drains: number
  /** within how many minutes they begin, evenly; 0: all at once */
  readonly withinMinutes: number
  /**
   * each server's calls last for another time, the longest for this long; they go on over two edges, one
   * after the other
   */
  readonly callMinutes: number
}

export interface Outcome {
  /**
   * drains that ended as `drained`, calls that were up when their action was completed, and what else an
   * action ended by
   */
  readonly drained: number
  readonly cut: number
  readonly endedOtherwise: number
  /**
   * from the last event until every edge's stored reading showed every server disabled; and until two
   * readings did
   */
  readonly disabledEverywhereSeconds: number
  readonly confirmedEverywhereSeconds: number
  /** requests that the gateway answered with 429 */
  readonly throttled: number
  /**
   * between the end of a server's last call and its action's completion: the 95th of a hundred, and the
   * longest
   */
  readonly lastByeToContinueSeconds: number
  readonly longestToContinueSeconds: number
  /** to one edge, in the whole and in its busiest minute */
  readonly edgeRequestsPerMinute: number
  readonly mostEdgeRequestsPerMinute: number
  readonly transitionsPerDrain: number
  readonly settles: number
  readonly settleSeconds: number
  readonly mostFunctionsAtOnce: number
  readonly ec2Throttled: number
  readonly ec2Failed: number
  readonly dynamoThrottled: number
  readonly dynamoFailed: number
  /** the biggest reading as it is stored, and as JSON */
  readonly readingBytes: number
}

export async function fullSize(size: Size): Promise<Outcome> {
  const ids = new Set(Array.from({ length: size.drains }, (_, n) => n))
  const disabled = new Map<string, number>()
  let readingBytes = 0
  const world = await createFleetWorld(size, (reading) => {
    const closed = reading.entries.filter(({ after }) => after.startsWith('D'))
    if (closed.length >= ids.size && !disabled.has(reading.edge))
      disabled.set(reading.edge, reading.answeredAt)
    if (closed.length > 0) readingBytes = Math.max(readingBytes, JSON.stringify(reading).length)
  })
  const { clock, edges, throttle, pool, throttling } = world
  const lastCallEnds = new Map<string, number>()
  let [lastEventAt, confirmedAt] = [0, 0]
  const drain = async (n: number) => {
    await clock.sleep((n * size.withinMinutes * minute) / size.drains)
    const end = clock.now() + (size.callMinutes * minute * (n + 1)) / size.drains
    callsOf(world, n, end)
    const instanceId = await world.scaleIn(n)
    lastCallEnds.set(instanceId, end)
    lastEventAt = Math.max(lastEventAt, clock.now())
    for (let isConfirmed = false; ; await clock.sleep(isConfirmed ? 15 * second : 1 * second)) {
      const drain = await world.drainOf(n)
      const at = drain && looking(drain).memory.confirmedAt
      isConfirmed ||= at !== undefined
      confirmedAt = Math.max(confirmedAt, at ?? 0)
      if (drain?.phase.name === 'ended') break
    }
    await world.terminated(n)
  }
  let over = false
  const sampling = requestsPerMinute(world, () => over)
  await Promise.all([...ids].map(drain))
  over = true
  const [perMinute] = await Promise.all([sampling, world.end()])

  const ended = world.memory.lifecycleActions.ended()
  const after = ended
    .map(({ at, instanceId }) => (at - (lastCallEnds.get(instanceId) ?? 0)) / second)
    .sort((a, b) => a - b)
  const isDrained = ({ by, result }: (typeof ended)[number]) => by === 'completion' && result === 'CONTINUE'
  const settles = pool.use('settle')
  return {
    drained: ended.filter(isDrained).length,
    cut: after.filter((seconds) => seconds < 0).length,
    endedOtherwise: ended.filter((one) => !isDrained(one)).length,
    disabledEverywhereSeconds:
      disabled.size < edges.length ? Number.NaN : (Math.max(...disabled.values()) - lastEventAt) / second,
    confirmedEverywhereSeconds: (confirmedAt - lastEventAt) / second,
    throttled: throttle.refused,
    lastByeToContinueSeconds: after[Math.ceil(after.length * 0.95) - 1] ?? Number.NaN,
    longestToContinueSeconds: after.at(-1) ?? Number.NaN,
    edgeRequestsPerMinute: perMinute.reduce((sum, each) => sum + each, 0) / perMinute.length,
    mostEdgeRequestsPerMinute: Math.max(...perMinute),
    transitionsPerDrain: world.counts.transitions / size.drains,
    settles: settles.invocations,
    settleSeconds: settles.seconds,
    mostFunctionsAtOnce: pool.mostAtOnce,
    ec2Throttled: throttling.ec2.refusedOnce,
    ec2Failed: throttling.ec2.failed,
    dynamoThrottled: throttling.dynamo.refusedOnce,
    dynamoFailed: throttling.dynamo.failed,
    readingBytes,
  }
}

/** @returns how many requests one edge got in each minute, until it is over */
async function requestsPerMinute(
  { clock, edges, throttle }: FleetWorld,
  isOver: () => boolean,
): Promise<readonly number[]> {
  const perMinute: number[] = []
  for (let before = throttle.passed; !isOver(); before = throttle.passed) {
    await clock.sleep(minute)
    perMinute.push((throttle.passed - before) / edges.length)
  }
  return perMinute
}

/**
 * A call on one edge, and before it ends one that the server itself places through another, which had none.
 */
function callsOf({ clock, edge, hosts }: FleetWorld, n: number, end: number): void {
  const host = hosts[n] ?? ''
  const [one, other] = [edge(n), edge(n + 1)]
  const [first, half] = [one.callTo(`sip:${host}:5060`), (clock.now() + end) / 2]
  clock.at(half, () => {
    const next = other.callFrom(host)
    clock.at(end, () => other.hangUp(next))
  })
  clock.at(half + 1 * second, () => one.hangUp(first))
}

export interface Alone {
  readonly edgeRequests: number
  readonly transitions: number
  /** request units, as DynamoDB bills them, and requests */
  readonly storeWrites: number
  readonly storeWriteRequests: number
  readonly storeReads: number
  readonly settles: number
  readonly lastByeToContinueSeconds: number
  readonly disabledEverywhereSeconds: number
  readonly byKind: Readonly<Record<string, Pick<Kind, 'requests' | 'units'>>>
}

/** One drain, beyond what the same fleet asks in that time while nothing is drained. */
export async function alone(size: FleetSize, callMinutes: number): Promise<Alone> {
  let disabledAt = 0
  const seen = new Set<string>()
  const world = await createFleetWorld(size, ({ edge, entries, answeredAt }) => {
    if (seen.has(edge) || entries.length === 0) return
    seen.add(edge)
    disabledAt = answeredAt
  })
  const { clock, startedAt } = world
  // Not at the very time of the schedule.
  await clock.sleep(20 * second)
  const eventAt = clock.now()
  const end = eventAt + callMinutes * minute
  callsOf(world, 0, end)
  await world.scaleIn(0)
  while ((await world.drainOf(0))?.phase.name !== 'ended') await clock.sleep(1 * second)
  await world.terminated(0)
  while ((await world.drainOf(0))?.phase.name !== 'ended') await clock.sleep(1 * second)
  const tookMs = clock.now() - startedAt
  await world.end()

  const rest = await createFleetWorld(size)
  await rest.clock.sleep(tookMs)
  await rest.end()
  const writes = difference(world.units.writes, rest.units.writes)
  const [ended] = world.memory.lifecycleActions.ended()
  return {
    edgeRequests: world.throttle.passed - rest.throttle.passed,
    transitions: world.counts.transitions,
    storeWrites: unitsOf(world.units.writes) - unitsOf(rest.units.writes),
    storeWriteRequests: Object.values(writes).reduce((sum, kind) => sum + kind.requests, 0),
    storeReads: unitsOf(world.units.reads) - unitsOf(rest.units.reads),
    settles: world.pool.use('settle').invocations - rest.pool.use('settle').invocations,
    lastByeToContinueSeconds: ((ended?.at ?? Number.NaN) - end) / second,
    disabledEverywhereSeconds: (disabledAt - eventAt) / second,
    byKind: writes,
  }
}

function table(name: string, rows: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(rows).map(([key, value]) => `| ${key} | ${shown(value)} |\n`)
  return `\n| ${name} | |\n|---|---:|\n${lines.join('')}`
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : String(value)
}

async function main(args: readonly string[]): Promise<void> {
  // 500 servers without a call are as many refusals in each count of each edge, whose stacks nobody reads.
  Error.stackTraceLimit = 0
  const isJson = args.includes('--json')
  const one = args.find((arg) => !arg.startsWith('-'))
  const full = { servers: 1000, latencyMs: 20, requestsPerSecond: 5000 }
  const many = { ...full, edges: 50, callMinutes: 20, drains: 500, withinMinutes: 0 }
  const atOnce = one === 'alone' ? undefined : await fullSize(many)
  const single = one === 'atOnce' ? undefined : await alone({ ...full, edges: 10 }, 30)
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ charged, atOnce, alone: single })}\n`)
    return
  }
  for (const line of charged) process.stdout.write(`charged: ${line}\n`)
  if (atOnce) process.stdout.write(table('500 drains at once, 50 edges', { ...atOnce }))
  if (!single) return
  const { byKind, ...sums } = single
  process.stdout.write(table('one drain of 30 min, 10 edges', sums))
  const kinds = Object.entries(byKind).map(([kind, { requests, units }]) => [kind, `${requests} (${units})`])
  process.stdout.write(table('its writes: requests (units)', Object.fromEntries(kinds)))
}

if (import.meta.main) await main(process.argv.slice(2))
