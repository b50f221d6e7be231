import { clocksApartMs } from './observation.ts'

export interface Pace {
  readonly minWaitSeconds: number
  readonly maxWaitSeconds: number
  readonly failoverWindowSeconds: number
}

/** Heartbeat at a third of the hook's timeout, in seconds. */
export function heartbeatInterval(heartbeatTimeoutSeconds: number): number {
  return heartbeatTimeoutSeconds / 3
}

/** Where nothing wakes it, a drain is looked at after this share of its age. */
const shareOfAge = 0.05

/**
 * What a drain waits for. `shortest`: it has just begun, or its calls are being ended. `confirm`: after a
 * first zero just over the fail-over window and the clocks' difference, since only a later look can confirm
 * it. `calls-up`: the longest wait, since settle wakes it when the last one is over. `paced`: a share of its
 * age, within the bounds.
 */
export type Wait = 'shortest' | 'confirm' | 'calls-up' | 'paced'

/**
 * Seconds (whole, at least 1) until a drain's next look, where its deadline is not sooner. Never above the
 * heartbeat interval.
 * @param heartbeatSeconds undefined: it keeps nothing alive
 */
export function nextWait(
  wait: Wait,
  ageMs: number,
  heartbeatSeconds: number | undefined,
  pace: Pace,
): number {
  const seconds = waitSeconds(wait, ageMs, pace)
  return Math.max(1, Math.floor(Math.min(seconds, heartbeatSeconds ?? seconds)))
}

function waitSeconds(
  wait: Wait,
  ageMs: number,
  { minWaitSeconds, maxWaitSeconds, failoverWindowSeconds }: Pace,
): number {
  switch (wait) {
    case 'shortest':
      return minWaitSeconds
    case 'confirm':
      return Math.floor(failoverWindowSeconds + clocksApartMs / 1000) + 1
    case 'calls-up':
      return maxWaitSeconds
    case 'paced':
      return Math.min(maxWaitSeconds, Math.max(minWaitSeconds, (ageMs / 1000) * shareOfAge))
    default:
      return wait satisfies never
  }
}

/**
 * Seconds (whole, at least 1) to wait after a step, or a heartbeat, that failed: three tries within a
 * heartbeat interval, so that one between two outages of Auto Scaling keeps the action alive.
 */
export function retryWait(heartbeatSeconds: number | undefined): number {
  return Math.max(1, Math.floor(Math.min(120, (heartbeatSeconds ?? 360) / 3)))
}

/**
 * Due at half the interval, as waits are as long as the interval at most: the longest silence is 1.5
 * intervals, half of the hook's timeout.
 */
export function heartbeatDue(
  lastHeartbeatAt: number | undefined,
  now: number,
  intervalSeconds: number,
): boolean {
  return lastHeartbeatAt === undefined || now - lastHeartbeatAt >= (intervalSeconds * 1000) / 2
}

/**
 * Longer than this a failed message does not wait; about what SQS makes one wait whose function was killed.
 */
const longestRedelivery = 300

/**
 * Whole seconds until a message that failed comes again: about 2, 4, 8, … 256, then 300, a quarter more or
 * less, so that messages which failed together don't come together.
 * @param receives how often it has come so far, 1 the first time
 * @param random 0 to 1
 */
export function redeliverySeconds(receives: number, random: number): number {
  const base = Math.min(longestRedelivery, 2 ** Math.max(1, receives))
  return Math.max(1, Math.round(base * (0.75 + random / 2)))
}
