import { describe, expect, test } from 'vitest'
import { lifecycleActionsContract } from '../port-contracts/lifecycle-actions.ts'
import { createMemoryClock } from './clock.ts'
import { createMemoryLifecycleActions } from './lifecycle-actions.ts'

const action = {
  group: 'media',
  hook: 'drain',
  token: 't-1',
  instanceId: 'i-1',
  heartbeatTimeoutSeconds: 30,
  defaultResult: 'ABANDON',
} as const

describe('as Auto Scaling', () => {
  const actions = createMemoryLifecycleActions(createMemoryClock())
  let last = 0
  lifecycleActionsContract(() => ({
    port: actions,
    begin: async () => {
      last += 1
      const { group, hook, ...rest } = { ...action, token: `token-${last}`, instanceId: `i-${last}` }
      actions.begin({ group, hook, ...rest })
      return { group, hook, token: rest.token, instanceId: rest.instanceId }
    },
    results: (instanceId) =>
      actions.ended().flatMap((ended) => (ended.instanceId === instanceId ? ended.result : [])),
  }))
})

test('without a heartbeat an action ends at its timeout with the default result', async () => {
  const clock = createMemoryClock(0)
  const actions = createMemoryLifecycleActions(clock)
  actions.begin(action)
  await clock.advance(29_999)
  expect(actions.active()).toEqual([action])
  expect(await actions.heartbeat(action)).toBe('recorded')
  await clock.advance(30_000)
  expect(await actions.heartbeat(action)).toBe('over')
  expect(actions.ended()).toEqual([{ ...action, result: 'ABANDON', by: 'expiry', at: 59_999 }])
})

test('heartbeats carry an action no further than 100 timeouts', async () => {
  const clock = createMemoryClock(0)
  const actions = createMemoryLifecycleActions(clock)
  actions.begin(action)
  while ((await actions.heartbeat(action)) === 'recorded') await clock.sleep(20_000)
  expect(actions.ended()[0]).toMatchObject({ by: 'expiry', at: 3_000_000 })
})
