import type { Drain } from '../functions/control/drain.ts'
import { drainId } from '../functions/control/drain.ts'
import { type Hold, holdKey, mayShowMore } from '../functions/control/hold.ts'
import { type EdgeObservation, observation } from '../functions/control/observation.ts'
import { looking } from '../functions/control/phases.ts'
import { isUnknown } from '../functions/control/reading.ts'
import { judge } from '../functions/control/verdict.ts'
import type { Stored } from './look-around.ts'
import { utc } from './times.ts'

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
  readonly overdue: boolean
}

export interface EdgeCallsView {
  readonly edge: string
  readonly shows: 'disabled' | 'open' | 'unlisted' | 'unknown'
  readonly calls?: number
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
  return {
    ...{ drain: drainId(drain), on: onWhat(placed), uris: placed.uris, phase: phase.name },
    verdict: isHeld ? phase.verdict : judgement.verdict,
    callsLeft: judgement.callsLeft,
    unknown: judgement.unknown,
    edges: seen.edges.map(edgeCalls),
    zeroPending: !isHeld && judgement.zeroPending,
    confirmed: memory.confirmedAt !== undefined,
    ...{ who: hold.who, why: hold.why, since: utc(hold.placedAt), deadline: utc(hold.until) },
    overdue: memory.overdue === true || (!isHeld && stored.at >= hold.until),
  }
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

function edgeCalls(seen: EdgeObservation): EdgeCallsView {
  const { edge } = seen
  if ('unknown' in seen) return { edge, shows: 'unknown', because: seen.unknown }
  const { flags: shows, count, doubt } = seen
  if (isUnknown(count)) return { edge, shows, because: count.unknown }
  return { edge, shows, calls: count.calls, ...(doubt !== undefined && { because: doubt }) }
}
