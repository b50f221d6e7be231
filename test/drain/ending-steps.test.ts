import { expect, test } from 'vitest'
import { holdKey } from '../../functions/control/hold.ts'
import { holdOf, lifted, oneEdge, readingOf, takenOver, want } from '../world/settle-world.ts'
import { createWorld, minutes, seconds, server, type World } from '../world/world.ts'

const hold = holdKey(holdOf(server))
/** The step that a look asks for now. */
const stepOf = (world: World, shares: Readonly<Record<string, number>> = { 'edge-a': 2 }) =>
  ({ kind: 'settle', endCalls: { hold, step: world.clock.now(), shares } }) as const
const callsUp = (world: World) => world.edges.map((edge) => edge.truth().calls)
const endedOn = async (world: World, edge = 'edge-a') => (await readingOf(world, edge)).ended?.[hold]

/** One edge with five calls of a held server. */
async function held() {
  const { world, edge } = await oneEdge()
  for (let call = 0; call < 5; call += 1) edge.callTo(server)
  await want(world, holdOf(server))
  await world.settle({ kind: 'settle' })
  return { world, edge }
}

test('a step ends its share of calls on each edge, says how many, and has the rest counted', async () => {
  const world = createWorld()
  await world.settledAll()
  for (const edge of world.edges) for (let call = 0; call < 5; call += 1) edge.callTo(server)
  await want(world, holdOf(server))
  await world.settle({ kind: 'settle' })
  await world.settle(stepOf(world, { 'edge-a': 2, 'edge-b': 0 }))
  expect(callsUp(world)).toEqual([3, 5])
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 2 })
  expect(await endedOn(world, 'edge-b')).toBe(undefined)
  expect((await readingOf(world)).holds[hold]?.counted.count).toMatchObject({ calls: 3 })
  await world.pass(5 * seconds)
  await world.settle(stepOf(world, { 'edge-a': 2, 'edge-b': 1 }))
  expect(callsUp(world)).toEqual([1, 4])
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 4 })
})

test('a step whose request comes twice, late, or twice at once is done once', async () => {
  const { world } = await held()
  const step = stepOf(world)
  await Promise.all([world.settle(step), world.settle(step)])
  expect(callsUp(world)).toEqual([3])
  await world.settle(step)
  await world.pass(1 * minutes)
  await world.settle(step)
  expect(callsUp(world)).toEqual([3])
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 2 })
})

test('steps that had to wait for the edge do not end their shares one right after the other', async () => {
  const { world } = await held()
  const first = stepOf(world)
  await world.pass(1 * seconds)
  await world.settle(first)
  await world.settle(stepOf(world))
  expect(callsUp(world)).toEqual([3])
  const late = stepOf(world)
  await world.pass(6 * seconds)
  await world.settle(late)
  expect(callsUp(world)).toEqual([3])
  await world.settle(stepOf(world))
  expect(callsUp(world)).toEqual([1])
})

test('a step whose run was killed between its record and its BYEs ends no call, also when it comes again', async () => {
  const { world } = await held()
  world.memory.store.failNext('putReading', new Error('killed'), 'after')
  const step = stepOf(world)
  await expect(world.settle(step)).rejects.toThrow('killed')
  expect(callsUp(world)).toEqual([5])
  expect(await endedOn(world)).toMatchObject({ ended: 0, total: 0 })
  await world.settle(step)
  expect(callsUp(world)).toEqual([5])
  await world.pass(5 * seconds)
  await world.settle(stepOf(world))
  expect(callsUp(world)).toEqual([3])
})

test('a step whose run was killed before its record is done when it comes again', async () => {
  const { world } = await held()
  world.memory.store.failNext('putReading', new Error('killed'))
  const step = stepOf(world)
  await expect(world.settle(step)).rejects.toThrow('killed')
  expect(callsUp(world)).toEqual([5])
  await world.settle(step)
  expect(callsUp(world)).toEqual([3])
})

test('a run that has lost its lease ends no call', async () => {
  const { world } = await held()
  const { reading } = world.memory.store
  Object.assign(world.memory.store, {
    reading: async (id: string) => {
      await takenOver(world)
      return reading(id)
    },
  })
  await world.settle(stepOf(world))
  expect(callsUp(world)).toEqual([5])
})

test('an edge that ends none is said why, and is settled all the same', async () => {
  const { world, edge } = await held()
  const before = await readingOf(world)
  edge.misbehaviour = { faults: { 'dlg.profile_list': 'refused' } }
  await world.settle(stepOf(world))
  expect(await endedOn(world)).toMatchObject({ ended: 0, total: 0, failed: expect.any(String) })
  expect((await readingOf(world)).askedAt).toBeGreaterThan(before.askedAt)
  edge.misbehaviour = {}
  await world.pass(5 * seconds)
  await world.settle(stepOf(world))
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 2 })
})

test('a step waits for another run that has the edge, and that run does not rest then', async () => {
  const { world } = await held()
  const other = world.settle({ kind: 'settle', notBefore: world.clock.now() })
  // As whoever asks for a step does: an edge that rests is given up.
  await world.memory.store.raiseWanted()
  await world.settle(stepOf(world))
  await other
  expect(callsUp(world)).toEqual([3])
})

test('no call of a hold that was lifted meanwhile, or that nobody knows, is ended', async () => {
  const { world } = await held()
  await want(world, lifted(server))
  await world.settle(stepOf(world))
  const unknown = {
    kind: 'settle',
    endCalls: { hold: 'operator/x', step: 1, shares: { 'edge-a': 2 } },
  } as const
  await world.settle(unknown)
  expect(callsUp(world)).toEqual([5])
})

test('what was ended stays known while the hold is in force, and goes with it', async () => {
  const { world, edge } = await held()
  await world.settle(stepOf(world))
  await world.pass(1 * minutes)
  await world.settle()
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 2 })
  edge.misbehaviour = { unreachable: true }
  await world.pass(1 * minutes)
  await world.settle()
  edge.misbehaviour = {}
  await world.pass(1 * minutes)
  await world.settle()
  expect(await endedOn(world)).toMatchObject({ ended: 2, total: 2 })
  await want(world, lifted(server))
  await world.settle({ kind: 'settle' })
  expect(await readingOf(world)).not.toHaveProperty('ended')
})
