import { expect, test } from 'vitest'
import { config, instanceId, minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

type Choice = 'terminate' | 'retain'

/** A scale-in with a call that outlasts its deadline, which is in an hour. */
async function scaledIn(choice: Choice = 'terminate') {
  const deadlinePolicy = { callsLeft: choice, unknown: choice }
  const { kdc, world } = kdcWorld({
    config: { groups: config.groups.map((group) => ({ ...group, deadlinePolicy })) },
  })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  return { kdc, world }
}

test('a watch of a scale-in whose instance goes at the deadline with its calls ends with 5', async () => {
  const { kdc, world } = await scaledIn()
  expect(await kdc(`watch ${server}`)).toMatchObject({ code: 5 })
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test.each([
  ['terminate', 'its instance goes, and the calls that are left with it'],
  ['retain', 'Auto Scaling keeps its instance until its calls are over'],
] as const)(
  'by the policy %s it does so too while Auto Scaling refuses the answer: its calls are up, and not over',
  async (choice, decided) => {
    const { kdc, world } = await scaledIn(choice)
    for (let refusal = 0; refusal < 30; refusal++)
      world.memory.lifecycleActions.failNext('complete', new Error('AccessDenied'))
    const { code, out } = await kdc(`watch ${server}`)
    expect(out).toMatch(
      new RegExp(`completing: calls left: 1 \\(edge-a 1\\); its deadline has passed: ${decided}\n$`),
    )
    expect(code).toBe(5)
  },
)

test('a scale-in whose end is saved, and whose mark is not left yet, is not said to have no call', async () => {
  const { kdc, world } = await scaledIn()
  const { store } = world.memory
  await world.pass(1 * minutes)
  const held = await store.holds()
  const { code, out } = await kdc(`watch ${server}`, {
    deployed: { shelf: { ...store, holds: async () => held } },
  })
  expect(code).toBe(5)
  expect(out).not.toContain('no call is left')
})

test('a scale-in whose action somebody else completed ends with 1: whether calls were left nobody knows', async () => {
  const { kdc, world } = await scaledIn()
  const action = { group: 'media-servers', hook: 'drain-calls', instanceId }
  world.clock.at(world.clock.now() + 5 * minutes, () =>
    world.memory.lifecycleActions.complete(action, 'CONTINUE'),
  )
  const { code, out } = await kdc(`watch ${server}`)
  expect(code).toBe(1)
  expect(out).toContain('whether calls were left is not known')
})

test('where the group may retain, its instance is kept for its calls then: that ends with 5, long before the deadline', async () => {
  const { kdc, world } = await scaledIn('retain')
  const action = { group: 'media-servers', hook: 'drain-calls', instanceId }
  const began = world.clock.now()
  world.clock.at(began + 5 * minutes, () => world.memory.lifecycleActions.complete(action, 'CONTINUE'))
  const { code, out } = await kdc(`watch ${server}`)
  expect(code).toBe(5)
  expect(out).toContain('calls left: 1 (edge-a 1); Auto Scaling keeps its instance until they are over')
  expect(out).not.toContain('deadline has passed')
  expect(world.clock.now() - began).toBeLessThan(30 * minutes)
})
