import { chooseAtDeadline } from './deadline.ts'
import type { CallsAt, Counts, Drain } from './drain.ts'
import { looking } from './phases.ts'
import type { Unknown } from './reading.ts'
import type { Judgement } from './verdict.ts'
import { utc } from './window.ts'

/** When a drain is over: most likely between these (epoch ms), or why nobody can tell. */
export type Ending = { readonly earliest: number; readonly latest: number } | Unknown

/** `rising`: a call has begun lately, although it is disabled on every edge. */
export type Trend = 'falling' | 'steady' | 'rising' | 'unknown'

/** Fewer counts, or fewer calls that have ended, tell nothing. */
const fewestCounts = 3
const fewestEnded = 3

/** So long after its last call settle has found that out, at the latest, and a look was made. */
const noticedWithinMs = 30_000

/** Of the later half of what is remembered: calls that ended hours ago make no trend. */
export function trendOf({ totals, begunAt }: Counts): Trend {
  const [first, last] = [totals[0], totals.at(-1)]
  if (begunAt !== undefined && totals.length < fewestCounts) return 'rising'
  if (first === undefined || last === undefined || first === last) return 'unknown'
  const before = totals[Math.floor((totals.length - 1) / 2)] ?? first
  return last.calls < before.calls ? 'falling' : 'steady'
}

/**
 * When a drain will be over, as a range: by how its calls have ended, by the fail-over window after the last
 * one, and by what happens at its deadline.
 * @param counts with the newest count
 * @returns undefined of a drain that waits for no calls
 */
export function endingOf(
  drain: Drain,
  judgement: Pick<Judgement, 'callsLeft' | 'unknown' | 'zeroPending'>,
  counts: Counts | undefined,
  { failoverWindowSeconds }: { readonly failoverWindowSeconds: number },
): Ending | undefined {
  const { name } = drain.phase
  if (name === 'held' || name === 'completing' || name === 'ended') return undefined
  const over = callsOver(drain, judgement, counts)
  if ('unknown' in over) return over
  const confirmed = failoverWindowSeconds * 1000
  const end = endByPolicy(drain, judgement)
  return {
    earliest: Math.min(end, over.earliest + confirmed),
    latest: Math.min(end, over.latest + confirmed + noticedWithinMs),
  }
}

function callsOver(
  drain: Drain,
  { unknown, callsLeft, zeroPending }: Pick<Judgement, 'callsLeft' | 'unknown' | 'zeroPending'>,
  counts: Counts | undefined,
): Ending {
  const [reason] = unknown
  if (reason !== undefined) return { unknown: reason }
  if (looking(drain).memory.confirmedAt === undefined)
    return { unknown: 'it is not known to be disabled on every edge yet' }
  const last = counts?.totals.at(-1)
  if (!counts || !last) return { unknown: 'its calls were not counted since it is disabled' }
  if (callsLeft > 0) return extrapolated(counts, last)
  return zeroPending
    ? { earliest: last.at, latest: last.at }
    : { unknown: 'an edge shows no call, and may send it new ones' }
}

/** Epoch ms: when the drain is over whatever calls are left. */
function endByPolicy({ action, hold, phase }: Drain, left: Pick<Judgement, 'callsLeft' | 'unknown'>): number {
  if (!action || phase.name === 'retained') return Number.POSITIVE_INFINITY
  const withinMs = (action.endCalls?.withinSeconds ?? 0) * 1000
  if (phase.name === 'ending-calls') return phase.since + withinMs
  const { choice } = chooseAtDeadline(action.policy, { ...left, unconfirmed: true })
  if (choice === 'retain') return Number.POSITIVE_INFINITY
  return choice === 'terminate' ? hold.until : hold.until + withinMs
}

/** How sure the range is: on each side so many of a hundred drains end outside it, if calls end at random. */
const outside = 0.15
/**
 * What calls that are alike in no way need: the last of many that end one after the other at the same pace
 * comes sooner than at random, and that of many short and a few long ones later. Both were found by trying
 * kinds of calls (`test/control/ending.property.test.ts`).
 */
const sooner = 0.6
const later = 1.4

/**
 * By the calls that have ended lately: since there were some more than twice as many, or five more. That way
 * short calls, which end first, tell little of the long ones that are left.
 */
function extrapolated({ totals, begunAt }: Counts, { at, calls }: CallsAt): Ending {
  if (totals.length < fewestCounts)
    return {
      unknown:
        begunAt === undefined
          ? `its calls were counted ${totals.length === 1 ? 'once' : 'twice'} since it is disabled, which is too little`
          : `a call has begun at ${utc(begunAt)} or before, although it is disabled: nobody knows how many will`,
    }
  const isEnough = (each: CallsAt, index: number) =>
    totals.length - index >= fewestCounts &&
    each.calls - calls >= 5 &&
    (totals[index - 1]?.calls ?? Number.POSITIVE_INFINITY) > calls * 2.5
  const lately = totals.slice(Math.max(0, totals.findLastIndex(isEnough)))
  const [from = { at, calls }] = lately
  const ended = from.calls - calls
  if (ended === 0) return { unknown: `no call has ended since ${utc(from.at)}` }
  if (ended < fewestEnded)
    return { unknown: `only ${ended} calls have ended since ${utc(from.at)}, which is too few` }
  // How many end in one millisecond, for each that is up.
  const perCall = ended / callTime(lately)
  const error = 1 / Math.sqrt(Math.min(ended, 20))
  const atOnePace = (calls * (at - from.at)) / ended
  const soonest = Math.min(lastOf(calls, outside) / (perCall * (1 + error)), sooner * atOnePace)
  return {
    earliest: Math.round(at + soonest),
    latest: Math.round(at + (lastOf(calls, 1 - outside) / perCall) * (1 + error) * later),
  }
}

/** Milliseconds of all calls together. */
function callTime(totals: readonly CallsAt[]): number {
  return totals.reduce((sum, { at, calls }, index) => {
    const before = totals[index - 1] ?? { at, calls }
    return sum + ((at - before.at) * (calls + before.calls)) / 2
  }, 0)
}

/** By when, in mean lives, the last of so many calls is over with this probability, if they end at random. */
function lastOf(calls: number, probability: number): number {
  return -Math.log(1 - probability ** (1 / calls))
}
