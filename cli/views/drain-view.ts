import { countedOn, counting } from '../../functions/control/counts.ts'
import type { Counts, Drain } from '../../functions/control/drain.ts'
import { drainId } from '../../functions/control/drain.ts'
import { endingOf, type Trend, trendOf } from '../../functions/control/ending.ts'
import { type Hold, holdKey, mayShowMore } from '../../functions/control/hold.ts'
import { type EdgeObservation, observation } from '../../functions/control/observation.ts'
import { looking } from '../../functions/control/phases.ts'
import { isUnknown } from '../../functions/control/reading.ts'
import { type Judgement, judge } from '../../functions/control/verdict.ts'
import { isoTime } from '../desk/times.ts'
import { type EndsView, endsView } from './ends.ts'
import type { Stored } from './look-around.ts'
import { atDeadline } from './what-next.ts'

/** A drain, and what is known of its calls. */
export interface DrainView {
  readonly drain: string
  readonly on: string
  readonly uris: readonly string[]
  readonly phase: Drain['phase']['name']
  /** as the readings that are stored show it: `drained` and `absent` are concluded by a look alone */
  readonly verdict: string
  /** a lower bound while something is unknown */
  readonly callsLeft: number
  readonly unknown: readonly string[]
  readonly edges: readonly EdgeCallsView[]
  /** every edge shows a zero, which a later look may confirm */
  readonly zeroPending: boolean
  readonly confirmed: boolean
  readonly who: string
  readonly why: string
  readonly since: string
  readonly deadline: string
  /** what happens then, as things are now */
  readonly atDeadline: string
  /** as its look at the deadline has found it, whatever the clock here shows */
  readonly overdue: boolean
  /** of the calls that are left, since it is disabled on every edge */
  readonly trend: Trend
  /** absent of a drain that waits for no calls */
  readonly ends?: EndsView
  /** about when it is looked at again, unless its last call is over sooner */
  readonly nextLook?: string
}

export interface EdgeCallsView {
  readonly edge: string
  readonly shows: 'disabled' | 'open' | 'unlisted' | 'unknown'
  readonly calls?: number
  /** the most that it had since the drain began */
  readonly most?: number
  /** it has had that number of calls since */
  readonly sameSince?: string
  /** why its calls are unknown, or a zero of it would prove nothing */
  readonly because?: string
}

/** What a hold is placed on. */
export function onWhat({ subject, uris }: Pick<Hold, 'subject' | 'uris'>): string {
  if (subject.kind === 'instance') return subject.instanceId
  return uris[0] ?? subject.uri
}

/** @returns nothing of a drain that is over */
export function drainView(drain: Drain, stored: Stored): DrainView | undefined {
  const { hold, phase } = drain
  const placed = stored.holds.find((each) => holdKey(each) === holdKey(hold))
  if (phase.name === 'ended' || !placed) return undefined
  const { memory } = looking(drain)
  const { seen, judgement } = judged(drain, placed, stored)
  const isHeld = phase.name === 'held'
  const counts = countsOf(drain, seen.edges, judgement)
  const ending = endingOf(drain, judgement, counts, stored.timers)
  const { callsLeft, unknown, unconfirmed } = judgement
  return {
    ...{ drain: drainId(drain), on: onWhat(placed), uris: placed.uris, phase: phase.name },
    verdict: isHeld ? phase.verdict : judgement.verdict,
    ...{ callsLeft, unknown },
    edges: seen.edges.map((each) => edgeCalls(each, counts)),
    zeroPending: !isHeld && judgement.zeroPending,
    confirmed: memory.confirmedAt !== undefined,
    ...{ who: hold.who, why: hold.why, since: isoTime(hold.placedAt), deadline: isoTime(hold.until) },
    atDeadline: atDeadline(drain, { callsLeft, unknown, unconfirmed }),
    overdue: memory.overdue === true || phase.name === 'ending-calls' || phase.name === 'retained',
    trend: unknown.length > 0 ? 'unknown' : trendOf(counts),
    ...(ending && { ends: endsView(ending, stored.at) }),
    ...(drain.nextLookAt !== undefined && { nextLook: isoTime(drain.nextLookAt) }),
  }
}

/** What its looks remember, and what the edges show by now. */
function countsOf(
  drain: Drain,
  edges: readonly EdgeObservation[],
  { unknown, callsLeft }: Judgement,
): Counts {
  const { confirmedAt, counts } = looking(drain).memory
  const isKnown = confirmedAt !== undefined && unknown.length === 0
  return counting(counts, countedOn(edges), isKnown ? callsLeft : undefined)
}

/** What a look would make of what is stored. */
function judged(drain: Drain, hold: Hold, { readings, released, timers, at }: Stored) {
  const { edges } = looking(drain).memory
  const { subject } = hold
  const seen = observation({ edges, subject }, holdKey(hold), readings, {
    longestCallSeconds: timers.longestCallSeconds,
    isUnshown: mayShowMore(hold) && hold.shownAt === undefined,
    released,
  })
  return { seen, judgement: judge({ edges, deadlineAt: drain.hold.until }, seen, at, timers) }
}

function edgeCalls(seen: EdgeObservation, { edges }: Counts): EdgeCallsView {
  const { edge } = seen
  if ('unknown' in seen) return { edge, shows: 'unknown', because: seen.unknown }
  const { flags: shows, count, doubt } = seen
  if (isUnknown(count)) return { edge, shows, because: count.unknown }
  const known = edges[edge]
  return {
    ...{ edge, shows, calls: count.calls },
    ...(known && { most: known.most, sameSince: isoTime(known.since) }),
    ...(doubt !== undefined && { because: doubt }),
  }
}
