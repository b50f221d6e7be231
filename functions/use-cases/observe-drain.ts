import { eventTypes } from '../contracts/names.ts'
import type { WorkflowPayload } from '../contracts/workflow-payload.ts'
import { concludedAnew } from '../control/claim.ts'
import { type DrainRecord, resolvedBy } from '../control/drain-record.ts'
import { StoreConflict } from '../control/errors.ts'
import { type Hold, holdKey, mayShowMore } from '../control/hold.ts'
import { isGone, mayBeUnknownYet } from '../control/instance-life.ts'
import { clocksApartMs, lacks, type Observation, observation, removedEdges } from '../control/observation.ts'
import type { EdgeReading, Readings } from '../control/reading.ts'
import { isConfirmed } from '../control/settled.ts'
import { type Judgement, judge } from '../control/verdict.ts'
import {
  actionOver,
  answer,
  carryOn,
  end,
  holdOf,
  keptAlive,
  overtaken,
  recordOf,
  save,
  sayAndSave,
  summary,
} from './drain-step.ts'
import { type EdgeResult, resultOf } from './edge-results.ts'
import { type CallsOnEdge, callsOnEdges, countEndedCalls } from './end-calls.ts'
import { instanceById } from './inventory.ts'
import { blind, overdue } from './overdue.ts'
import type { Ports } from './ports.ts'
import { readBack, storedReadings } from './read-back.ts'
import { placeHold } from './start-drain.ts'

/**
 * One look at a drain: heartbeat first, then what a settle that it asks for has read (shared by all drains), then the verdict and what
 * follows from it.
 */
export async function observeDrain(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  try {
    return await observe(ports, payload)
  } catch (error) {
    // The settle that this look has asked for may have woken the drain: the next attempt looks, and nothing has failed.
    if (error instanceof StoreConflict && (await recordOf(ports, payload)) === undefined)
      return overtaken(payload)
    throw error
  }
}

async function observe(ports: Ports, payload: WorkflowPayload): Promise<WorkflowPayload> {
  const alive = await keptAlive(ports, payload)
  if (!alive) return overtaken(payload)
  // Also when the action is over already: its instance is on its way out and must get no more calls.
  const isNew = alive.record.state === 'claimed'
  const record = isNew ? await begin(ports, alive.record) : alive.record
  if (alive.over) return actionOver(ports, record)
  if (isNew) return answer(ports, record, 'observe', { shortest: true })

  let hold: Hold | undefined
  try {
    hold = await placedHold(ports, record)
  } catch (error) {
    return blind(ports, record, error)
  }
  // It was gone, or overdue, before a hold could be placed; the execution that was to complete it has failed.
  if (!hold && record.state === 'completing') return answer(ports, record, 'complete')
  if (hold?.lifted && record.lifecycle && (await hasGone(ports, record))) return completeGone(ports, record)
  // What it kept disabled is given back by the settle of each edge.
  if (hold?.lifted) return end(ports, record, 'lifted')
  if (!hold) return placeAgain(ports, record)

  let looked: Look
  try {
    looked = await look(ports, resolvedBy(record, hold), hold)
  } catch (error) {
    return blind(ports, record, error)
  }
  return follow(ports, looked)
}

function placedHold({ store }: Pick<Ports, 'store'>, record: DrainRecord): Promise<Hold | undefined> {
  const { source, id, subject } = holdOf(record)
  return store.hold(source, id, subject)
}

/** A claimed drain's first look. Whoever claimed it may have been killed before the hold was placed. */
async function begin(ports: Ports, record: DrainRecord): Promise<DrainRecord> {
  if ((await placedHold(ports, record)) === undefined) await placeHold(ports, record)
  return sayAndSave(ports, eventTypes.drainStarted, record, { state: 'draining' })
}

/** A hold's row that is missing is an error, not an end: what was found before says nothing of the time without it. */
async function placeAgain(ports: Ports, record: DrainRecord): Promise<WorkflowPayload> {
  const begun = await save(ports, concludedAnew(record), {})
  // Something later was said of an alarm's or operator's hold: there is nothing to place.
  if (!(await placeHold(ports, begun)) && !begun.lifecycle) return end(ports, begun, 'lifted')
  await ports.settles.ask({ kind: 'settle' })
  return answer(ports, begun, 'observe', { shortest: true })
}

/** Its address was launched anew, which lifted the hold, before a look could see that the machine is gone: its action is open still. */
async function hasGone(ports: Ports, { subject, requestedAt }: DrainRecord): Promise<boolean> {
  if (subject?.kind !== 'instance') return false
  const now = ports.clock.now()
  return isGone(await instanceById(ports, subject.instanceId, now), requestedAt, now)
}

async function completeGone(ports: Ports, record: DrainRecord): Promise<WorkflowPayload> {
  const completion = record.retainedAt === undefined ? 'CONTINUE' : 'TERMINATE'
  const gone = await save(ports, record, { state: 'completing', result: 'gone', completion })
  return answer(ports, gone, 'complete')
}

interface Look {
  readonly seen: DrainRecord
  readonly judgement: Judgement
  readonly onEdges: readonly CallsOnEdge[]
}

