import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import { settleEdge, settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { drainedWorld, lists, twenty } from '../world/readings-world.ts'
import { found, holdOf, isFree, oneEdge, readingOf, want } from '../world/settle-world.ts'
import { createWorld, hours, minutes, neighbour, seconds, server } from '../world/world.ts'

test('while calls are up, twenty looks at once are answered by what is stored: no edge is asked', async () => {
  const { world, scaleIn } = await twenty()
  await scaleIn()
  await world.pass(30 * minutes)
  world.stop()
  await world.settle()
  await world.pass(20 * seconds)
  const inputs = world.executions.map(({ input }) => input)
  expect(inputs).toHaveLength(20)
  const before = world.edges.map(({ requests }) => lists(requests))
  await Promise.all(inputs.map((input) => look(world.ports, input)))
  expect(world.edges.map(({ requests }) => lists(requests))).toEqual(before)
  const looks = world.memory.events.of('Drain Progress').slice(-20)
  expect(looks.map(({ verdict }) => verdict)).toEqual(looks.map(() => 'draining'))
})

test('an edge rests 5 s between two readings, and nobody sleeps through it', async () => {
  const { world } = await oneEdge()
  await world.pass(1 * minutes)
  const from = world.clock.now()
  const readAt = new Set<number>()
  while (world.clock.now() < from + 20 * seconds) {
    const asked = world.clock.now()
    await settleFleet(world.ports, { notBefore: asked })
    expect(world.clock.now() - asked).toBeLessThanOrEqual(2 * seconds)
    readAt.add((await readingOf(world)).askedAt - from)
    await world.pass(500)
  }
  expect([...readAt]).toEqual([0, 5, 10, 15, 20].map((at) => at * seconds))
})

test('whoever comes while an edge is about to be read is answered by that reading', async () => {
  const { world, edge } = await oneEdge()
  await world.pass(1 * minutes)
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  await world.pass(4 * seconds)
  const before = lists(edge.requests)
  const waiting = settleFleet(world.ports, { notBefore: world.clock.now() })
  const others = await Promise.all(
    [1, 2, 3].map(() => settleFleet(world.ports, { notBefore: world.clock.now() })),
  )
  expect(others.flat()).toEqual([1, 2, 3].map(() => ({ edge, left: true })))
  await waiting
  expect(lists(edge.requests) - before).toBe(1)
})

test('whoever needs nothing newer than what is stored asks an edge nothing', async () => {
  const { world, edge } = await oneEdge()
  const at = world.clock.now()
  await world.pass(10 * seconds)
  expect(await settleFleet(world.ports)).toEqual([])
  expect(await settleFleet(world.ports, { notBefore: at })).toEqual([])
  expect(await readingOf(world)).toMatchObject({ askedAt: at })
  expect(edge.requests).toEqual([])
})

test('an edge with many holds rests longer', async () => {
  const many = Array.from({ length: 1000 }, (_, n) => ({
    set: 1,
    uri: `sip:10.1.${n >> 8}.${n & 255}:5060`,
  }))
  const { world } = await oneEdge({ file: many })
  await want(world, ...many.map(({ uri }) => holdOf(uri)))
  await settleFleet(world.ports)
  const { askedAt } = await readingOf(world)
  while ((await readingOf(world)).askedAt === askedAt) {
    const from = world.clock.now()
    await settleFleet(world.ports, { notBefore: from })
    // A reading, and no rest before it.
    expect(world.clock.now() - from).toBeLessThanOrEqual(4 * seconds)
    await world.pass(100)
  }
  expect((await readingOf(world)).askedAt - askedAt).toBe(6.5 * seconds)
})

test('a counter that rises wakes who lets an edge rest', async () => {
  const { world } = await oneEdge()
  await world.pass(1 * minutes)
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  await world.pass(3 * seconds)
  const resting = settleFleet(world.ports, { notBefore: world.clock.now() })
  await world.pass(1 * seconds)
  const since = await want(world, holdOf(server))
  await world.pass(2 * seconds)
  expect(await readingOf(world)).toMatchObject({ wanted: since, entries: [{ after: 'DX' }, { after: 'DX' }] })
  await resting
})

test('an edge that can not be read rests as well, also when something new is wanted of it', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  await settleFleet(world.ports)
  edge.misbehaviour = { faults: { 'dispatcher.list': 'malformed' } }
  await want(world, holdOf(neighbour))
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  const before = lists(edge.requests)
  const from = world.clock.now()
  while (world.clock.now() - from < 30 * seconds) {
    await settleFleet(world.ports, { notBefore: world.clock.now() })
    await world.pass(1 * seconds)
  }
  expect(lists(edge.requests) - before).toBeLessThanOrEqual(7)
})

