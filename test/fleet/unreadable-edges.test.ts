import { expect, test } from 'vitest'
import { StoreConflict } from '../../functions/control/errors.ts'
import { look } from '../../functions/drain/look.ts'
import { settleEdge, settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { headOf, holdOf, oneEdge, readingOf, want } from '../world/settle-world.ts'
import { command, createWorld, minutes, neighbour, seconds, server, type World } from '../world/world.ts'

/** Whatever `method` of the store is asked about edge-a, it can't read its row. */
function spoil(world: World, method: 'reading' | 'listing' | 'edgeRecords' | 'putReading') {
  const { store } = world.memory
  const given = store[method] as (...args: unknown[]) => Promise<unknown>
  Object.assign(store, {
    [method]: async (...args: unknown[]) => {
      if (args[0] === 'edge-a') throw new StoreConflict(`EDGE#edge-a is not as it must be`)
      return given(...args)
    },
  })
}

test('its head says since when an edge can not be read, when it was tried last, and why', async () => {
  const { world, edge } = await oneEdge()
  const { wanted, askedAt, description } = await readingOf(world)
  await world.pass(1 * minutes)
  edge.misbehaviour = { unreachable: true }
  const times: number[] = []
  for (const _ of [1, 2, 3]) {
    await world.settle()
    times.push(world.clock.now())
    expect(await headOf(world)).toEqual({
      ...{ edge: 'edge-a', wanted, askedAt, bootId: description.bootId },
      unreadable: {
        since: times[0],
        at: times.at(-1),
        passes: true,
        reason: expect.stringContaining('no answer'),
      },
    })
    await world.pass(1 * minutes)
  }
  edge.misbehaviour = {}
  await world.settle()
  expect(await headOf(world)).not.toHaveProperty('unreadable')
  await world.pass(1 * minutes)
  edge.misbehaviour = { faults: { 'dispatcher.list': 'empty-list' } }
  await world.settle()
  expect(await headOf(world)).toMatchObject({ unreadable: { since: world.clock.now(), passes: false } })
})

test('an edge that could be read at first, and not a second time, is unreadable since then', async () => {
  const { world, edge } = await oneEdge()
  edge.misbehaviour = { unreachable: true }
  await world.pass(1 * minutes)
  await world.settle()
  edge.misbehaviour = {}
  await world.pass(1 * minutes)
  const since = await want(world, holdOf(server))
  const running = settleFleet(world.ports)
  await world.pass(1 * seconds)
  edge.misbehaviour = { unreachable: true }
  await running
  const now = world.clock.now()
  expect(await headOf(world)).toMatchObject({ wanted: since, unreadable: { since: now, at: now } })
})

test('what was read before stays known', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  await world.settle()
  const before = { reading: await readingOf(world), listing: await world.memory.store.listing('edge-a') }
  expect(before.listing).toBeDefined()
  edge.misbehaviour = { unreachable: true }
  await want(world, holdOf(neighbour))
  for (const _ of [1, 2]) {
    await world.pass(1 * minutes)
    await world.settle()
  }
  expect({ reading: await readingOf(world), listing: await world.memory.store.listing('edge-a') }).toEqual(
    before,
  )
})

test('an edge that is new has a head at once, which says that nobody has read it', async () => {
  const world = createWorld()
  await world.settledAll()
  const c = world.newEdge({ id: 'edge-c' })
  c.misbehaviour = { unreachable: true }
  world.memory.fleet.list.push(c)
  const running = world.settle()
  await world.pass(1 * seconds)
  expect(await headOf(world, 'edge-c')).toEqual({
    ...{ edge: 'edge-c', wanted: -1, askedAt: 0 },
    unreadable: { since: world.startedAt, at: 0, passes: true, reason: 'it was not read yet' },
  })
  await running
  c.misbehaviour = {}
  await world.pass(10 * seconds)
  await world.settle()
  expect(await headOf(world, 'edge-c')).toMatchObject({ wanted: 0 })
})

test('an edge that is configured no more is marked, and read anew when it comes back', async () => {
  const world = createWorld()
  await world.settledAll()
  const b = world.edge('edge-b')
  world.memory.fleet.list.pop()
  await world.pass(1 * minutes)
  await world.settle()
  const removedAt = world.clock.now()
  await world.pass(1 * minutes)
  await world.settle()
  expect(await headOf(world, 'edge-b')).toEqual({
    edge: 'edge-b',
    wanted: 0,
    askedAt: world.startedAt,
    removedAt,
  })
  world.memory.fleet.list.push(b)
  b.forgetRequests()
  await settleFleet(world.ports)
  expect(b.requests).toContain('dispatcher.list')
  expect(await headOf(world, 'edge-b')).toEqual({
    ...{ edge: 'edge-b', wanted: 0, askedAt: world.clock.now() },
    bootId: (await readingOf(world, 'edge-b')).description.bootId,
  })
})

test.each(['reading', 'listing', 'edgeRecords'] as const)(
  'what is wrong with the stored %s of one edge keeps no other from being settled, counted or answered for',
  async (what) => {
    const world = createWorld()
    await world.settledAll()
    const call = world.edge('edge-b').callTo(server)
    spoil(world, what)
    await world.pass(1 * minutes)
    await world.settle()
    expect(await headOf(world)).toMatchObject({ unreadable: { since: world.clock.now() } })
    expect(await world.command(command('command-drain-destination'))).toMatchObject({
      edges: [
        { edge: 'edge-a', outcome: 'unreachable', detail: expect.stringContaining('not as it must be') },
        { edge: 'edge-b', outcome: 'applied' },
      ],
    })
    world.stop()
    await world.pass(1 * minutes)
    await world.reconcile()
    expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
    const counted = world.memory.metrics.counted
    expect(counted.filter(({ name }) => name === 'EdgesUnreachable').at(-1)).toMatchObject({ value: 1 })
    const input = world.payload()
    expect(await look(world.ports, { ...input, next: 'observe' })).toMatchObject({ next: 'observe' })
    expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ callsLeft: 1 })
    world.edge('edge-b').hangUp(call)
  },
)

test('a reading that can not be stored in time is no reading', async () => {
  const { world } = await oneEdge()
  const before = await readingOf(world)
  await want(world, holdOf(server))
  world.memory.store.failNext('putReading', new Error('throttled'))
  const edge = world.edge('edge-a')
  await expect(settleEdge(world.ports, edge)).rejects.toThrow('throttled')
  expect(await readingOf(world)).toEqual(before)
  expect(await headOf(world)).not.toHaveProperty('unreadable')
})