/** What is read, judged, remembered and published. */
async function look(ports: Ports, record: DrainRecord, hold: Hold): Promise<Look> {
  const began = ports.clock.now()
  const group = ports.config.groups.find(({ name }) => name === hold.group)
  const machines = group?.callCount !== undefined
  const wanted = await ports.store.wanted()
  let found = await judged(ports, record, hold, { began, machines })
  if (!suffices(ports, record, hold, found)) {
    // A look that waits and the wait after it are two heartbeat intervals at most: the hook's timeout is three.
    const patientForMs = (record.lifecycle?.heartbeatSeconds ?? Number.POSITIVE_INFINITY) * 1000
    await readBack(ports, { notBefore: began, wanted, machines, patientForMs })
    found = await judged(ports, record, hold, { began, machines })
  }
  const { readings, observed, judgement } = found
  // Somebody opened it: what was concluded of an operator's or alarm's drain is so no more.
  const isUpAgain = record.state === 'drained' && judgement.callsLeft > 0
  const current = isUpAgain ? concludedAnew(record) : record
  const counted = await countEndedCalls(ports, current, hold, readings)
  const confirmed = await confirm(ports, counted, hold, readings)
  const seen = await save(ports, confirmed, { edges: judgement.edges, steps: record.steps + 1 })
  await ports.events.publish({
    type: eventTypes.drainProgress,
    detail: {
      ...summary(seen),
      verdict: judgement.verdict,
      callsLeft: judgement.callsLeft,
      unknown: judgement.unknown,
      released: observed.released,
      lacks: lacks(observed),
      // Until it is disabled everywhere, what keeps it from being so.
      ...(seen.confirmedAt === undefined && { edges: resultsIn(readings.edges, hold) }),
    },
  })
  return { seen, judgement, onEdges: callsOnEdges(readings, hold) }
}

interface Judged {
  readonly readings: Readings
  readonly observed: Observation
  readonly judgement: Judgement
}

/** The verdict on what is stored. @param look when it began (epoch ms), and whether the media servers are asked for their own counts */
async function judged(
  ports: Ports,
  record: DrainRecord,
  hold: Hold,
  { began, machines }: { readonly began: number; readonly machines: boolean },
): Promise<Judged> {
  const readings = await storedReadings(ports, began)
  const rules = ports.config.timers
  const releases = removedEdges(record, readings).length > 0 ? await ports.store.releases() : []
  const released = releases.map(({ edge }) => edge)
  const observed = observation(record, holdKey(hold), readings, {
    ...rules,
    countsItself: machines,
    isUnshown: mayShowMore(hold) && hold.shownAt === undefined,
    released,
  })
  return { readings, observed, judgement: judge(record, observed, false, ports.clock.now(), rules) }
}

/**
 * Whether what is stored is all that this look can make use of: calls are up, or a first zero is too young to be confirmed. What ends a drain
 * is asked of every edge after the look began.
 */
function suffices(
  ports: Ports,
  record: DrainRecord,
  hold: Hold,
  { readings, observed, judgement }: Judged,
): boolean {
  if (observed.at >= record.deadlineAt || judgement.unknown.length > 0) return false
  if (record.confirmedAt === undefined && !isCalmOn(readings, hold)) return false
  const busy = callsOnEdges(readings, hold).map(({ edge }) => edge)
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

/** Published once: two readings of every edge show all of it disabled. */
async function confirm(
  ports: Ports,
  record: DrainRecord,
  hold: Hold,
  { edges }: Readings,
): Promise<DrainRecord> {
  if (record.confirmedAt !== undefined || !isCalmOn({ edges }, hold)) return record
  const results = resultsIn(edges, hold)
  const isListed = results.some(({ outcome }) => outcome !== 'unlisted')
  const confirmedAt = { confirmedAt: ports.clock.now() }
  // A young machine's listed address may not be shown yet.
  if (!isListed && isYoung(ports, hold)) return record
  if (!isListed) return save(ports, record, confirmedAt)
  const kamailio = Object.fromEntries(
    edges.flatMap((reading) => (reading.readable ? [[reading.edge, reading.description.version]] : [])),
  )
  return sayAndSave(ports, eventTypes.drainConfirmed, record, confirmedAt, { edges: results, kamailio })
}

function isYoung({ clock }: Pick<Ports, 'clock'>, { subject }: Hold): boolean {
  return subject.kind === 'instance' && mayBeUnknownYet(subject.launchedAt, clock.now())
}

async function follow(ports: Ports, { seen: record, judgement, onEdges }: Look): Promise<WorkflowPayload> {
  const { verdict, zeroPending } = judgement
  switch (verdict) {
    case 'drained':
    case 'absent':
    case 'gone': {
      if (record.lifecycle) {
        const completing = await save(ports, record, {
          state: 'completing',
          result: verdict,
          completion: record.retainedAt === undefined ? 'CONTINUE' : 'TERMINATE',
        })
        return answer(ports, completing, 'complete')
      }
      if (verdict === 'gone') return end(ports, record, 'gone')
      // An operator's or alarm's drain waits here for its hold to be lifted, and keeps it meanwhile.
      const changes = { state: 'drained', result: verdict } as const
      const drained =
        record.state === 'drained' ? record : await sayAndSave(ports, eventTypes.drained, record, changes)
      return carryOn(ports, drained, 'observe')
    }
    case 'overdue':
      return overdue(ports, record, { ...judgement, onEdges })
    case 'draining':
    case 'unknown':
    case 'lifted':
      return carryOn(ports, record, 'observe', {
        zeroPending,
        callsUp: record.confirmedAt !== undefined && onEdges.length > 0 && judgement.unknown.length === 0,
      })
    default:
      return verdict satisfies never
  }
}
