import { expect, test } from 'vitest'
import { headOf, readingOf } from '../world/settle-world.ts'
import { command, createWorld, minutes, neighbour, seconds, server, type World } from '../world/world.ts'

const drain = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-drain-destination', { id: 'drain-1', ...changes })
const hold = 'operator/10.0.1.20:5060;udp/alice'
const settledEvents = (world: World) => world.memory.events.of('Command Settled')

/** Somebody has the lease of edge-b for that long. */
async function busy(world: World, ms: number) {
  const now = world.clock.now()
  const generation = await world.memory.store.takeEdge('edge-b', 'somebody', now, now + ms)
  if (generation === undefined) throw new Error('edge-b is not free')
  return () => world.memory.store.giveUpEdge('edge-b', generation, 0)
}

test('a command answers every edge by the first reading that knows its change, without waiting for the second', async () => {
  const world = createWorld()
  await world.settledAll()
  const from = world.age()
  expect(await world.command(drain())).toMatchObject({
    result: 'started',
    edges: ['edge-a', 'edge-b'].map((edge) => ({
      edge,
      outcome: 'applied',
      guarded: true,
      entries: expect.arrayContaining([{ set: 1, uri: server, before: 'AP', after: 'DX' }]),
    })),
  })
  expect(world.age() - from).toBeLessThan(2 * seconds)
  await world.settledAll()
  expect(await readingOf(world)).toMatchObject({ entries: [{ before: 'DX' }, { before: 'DX' }] })
  await world.reconcile()
  expect(settledEvents(world)).toEqual([])
  expect((await world.memory.store.pendingOutcomes()).outcomes).toEqual([])
})

test('what an edge showed before a change was made is no answer to it', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.pass(1 * minutes)
  await busy(world, 10 * minutes)
  expect(await world.command(command('command-activate', { id: 'activate-1' }))).toMatchObject({
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'pending' },
    ],
  })
})

test('an edge that is not read in time is pending, and its end is published once', async () => {
  const world = createWorld()
  await world.settledAll()
  const free = await busy(world, 10 * minutes)
  const from = world.clock.now()
  expect(await world.command(drain())).toMatchObject({
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'pending', entries: [], detail: expect.stringContaining('published') },
    ],
  })
  expect(world.clock.now() - from).toBeLessThanOrEqual(10 * seconds)
  world.stop()
  await world.reconcile()
  expect(settledEvents(world)).toEqual([])
  await free()
  for (const _ of [1, 2, 3]) {
    await world.pass(1 * minutes)
    await world.reconcile()
  }
  expect(settledEvents(world)).toEqual([
    {
      version: 1,
      id: 'drain-1',
      hold,
      answeredAt: expect.any(Number),
      edges: [expect.objectContaining({ edge: 'edge-b', guarded: true })],
    },
  ])
  expect((await world.memory.store.pendingOutcomes()).outcomes).toEqual([])
})

test('an edge that is away is said to be at once, and its end is published when it was read', async () => {
  const world = createWorld()
  await world.settledAll()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  expect(await world.command(drain())).toMatchObject({
    edges: [{ outcome: 'applied' }, { edge: 'edge-b', outcome: 'unreachable' }],
  })
  world.stop()
  await world.pass(5 * minutes)
  await world.reconcile()
  expect(settledEvents(world)).toEqual([])
  b.misbehaviour = {}
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(settledEvents(world)).toMatchObject([{ id: 'drain-1', edges: [{ edge: 'edge-b' }] }])
})

test('where an edge is removed meanwhile that is its end, and nothing of before is said of it', async () => {
  const world = createWorld()
  await world.settledAll()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.command(drain())
  world.stop()
  world.memory.fleet.list.pop()
  await world.pass(10 * seconds)
  for (const _ of [1, 2]) {
    await world.reconcile()
    await world.pass(1 * minutes)
  }
  expect(await headOf(world, 'edge-b')).toMatchObject({ removedAt: expect.any(Number) })
  expect(settledEvents(world)).toMatchObject([
    {
      id: 'drain-1',
      edges: [
        { edge: 'edge-b', outcome: 'unreachable', detail: expect.stringContaining('no longer configured') },
      ],
    },
  ])
})

test('the end is published again rather than never by a run that was killed', async () => {
  const world = createWorld()
  await world.settledAll()
  const free = await busy(world, 10 * minutes)
  await world.command(drain())
  world.stop()
  await free()
  await world.pass(1 * minutes)
  world.memory.store.failNext('dropPendingOutcome', new Error('killed'))
  await expect(world.reconcile()).rejects.toThrow('killed')
  await world.reconcile()
  await world.reconcile()
  expect(settledEvents(world)).toMatchObject([{ id: 'drain-1' }, { id: 'drain-1' }])
})

test('an activate that lifts two holds leaves one end for each, with each edge once', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.command(command('command-drain-instance', { id: 'drain-2' }))
  await world.pass(1 * minutes)
  const free = await busy(world, 10 * minutes)
  await world.command(command('command-activate', { id: 'activate-1', source: 'operator' }))
  world.stop()
  await free()
  await world.pass(1 * minutes)
  await world.reconcile()
  const ends = settledEvents(world)
  expect(ends.map(({ id, edges }) => [id, edges])).toMatchObject(
    ends.map(() => ['activate-1', [{ edge: 'edge-b' }]]),
  )
  expect(ends).toHaveLength(2)
})

test('one end that can not be published yet keeps no other', async () => {
  const world = createWorld()
  await world.settledAll()
  const free = await busy(world, 10 * minutes)
  await world.command(drain())
  await free()
  await world.settledAll()
  const a = world.edge('edge-a')
  a.misbehaviour = { unreachable: true }
  await world.command(drain({ id: 'drain-2', destination: neighbour }))
  world.stop()
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(settledEvents(world).map(({ id }) => id)).toEqual(['drain-1'])
})

test('an outcome that can not be read keeps no other one back; then publishing fails, and names it', async () => {
  const world = createWorld()
  await world.settledAll()
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.command(drain())
  world.stop()
  b.misbehaviour = {}
  await world.pass(1 * minutes)
  const { store } = world.memory
  const found = store.pendingOutcomes.bind(store)
  store.pendingOutcomes = async () => ({ ...(await found()), unread: ['PENDING/broken: hold: is missing'] })
  await expect(world.reconcile()).rejects.toThrow('PENDING/broken: hold: is missing')
  expect(settledEvents(world)).toEqual([expect.objectContaining({ id: 'drain-1' })])
})
