import { type AdvanceRules, type Found, isLate, type Seen } from '../control/advance.ts'
import { countedOn } from '../control/counts.ts'
import type { Drain } from '../control/drain.ts'
import type { EdgeResult } from '../control/edge-result.ts'
import { isOnSomeEdge } from '../control/edge-result.ts'
import { type Hold, holdKey, isResolved, mayShowMore } from '../control/hold.ts'
import { mayBeUnknownYet } from '../control/instance-life.ts'
import { clocksApartMs, lacks, type Observation, observation, removedEdges } from '../control/observation.ts'
import { looking } from '../control/phases.ts'
import type { EdgeReading, Readings } from '../control/reading.ts'
import { isConfirmed } from '../control/settled.ts'
import { type Judgement, judge } from '../control/verdict.ts'
import type { Ports } from '../ports/ports.ts'
import { resultOf } from '../stored/edge-results.ts'
import { type InventoryNeeds, isInstanceGone } from '../stored/inventory.ts'
import { readBack, storedReadings } from '../stored/read-back.ts'

type Needs = InventoryNeeds & Pick<Ports, 'settles'>

/**
 * What a look finds: the drain's hold, and what the edges' readings tell of it. What is stored may do; else a
 * settle is asked for, whose readings all drains share.
 * @throws what kept it from looking, while there is time: the look is tried again. Past the deadline of a
 * lifecycle action nothing is known of its calls, and the policy decides: else it would wait for a broken
 * edge, or a refused API, until Auto Scaling's own end. That a retained instance is kept for too long is
 * published, whether it can be looked at or not.
 */
export async function see(ports: Needs, drain: Drain): Promise<Seen> {
  try {
    return await seen(ports, drain)
  } catch (error) {
    if (!isLate(drain, ports.clock.now(), rulesOf(ports, drain))) throw error
    return { kind: 'unseen', reason: error instanceof Error ? error.message : String(error) }
  }
}

export function rulesOf({ config }: Pick<Ports, 'config'>, { action }: Drain): AdvanceRules {
  const group = config.groups.find(({ name }) => name === action?.group)
  return {
    minWaitSeconds: config.timers.minWaitSeconds,
    failoverWindowSeconds: config.timers.failoverWindowSeconds,
    retainedMaxAgeSeconds: group?.retainedMaxAgeSeconds ?? Number.POSITIVE_INFINITY,
  }
}

/** Whether its machine is on its way out, or forgotten by EC2. */
export async function isMachineGone(ports: InventoryNeeds, { hold, action }: Drain): Promise<boolean> {
  return action !== undefined && (await isInstanceGone(ports, action.instanceId, hold.placedAt))
}

async function seen(ports: Needs, drain: Drain): Promise<Seen> {
  const { source, id, subject } = drain.hold
  const hold = await ports.store.hold(source, id, subject)
  if (!hold) return { kind: 'hold-missing' }
  if (drain.phase.name === 'claimed') return { kind: 'hold-placed' }
  // What it kept disabled is given back by the settle of each edge.
  if (hold.lifted) return { kind: 'hold-lifted', machineGone: await isMachineGone(ports, drain) }
  return found(ports, drain, hold)
}

