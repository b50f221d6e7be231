import type { Drain } from './drain.ts'
import type { Pace } from './pace.ts'
import { openAction } from './phases.ts'

/**
 * Whether a drain was not looked at for so long that its execution hangs: two of its longest waits. Its
 * action's hook waits for three heartbeat intervals.
 */
export function isLookOverdue(drain: Drain, now: number, { maxWaitSeconds }: Pace): boolean {
  const { lookedAt = drain.lastHeartbeatAt ?? drain.hold.placedAt } = drain
  const longestWait = Math.min(maxWaitSeconds, openAction(drain)?.heartbeatSeconds ?? maxWaitSeconds)
  return now - lookedAt >= 2 * longestWait * 1000
}
