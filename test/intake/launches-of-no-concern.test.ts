import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { createWorld } from '../world/world.ts'

const token = '87654321-4321-4321-4321-210987654324'

test.each([
  ['lifecycle-warm-pool-kill', 'drain-calls'],
  ['lifecycle-launch-into-warm-pool', 'admit-calls'],
])('%s only continues', async (name, hook) => {
  const world = createWorld()
  const body = message(name, { LifecycleActionToken: token })
  world.beginAction({ hook, token })
  await world.lifecycle(body)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.edges.flatMap((edge) => edge.requests)).toEqual([])
  expect(world.executions).toEqual([])
})

test.each([
  ["somebody else's hook", message('lifecycle-terminate-scale-in', { LifecycleHookName: 'deregister' })],
  ["somebody else's group", message('lifecycle-terminate-scale-in', { AutoScalingGroupName: 'web' })],
  ["somebody else's launch", message('launch-successful', { AutoScalingGroupName: 'web' })],
  ['a test notification', message('lifecycle-test-notification')],
  ['an instance back in the warm pool', message('terminate-successful-to-warm-pool')],
])('%s is skipped and counted: no call is made', async (_, body) => {
  const calls: string[] = []
  const world = createWorld({ watch: { before: (method) => calls.push(method) } })
  await world.lifecycle(body)
  expect(calls).toEqual([])
  expect(world.memory.metrics.total('Skipped')).toBe(1)
})