async function found(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>,
  drain: Drain,
  hold: Hold,
): Promise<Found> {
  const began = ports.clock.now()
  const group = ports.config.groups.find(({ name }) => name === hold.group)
  const machines = group?.callCount !== undefined
  const wanted = await ports.store.wanted()
  let judged = await judgedOf(ports, drain, hold, { began, machines })
  if (!suffices(ports, drain, hold, judged)) {
    // A look that waits and the wait after it are two heartbeat intervals at most: the hook's timeout is
    // three.
    const patientForMs = (drain.action?.heartbeatSeconds ?? Number.POSITIVE_INFINITY) * 1000
    await readBack(ports, { notBefore: began, wanted, machines, patientForMs })
    judged = await judgedOf(ports, drain, hold, { began, machines })
  }
  const { readings, observed, judgement } = judged
  const { edges } = readings
  const results = resultsIn(edges, hold)
  const counted = countedOn(observed.edges)
  // A young machine's listed address may not be shown yet; and the settle that was just asked for may have
  // found the first one.
  const isMissing =
    !isOnSomeEdge(results) &&
    hold.subject.kind === 'instance' &&
    (!isResolved(hold) || mayBeUnknownYet(hold.subject.launchedAt, ports.clock.now()))
  return {
    kind: 'readings',
    hold,
    judgement,
    counted,
    onEdges: counted.filter(({ calls }) => calls > 0),
    endedOn: edges.flatMap((reading) => {
      const ended = reading.readable ? reading.ended?.[holdKey(hold)] : undefined
      return ended ? [{ edge: reading.edge, ...ended }] : []
    }),
    calm: isCalmOn(readings, hold) && !isMissing,
    results,
    kamailio: Object.fromEntries(
      edges.flatMap((reading) => (reading.readable ? [[reading.edge, reading.description.version]] : [])),
    ),
    released: observed.released,
    lacks: lacks(observed),
  }
}

interface Judged {
  readonly readings: Readings
  readonly observed: Observation
  readonly judgement: Judgement
}

/**
 * The verdict on what is stored.
 * @param look when it began (epoch ms), and whether the media servers are asked for their own counts
 */
async function judgedOf(
  ports: Pick<Ports, 'store' | 'clock' | 'config'>,
  drain: Drain,
  hold: Hold,
  { began, machines }: { readonly began: number; readonly machines: boolean },
): Promise<Judged> {
  const readings = await storedReadings(ports, began)
  const rules = ports.config.timers
  const { edges } = looking(drain).memory
  const { subject } = hold
  const releases = removedEdges({ edges, subject }, readings).length > 0 ? await ports.store.releases() : []
  const released = releases.map(({ edge }) => edge)
  const observed = observation({ edges, subject }, holdKey(hold), readings, {
    ...rules,
    countsItself: machines,
    isUnshown: mayShowMore(hold) && hold.shownAt === undefined,
    released,
  })
  return {
    readings,
    observed,
    judgement: judge({ edges, deadlineAt: drain.hold.until }, observed, ports.clock.now(), rules),
  }
}

/**
 * Whether what is stored is all that this look can make use of: calls are up, or a first zero is too young to
 * be confirmed. What ends a drain is asked of every edge after the look began.
 */
function suffices(
  ports: Pick<Ports, 'config'>,
  drain: Drain,
  hold: Hold,
  { readings, observed, judgement }: Judged,
): boolean {
  if (observed.at >= drain.hold.until || judgement.unknown.length > 0) return false
  if (looking(drain).memory.confirmedAt === undefined && !isCalmOn(readings, hold)) return false
  const busy = countedOn(observed.edges).flatMap(({ edge, calls }) => (calls > 0 ? [edge] : []))
  if (busy.length > 0)
    return readings.edges.every(
      (reading) =>
        !busy.includes(reading.edge) || (reading.readable && observed.at - reading.answeredAt < freshMs),
    )
  const zeros = Object.values(judgement.edges).flatMap(({ zero }) => (zero ? [zero.at] : []))
  const { failoverWindowSeconds } = ports.config.timers
  const isYoung = observed.at - Math.max(...zeros) < failoverWindowSeconds * 1000 + clocksApartMs
  return judgement.zeroPending && zeros.length > 0 && isYoung
}

/** The schedule reads edges with calls of what is held every 20 s. */
const freshMs = 30_000

/** Of the edges that could be read. */
function resultsIn(edges: readonly EdgeReading[], hold: Hold): EdgeResult[] {
  return edges.flatMap((reading) =>
    reading.readable && reading.holds[holdKey(hold)] ? [resultOf(reading, hold)] : [],
  )
}

/** Whether two readings of every edge show all of it disabled. */
function isCalmOn({ edges }: Pick<Readings, 'edges'>, hold: Hold): boolean {
  const isCalm = (reading: EdgeReading) =>
    reading.readable &&
    reading.askedAt >= hold.placedAt &&
    reading.holds[holdKey(hold)] !== undefined &&
    isConfirmed(reading, hold)
  return edges.length > 0 && edges.every(isCalm)
}
