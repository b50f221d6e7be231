export type LifecycleTransition = 'launching' | 'terminating'
export type LifecyclePlace = 'EC2' | 'AutoScalingGroup' | 'WarmPool'

/** What a lifecycle action asks of us; a "terminate" event is not always a termination. */
export type LifecycleIntent =
  /** stop new calls, wait for the last one, then CONTINUE */
  | 'drain'
  /** end its address's retired mark, then CONTINUE */
  | 'launch'
  /** nothing to do with calls: CONTINUE */
  | 'continue'

export interface LifecycleMove {
  readonly transition: LifecycleTransition
  readonly origin?: LifecyclePlace
  readonly destination?: LifecyclePlace
}

/**
 * The eight cases of the Auto Scaling guide. Without Origin and Destination (they are optional) a termination
 * is drained and a launch is admitted: the harmless reading of both.
 */
export function lifecycleIntent(move: LifecycleMove): LifecycleIntent {
  if (move.transition === 'launching') return move.destination === 'WarmPool' ? 'continue' : 'launch'
  return move.origin === 'WarmPool' ? 'continue' : 'drain'
}