test('who wants no newer answer than that an edge can not be read asks it nothing', async () => {
  const { world, edge } = await oneEdge()
  edge.misbehaviour = { faults: { 'dispatcher.list': 'refused' } }
  await world.pass(1 * minutes)
  const asked = world.clock.now()
  await settleFleet(world.ports, { notBefore: asked })
  const posts = edge.posts
  expect(await settleFleet(world.ports, { notBefore: asked })).toEqual([])
  expect(edge.posts).toBe(posts)
})

test("what is wanted after the holder's last look at the counter is done by the holder all the same", async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  const { store } = world.memory
  let taken: unknown
  let since = 0
  const { giveUpEdge } = store
  Object.assign(store, {
    giveUpEdge: async (...lease: Parameters<typeof giveUpEdge>) => {
      // It has looked for the last time; whoever comes now finds the lease taken, and leaves it to that run.
      if (since === 0) {
        since = await want(world, holdOf(neighbour))
        taken = await settleEdge(world.ports, edge)
      }
      return giveUpEdge(...lease)
    },
  })
  const result = await settleEdge(world.ports, edge)
  expect(taken).toMatchObject({ left: true })
  expect(found(result).wanted).toBe(since)
  expect(world.flags(neighbour)).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(await isFree(world)).toBe(true)
})

test('the edge of a run that was killed is read by the next one once its lease is over', async () => {
  const { world } = await drainedWorld()
  await world.pass(1 * hours)
  const now = world.clock.now()
  await world.memory.store.takeEdge('edge-a', 'killed', now, now + 18 * seconds)
  const before = await readingOf(world)
  await world.settle()
  expect(await readingOf(world)).toEqual(before)
  expect((await readingOf(world, 'edge-b')).askedAt).toBeGreaterThanOrEqual(now)
  // What it sent last may arrive for a while.
  await world.pass(now + 22 * seconds - world.clock.now())
  await world.settle()
  expect(await readingOf(world)).toEqual(before)
  await world.pass(1 * seconds)
  await world.settle()
  expect((await readingOf(world)).askedAt).toBeGreaterThanOrEqual(now + 23 * seconds)
})

test('a settle that is still going on is not waited for without end', async () => {
  const { world } = await drainedWorld()
  await world.pass(1 * hours)
  const now = world.clock.now()
  for (const { id } of world.edges) await world.memory.store.takeEdge(id, 'slow', now, now + 1 * hours)
  await world.settle()
  const input = world.payload()
  expect(await look(world.ports, input)).toMatchObject({ next: 'observe' })
  expect(world.clock.now() - now).toBeLessThan(40 * seconds)
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ verdict: 'unknown' })
})

test('while a call is up on one edge, a look asks the edges where one could not be read', async () => {
  const world = createWorld()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  a.callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.confirmedAt !== undefined)
  world.stop()
  b.misbehaviour = { unreachable: true }
  await world.pass(2 * minutes)
  await world.settle()
  b.misbehaviour = {}
  await world.pass(10 * seconds)
  const input = world.payload()
  await look(world.ports, input)
  expect(world.memory.settles.asked.at(-1)).toMatchObject({ notBefore: expect.any(Number) })
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ verdict: 'draining', unknown: [] })
})

test('nobody takes the lease of an edge that rests', async () => {
  const { world } = await oneEdge()
  await world.pass(1 * minutes)
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  const { takeEdge } = world.memory.store
  let taken = 0
  Object.assign(world.memory.store, {
    takeEdge: (...lease: Parameters<typeof takeEdge>) => {
      taken += 1
      return takeEdge(...lease)
    },
  })
  await world.pass(1 * seconds)
  expect(await settleFleet(world.ports, { notBefore: world.clock.now() })).toEqual([])
  expect(taken).toBe(0)
})

test('where the schedule does not read them, looks ask the edges with calls themselves', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.confirmedAt !== undefined)
  world.stop()
  await world.settle()
  const input = world.payload()
  const asked = async (ms: number) => {
    await world.pass(ms)
    const before = world.memory.settles.asked.length
    await look(world.ports, input)
    return world.memory.settles.asked.length - before
  }
  expect(await asked(20 * seconds)).toBe(0)
  expect(await asked(20 * seconds)).toBeGreaterThan(0)
})
