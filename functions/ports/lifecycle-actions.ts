import type { LifecycleActionRef } from '../control/drain.ts'

/**
 * Auto Scaling's lifecycle actions. `over` means that no such action is active: completed, expired or never
 * there.
 */
export interface LifecycleActions {
  heartbeat(target: LifecycleActionRef): Promise<'recorded' | 'over'>
  complete(target: LifecycleActionRef, result: 'CONTINUE' | 'ABANDON'): Promise<'completed' | 'over'>
  /** Ends an instance that Auto Scaling retains. `over`: it is gone already. */
  terminate(instanceId: string): Promise<'completed' | 'over'>
}
