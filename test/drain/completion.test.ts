import { expect, test } from 'vitest'
import { present } from '../present.ts'
import { createWorld, drainId, file, minutes, neighbour, seconds, server } from '../world/world.ts'

test('calls of a server that was taken out of the list before its drain are still waited for', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  for (const edge of world.edges) {
    edge.writeFile(file.filter(({ uri }) => uri === neighbour))
    edge.strangerReloads()
  }
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a completion that is refused is not repeated on an old verdict: a call that came meanwhile is waited for', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', restoresDialogs: true }] })
  for (let refusal = 0; refusal < 3; refusal++)
    world.memory.lifecycleActions.failNext('complete', new Error('ResourceContention'))
  await world.scaleIn()
  await world.until((record) => (record?.completionTries ?? 0) > 0)
  const call = world.edge('edge-a').callTo(server)
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('a completion that is refused is tried again about when its record has it', async () => {
  const world = createWorld()
  const tries: number[] = []
  Object.assign(world.memory.lifecycleActions, {
    complete: async () => {
      tries.push(world.clock.now())
      throw new Error('AccessDenied')
    },
  })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  // Its deadline has come. It is tried twice more at once, and then after a wait.
  await world.until((record) => record?.completionTries === 3)
  const { nextLookAt } = await world.record()
  await world.until((record) => record?.completionTries === 4)
  const late = present(tries[3], 'fourth try') - present(nextLookAt, 'next look')
  expect(Math.abs(late)).toBeLessThan(5 * seconds)
})

test('a retained instance whose termination keeps failing is said, and tried until it succeeds', async () => {
  const world = createWorld({
    config: {
      groups: [
        {
          name: 'media-servers',
          terminateHook: 'drain-calls',
          heartbeatTimeoutSeconds: 300,
          drainDeadlineSeconds: 600,
          deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
        },
      ],
    },
  })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.retainedAt !== undefined)
  const refusals = 12
  for (let refusal = 0; refusal < refusals; refusal++)
    world.memory.lifecycleActions.failNext('terminate', new Error('refused'))
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.lifecycleActions.terminated).toHaveLength(1)
  expect(world.memory.events.of('Lifecycle Action Completion Failed')).toHaveLength(1)
  expect(world.age()).toBeGreaterThan(refusals * seconds)
})

test('the hold of a drain that has ended was lifted then, and is kept from then on', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  const { hold } = present(await world.memory.store.drain(drainId), drainId)
  const lifted = await world.memory.store.hold(hold.source, hold.id, hold.subject)
  expect(lifted?.lifted?.at).toBeGreaterThan(hold.placedAt)
})
