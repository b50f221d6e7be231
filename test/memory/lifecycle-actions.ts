import type { LifecycleActionRef } from '../../functions/control/drain.ts'
import type { Clock } from '../../functions/ports/clock.ts'
import type { LifecycleActions } from '../../functions/ports/lifecycle-actions.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryLifecycleAction {
  readonly group: string
  readonly hook: string
  readonly token: string
  readonly instanceId: string
  readonly heartbeatTimeoutSeconds: number
  readonly defaultResult: 'CONTINUE' | 'ABANDON'
}
export interface EndedLifecycleAction extends MemoryLifecycleAction {
  readonly result: 'CONTINUE' | 'ABANDON'
  readonly by: 'completion' | 'expiry'
  readonly at: number
}
export interface MemoryLifecycleActions extends LifecycleActions {
  /** An instance comes to its hook now. */
  begin(action: MemoryLifecycleAction): void
  active(): readonly MemoryLifecycleAction[]
  ended(): readonly EndedLifecycleAction[]
  /** retained instances that were asked to go */
  readonly terminated: readonly { readonly instanceId: string; readonly at: number }[]
  readonly heartbeats: readonly { readonly target: LifecycleActionRef; readonly at: number }[]
}

/**
 * Auto Scaling's side of lifecycle actions: expiry after the heartbeat timeout or min(48 h, 100 × it) in all.
 */
export function createMemoryLifecycleActions(clock: Clock): Faulty<MemoryLifecycleActions> {
  const actions: (MemoryLifecycleAction & { readonly begunAt: number; beatAt: number })[] = []
  const past: EndedLifecycleAction[] = []
  const terminated: { instanceId: string; at: number }[] = []
  const heartbeats: { target: LifecycleActionRef; at: number }[] = []

  function end(
    action: (typeof actions)[number],
    result: 'CONTINUE' | 'ABANDON',
    by: EndedLifecycleAction['by'],
    at: number,
  ) {
    actions.splice(actions.indexOf(action), 1)
    const { begunAt: _begunAt, beatAt: _beatAt, ...rest } = action
    past.push({ ...rest, result, by, at })
  }
  function expire() {
    for (const action of [...actions]) {
      const timeout = action.heartbeatTimeoutSeconds * 1000
      const expiresAt = Math.min(
        action.beatAt + timeout,
        action.begunAt + Math.min(172_800_000, 100 * timeout),
      )
      if (clock.now() >= expiresAt) end(action, action.defaultResult, 'expiry', expiresAt)
    }
  }
  function find(target: LifecycleActionRef) {
    expire()
    return actions.find(
      (action) =>
        action.group === target.group &&
        action.hook === target.hook &&
        action.instanceId === target.instanceId &&
        (target.token === undefined || action.token === target.token),
    )
  }

  return faulty<MemoryLifecycleActions>({
    begin(action) {
      actions.push({ ...action, begunAt: clock.now(), beatAt: clock.now() })
    },
    active() {
      expire()
      return actions.map(({ begunAt: _begunAt, beatAt: _beatAt, ...action }) => action)
    },
    ended() {
      expire()
      return [...past]
    },
    heartbeats,
    async heartbeat(target) {
      const action = find(target)
      if (!action) return 'over'
      action.beatAt = clock.now()
      heartbeats.push({ target: structuredClone(target), at: clock.now() })
      return 'recorded'
    },
    async complete(target, result) {
      const action = find(target)
      if (!action) return 'over'
      end(action, result, 'completion', clock.now())
      return 'completed'
    },
    async terminate(instanceId) {
      terminated.push({ instanceId, at: clock.now() })
      return 'completed'
    },
    terminated,
  })
}
