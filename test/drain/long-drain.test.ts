import { expect, test } from 'vitest'
import { some } from '../present.ts'
import { config, createWorld, hours, minutes, server } from '../world/world.ts'

const long = config.groups.map((group) => ({ ...group, drainDeadlineSeconds: 29_000 }))

test('a long drain carries on in a new execution long before the history is full, and its heartbeats never stop', async () => {
  const world = createWorld({ config: { groups: long } })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(7.5 * hours)
  expect(world.memory.lifecycleActions.active()).toHaveLength(1)
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  const attempts = world.executions.map(({ input }) => input.attempt)
  expect(attempts.length).toBeGreaterThan(2)
  expect(attempts).toEqual(attempts.map((_, index) => index + 1))
  for (const { done } of some(world.executions.slice(0, -1))) {
    const { status, events } = await done
    expect(status).toBe('SUCCEEDED')
    expect(events).toBeLessThan(20_000)
  }
})

test('the execution that carries on is started also when starting it fails at first', async () => {
  const world = createWorld({ config: { groups: long } })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  for (let i = 0; i < 7; i++) world.memory.workflows.failNext('start', new Error('throttled'))
  await world.pass(7 * hours)
  expect(world.executions.length).toBeGreaterThan(1)
  expect(world.memory.lifecycleActions.active()).toHaveLength(1)
  expect(world.ended()).toEqual([])
})

test("an operator's drained destination is watched for days, in executions whose history is never full", async () => {
  const world = createWorld()
  await world.command({
    version: 1,
    id: 'c-1',
    command: 'drain',
    destination: server,
    reason: 'disk',
    requestedBy: 'alice',
  })
  await world.pass(24 * hours)
  world.edge('edge-b').strangerSets('a', 1, server)
  await world.pass(5 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX' })
  expect(world.executions.length).toBeGreaterThan(3)
  expect(
    some(world.executions).every(({ input }) => input.drainId === 'operator/10.0.1.20:5060;udp/alice'),
  ).toBe(true)
})
