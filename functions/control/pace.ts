import type { CallsSeen, DrainRecord } from './drain-record.ts'
import { clocksApartMs } from './observation.ts'
import type { Judgement } from './verdict.ts'

export interface Pace {
  readonly minWaitSeconds: number
  readonly maxWaitSeconds: number
  readonly failoverWindowSeconds: number
}

/** Heartbeat at a third of the hook's timeout, in seconds. */
export function heartbeatInterval(heartbeatTimeoutSeconds: number): number {
  return heartbeatTimeoutSeconds / 3
}

/** A call of which nothing else is known, or calls that can't be counted: looked for after this share of the drain's age. */
const shareOfAge = 0.05

/**
 * Of the time that the last call is expected to take. Measured by `bench/pace.ts`: with it 95 in 100 drains of 20 calls are over within 53 s
 * (mean call 4 min) and 110 s (10 min) of the last BYE, by the age alone within 67 and 118 s; more would be later, less makes more looks.
 */
const shareOfEstimate = 0.175

/** Ends that are presumed besides those seen, so that few say little: one call, none ended, comes to {@link shareOfAge}. */
const presumedEnds = shareOfEstimate / shareOfAge

/** Times the drain's age: calls that all end at once, which no count foretells, are not looked for later than this. */
const longestInAges = 2

/**
 * What a look adds to what was seen of a drain's calls. Those it finds have been up since the drain began, as none begins after that.
 * @param now epoch ms, when it was counted
 */
export function callsSeen(
  { calls: before, requestedAt }: Pick<DrainRecord, 'calls' | 'requestedAt'>,
  { callsLeft: count, unknown }: Pick<Judgement, 'callsLeft' | 'unknown'>,
  now: number,
): CallsSeen | undefined {
  if (unknown.length > 0) return before && { ...before, known: false }
  const last = before ?? { count, at: requestedAt, ended: 0, callSeconds: 0 }
  const seconds = Math.max(0, now - last.at) / 1000
  return {
    count,
    at: now,
    ended: last.ended + Math.max(0, last.count - count),
    callSeconds: last.callSeconds + ((last.count + count) / 2) * seconds,
    known: true,
  }
}

/**
 * Seconds until the last of the calls is expected to end, were each as likely to end within the next second as those seen so far:
 * n such calls take 1 + 1/2 + … + 1/n times as long as one.
 */
export function untilLastEnd({ count, ended, callSeconds }: CallsSeen): number {
  let ofOne = 0
  for (let left = 1; left <= count; left++) ofOne += 1 / left
  return (ofOne * callSeconds) / (ended + presumedEnds)
}

/**
 * Seconds (whole, at least 1) until a drain's next step: within the bounds a share of the time that its last call is expected to take, or
 * of its age where no count is known; never above the heartbeat interval; after a first zero just over the fail-over window and the clocks'
 * difference, since only a later look can confirm it; the `shortest` wait right after it began, and while its calls are being ended.
 */
export function nextWait(
  drain: {
    readonly ageMs: number
    readonly calls?: CallsSeen
    readonly heartbeatSeconds?: number
    readonly zeroPending?: boolean
    readonly shortest?: boolean
  },
  pace: Pace,
): number {
  const paced = drain.shortest
    ? pace.minWaitSeconds
    : drain.zeroPending
      ? Math.floor(pace.failoverWindowSeconds + clocksApartMs / 1000) + 1
      : Math.min(
          pace.maxWaitSeconds,
          Math.max(pace.minWaitSeconds, worthALook(drain.ageMs / 1000, drain.calls)),
        )
  return Math.max(1, Math.floor(Math.min(paced, drain.heartbeatSeconds ?? paced)))
}

/** Seconds until a zero is worth looking for. */
function worthALook(age: number, calls: CallsSeen | undefined): number {
  if (!calls?.known || calls.count === 0) return age * shareOfAge
  return Math.min(age * longestInAges, untilLastEnd(calls) * shareOfEstimate)
}

/** Seconds (whole, at least 1) to wait after a step that failed, where its own pace can't be known. */
export function retryWait(heartbeatSeconds: number | undefined): number {
  return Math.max(1, Math.floor(Math.min(120, heartbeatSeconds ?? 120)))
}

/**
 * Due at half the interval, as waits are as long as the interval at most: the longest silence is 1.5 intervals, half of
 * the hook's timeout.
 */
export function heartbeatDue(
  lastHeartbeatAt: number | undefined,
  now: number,
  intervalSeconds: number,
): boolean {
  return lastHeartbeatAt === undefined || now - lastHeartbeatAt >= (intervalSeconds * 1000) / 2
}

/** Longer than this a failed message does not wait; about what SQS makes one wait whose function was killed. */
const longestRedelivery = 300

/**
 * Whole seconds until a message that failed comes again: about 2, 4, 8, … 256, then 300, a quarter more or less, so that
 * messages which failed together don't come together.
 * @param receives how often it has come so far, 1 the first time
 * @param random 0 to 1
 */
export function redeliverySeconds(receives: number, random: number): number {
  const base = Math.min(longestRedelivery, 2 ** Math.max(1, receives))
  return Math.max(1, Math.round(base * (0.75 + random / 2)))
}
