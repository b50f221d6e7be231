import type { Drain, LifecycleActionRef } from './drain.ts'
import { drainId } from './drain.ts'
import { heartbeatDue, nextWait, type Pace, retryWait, type Wait } from './pace.ts'
import { actionRef, openAction } from './phases.ts'

/** What a look returns to the workflow, and an execution begins with. */
export interface LookPayload {
  readonly drainId: string
  readonly attempt: number
  /** `observe`: after a rollback to 0.1.0 its executions take that up */
  readonly next: 'observe' | 'ended'
  readonly waitSeconds: number
  /** how long to wait after a look that failed */
  readonly retrySeconds: number
  /**
   * the lifecycle action that it keeps alive, so that its heartbeats depend on no record; absent where there
   * is none, or none any more
   */
  readonly action?: LifecycleActionRef
}

/** What an execution of this drain's attempt begins with, or goes on with. */
export function lookPayload(drain: Drain, wait: Wait, now: number, pace: Pace): LookPayload {
  const action = openAction(drain)
  const retrySeconds = retryWait(action?.heartbeatSeconds)
  // The heartbeat of this look failed, or the look took longer than half the interval: the next one comes
  // sooner.
  const isOverdue = action && heartbeatDue(drain.lastHeartbeatAt, now, action.heartbeatSeconds)
  const longest = isOverdue ? retrySeconds : action?.heartbeatSeconds
  return {
    drainId: drainId(drain),
    attempt: drain.attempt,
    next: drain.phase.name === 'ended' ? 'ended' : 'observe',
    waitSeconds: untilDue(drain, wait, now, nextWait(wait, now - drain.hold.placedAt, longest, pace)),
    retrySeconds,
    ...(action && { action: actionRef(action) }),
  }
}

/**
 * A look that would come after the deadline comes at the deadline. One that is to confirm a zero comes when
 * it can: sooner it would confirm nothing, and the policy would decide on a zero that is not confirmed.
 */
function untilDue({ hold }: Drain, wait: Wait, now: number, waitSeconds: number): number {
  const dueIn = Math.ceil((hold.until - now) / 1000)
  return dueIn > 0 && wait !== 'confirm' ? Math.min(waitSeconds, dueIn) : waitSeconds
}
