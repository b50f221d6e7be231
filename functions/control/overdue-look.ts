import type { Drain } from './drain.ts'
import { type Pace, retryWait } from './pace.ts'
import { openAction } from './phases.ts'

/** The longest silence of a drain that is looked at, in heartbeat intervals; its hook waits for three. */
const longestSilence = 1.5

/**
 * A look lasts as well as the wait before it: its function starts, waits for an edge that is away, and is
 * tried again. Where waits are of some seconds, those alone would tell nothing.
 */
const slowestLookMs = 60_000

/**
 * Whether a drain was not looked at for so long that its execution hangs: two of its longest waits, and a
 * minute at least. Where its heartbeat is late it waits as after a failure, and one such wait is enough: of
 * two executions that hang within a heartbeat's time, the third has to begin before the action is over.
 */
export function isLookOverdue(drain: Drain, now: number, { maxWaitSeconds }: Pace): boolean {
  const { lastHeartbeatAt = drain.hold.placedAt, lookedAt = lastHeartbeatAt } = drain
  const heartbeatSeconds = openAction(drain)?.heartbeatSeconds ?? Number.POSITIVE_INFINITY
  const isSilent = now - lastHeartbeatAt >= longestSilence * heartbeatSeconds * 1000
  const longestMs = isSilent
    ? retryWait(heartbeatSeconds) * 1000
    : Math.max(2 * Math.min(maxWaitSeconds, heartbeatSeconds) * 1000, slowestLookMs)
  return now - lookedAt >= longestMs
}
