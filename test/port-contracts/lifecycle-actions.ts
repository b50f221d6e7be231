import { expect, test } from 'vitest'
import type { LifecycleActionRef } from '../../functions/control/drain.ts'
import type { LifecycleActions } from '../../functions/ports/lifecycle-actions.ts'
import { some } from '../present.ts'

export interface LifecycleWorld {
  readonly port: LifecycleActions
  /** A fresh instance comes to its terminate hook. @returns its action, with its token */
  begin(): Promise<Required<LifecycleActionRef>>
  /** The results that ended the instance's actions, oldest first. */
  results(instanceId: string): readonly string[]
}

/** What Auto Scaling and whatever stands for it must do. */
export function lifecycleActionsContract(world: () => LifecycleWorld): void {
  test('an active action takes heartbeats and is completed once; then it is over', async () => {
    const { port, begin, results } = world()
    const target = await begin()
    expect(await port.heartbeat(target)).toBe('recorded')
    expect(await port.heartbeat(target)).toBe('recorded')
    expect(await port.complete(target, 'CONTINUE')).toBe('completed')
    expect(await port.complete(target, 'ABANDON')).toBe('over')
    expect(await port.heartbeat(target)).toBe('over')
    expect(results(target.instanceId)).toEqual(['CONTINUE'])
  })

  test('without a token the instance id names the action', async () => {
    const { port, begin, results } = world()
    const { token: _token, ...target } = await begin()
    expect(await port.heartbeat(target)).toBe('recorded')
    expect(await port.complete(target, 'ABANDON')).toBe('completed')
    expect(await port.complete(target, 'ABANDON')).toBe('over')
    expect(results(target.instanceId)).toEqual(['ABANDON'])
  })

  test("a stranger's token, instance or hook is over, and ends nothing", async () => {
    const { port, begin, results } = world()
    const target = await begin()
    const { token: _token, ...tokenless } = target
    const strangers: LifecycleActionRef[] = [
      { ...target, token: '00000000-0000-4000-8000-000000000000' },
      { ...tokenless, instanceId: 'i-0ffffffffffffffff' },
      { ...target, hook: 'somebody-else' },
    ]
    for (const stranger of some(strangers)) {
      expect(await port.heartbeat(stranger)).toBe('over')
      expect(await port.complete(stranger, 'CONTINUE')).toBe('over')
    }
    expect(results(target.instanceId)).toEqual([])
    expect(await port.complete(target, 'CONTINUE')).toBe('completed')
  })
}
