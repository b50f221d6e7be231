import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { Boots } from '../../functions/fleet/boots.ts'
import { Lease } from '../../functions/fleet/edge-lease.ts'
import { headOf as headOfReading } from '../../functions/fleet/settle.ts'
import { settleEdge, settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { present } from '../present.ts'
import {
  atFirst,
  found,
  headOf,
  holdOf,
  isFree,
  late,
  lifted,
  oneEdge,
  readingOf,
  rpcTimeout,
  takenOver,
  want,
} from '../world/settle-world.ts'
import { createWorld, everywhere, isWrite, neighbour, seconds, server } from '../world/world.ts'

test('one run at a time writes to an edge; others leave it to that one at once', async () => {
  const { world, edge } = await oneEdge()
  const alone = await oneEdge()
  await want(alone.world, holdOf(server))
  await settleEdge(alone.world.ports, alone.edge)
  const since = await want(world, holdOf(server))
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => settleEdge(world.ports, edge)))
  expect(found(first).wanted).toBe(since)
  expect(others).toEqual([
    { edge, left: true },
    { edge, left: true },
  ])
  expect(edge.posts).toBe(alone.edge.posts)
})

test('a change that the running one does not know yet makes it go round, under the same lease', async () => {
  const { world, edge } = await oneEdge()
  const first = await want(world, holdOf(server))
  atFirst(edge, 'write', async () => {
    await want(world, holdOf(neighbour))
    expect(await settleEdge(world.ports, edge)).toMatchObject({ left: true })
  })
  expect(found(await settleEdge(world.ports, edge)).wanted).toBe(first + 1)
  expect(world.flags(neighbour)).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  // The second lease of this edge: it was read once before.
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(3)
})

test('a slow edge keeps only its own settle waiting', async () => {
  const world = createWorld()
  await world.settledAll()
  world.edge('edge-a').misbehaviour = { unreachable: true }
  await want(world, holdOf(server))
  const running = settleFleet(world.ports)
  await world.pass(2.5 * seconds)
  expect(await readingOf(world, 'edge-b')).toMatchObject({ entries: [{ after: 'DX' }, { after: 'DX' }] })
  expect(await isFree(world, 'edge-b')).toBe(true)
  expect(await running).toMatchObject([{ error: { fault: 'unreachable' } }, { reading: {} }])
  expect(world.age()).toBe(rpcTimeout)
})

test('the lease of a run that was killed is taken when its last request can arrive no more', async () => {
  const { world, edge } = await oneEdge()
  const since = await want(world, holdOf(server))
  const now = world.clock.now()
  await world.memory.store.takeEdge('edge-a', 'killed', now, now + 10 * seconds)
  const running = settleEdge(world.ports, edge, { waits: true })
  await world.pass(10 * seconds + late - 1)
  expect(edge.requests).toEqual([])
  expect(found(await running).wanted).toBe(since)
  // Two readings, 2 s apart.
  expect(world.age()).toBeLessThan(10 * seconds + late + 5 * seconds)
})

test('whoever does not wait is told at once that another run has the edge; whoever waits, in the end', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  await world.memory.store.takeEdge('edge-a', 'somebody', world.clock.now(), Number.MAX_SAFE_INTEGER)
  expect(await settleEdge(world.ports, edge)).toMatchObject({ left: true })
  expect(world.age()).toBe(0)
  expect(await settleEdge(world.ports, edge, { waits: true })).toMatchObject({ left: true })
  expect(world.age()).toBe(6 * rpcTimeout)
  expect(edge.requests).toEqual([])
})

test('an edge that has seen a later generation: it is raised above that, in the store first, and the run goes on', async () => {
  const { world, edge } = await oneEdge()
  const since = await want(world, holdOf(server))
  await edge.under(40).boot()
  const seen: string[] = []
  const { store } = world.memory
  const ports = {
    ...world.ports,
    store: new Proxy(store, {
      get: (target, name) =>
        name !== 'raiseGeneration'
          ? Reflect.get(target, name)
          : async (...lease: Parameters<typeof target.raiseGeneration>) => {
              const raised = await target.raiseGeneration(...lease)
              seen.push(`raised to ${raised} when ${edge.requests.length} had been executed`)
              return raised
            },
    }),
  }
  expect(found(await settleEdge(ports, edge)).wanted).toBe(since)
  expect(seen).toEqual(['raised to 41 when 1 had been executed'])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(await store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(42)
})

test('a run that has lost its lease ends, and writes nothing: neither to the edge nor to the store', async () => {
  const { world, edge } = await oneEdge()
  const before = await readingOf(world)
  await want(world, holdOf(server))
  atFirst(edge, 'list', () => takenOver(world))
  expect(await settleEdge(world.ports, edge)).toMatchObject({ error: { fault: 'busy' } })
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(await world.memory.store.edgeRecords('edge-a')).toBe(undefined)
  expect(await readingOf(world)).toEqual(before)
  expect(await headOf(world)).toEqual(headOfReading(before))
  // Giving up what it had takes nothing from its successor.
  expect(await isFree(world)).toBe(false)
})

test('a reading that was made when the lease was lost is not stored', async () => {
  const { world, edge } = await oneEdge()
  const before = await readingOf(world)
  edge.change(({ countAndBoot }) => ({
    countAndBoot: async (subjects) => {
      await takenOver(world)
      return countAndBoot(subjects)
    },
  }))
  await want(world, holdOf(server))
  expect(await settleEdge(world.ports, edge)).toMatchObject({
    error: { message: expect.stringContaining('lost to another run') },
  })
  expect(await readingOf(world)).toEqual(before)
})

test('what arrives after a successor has asked is refused by the edge, and its run raises nothing', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  atFirst(edge, 'write', async () => {
    await edge.under(await takenOver(world)).boot()
  })
  expect(await settleEdge(world.ports, edge)).toMatchObject({ error: { fault: 'stale' } })
  expect(await headOf(world)).not.toHaveProperty('unreadable')
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
})

test('a write without an answer may arrive yet: its run waits until that can be no more where no fence refuses it, and what arrived is given back', async () => {
  const { world, edge } = await oneEdge({ rpcFile: 'none' })
  atFirst(edge, 'write', () => {
    edge.misbehaviour = { executesAfterMs: rpcTimeout + 1.5 * seconds }
    world.clock.at(world.clock.now() + 1, () => {
      edge.misbehaviour = {}
    })
  })
  await want(world, holdOf(server))
  world.clock.at(world.clock.now() + 1 * seconds, () => void want(world, lifted(server)))
  const began = world.clock.now()
  await settleEdge(world.ports, edge)
  expect(world.clock.now() - began).toBeGreaterThanOrEqual(late)
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  await want(world)
  await settleEdge(world.ports, edge, { waits: true })
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(edge.truth().held).toEqual([])
  expect(await world.memory.store.edgeRecords('edge-a')).toEqual([])
})

test('what is done first is done under the lease, also where every change is known; and then the edge is settled', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  const order: string[] = []
  edge.change(({ list }) => ({
    list: () => {
      order.push('list')
      return list()
    },
  }))
  const first = (name: string) => async () => {
    order.push(`${name} begins`)
    await world.pass(1 * seconds)
    order.push(`${name} ends`)
  }
  await Promise.all(
    ['a', 'b'].map((name) => settleEdge(world.ports, edge, { waits: true, first: first(name) })),
  )
  // It is read twice in any case: what was done first may take effect after it was answered.
  expect(order).toEqual([
    ...['a begins', 'a ends', 'list', 'list', 'list'],
    ...['b begins', 'b ends', 'list', 'list'],
  ])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('what is done first and fails is why the edge is not settled', async () => {
  const { world, edge } = await oneEdge()
  const first = () => Promise.reject(new EdgeError('edge-a', 'refused', 'planted'))
  await want(world, holdOf(server))
  expect(await settleEdge(world.ports, edge, { first })).toMatchObject({
    error: { message: expect.stringContaining('planted') },
  })
  expect(world.flags()).not.toEqual(everywhere('DX'))
  expect(await isFree(world)).toBe(true)
})

test('a zero of before a server was found open proves nothing, whichever run disabled it again', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', guard: false }] })
  const edge = world.edge('edge-a')
  await world.scaleIn()
  await world.until((record) => record?.edges['edge-a']?.zero !== undefined)
  for (const set of [1, 2]) edge.strangerSets('a', set, server)
  const openAt = world.age()
  await want(world)
  await settleFleet(world.ports)
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()[0]?.at).toBeGreaterThan(openAt + 12 * seconds)
})

test('a generation at the limit can not be outdone: the edge is refused, and the lease is given up as it was', async () => {
  const { world, edge } = await oneEdge()
  await edge.under(999_999_999_999_999).list()
  await want(world, holdOf(server))
  const result = await settleEdge(world.ports, edge)
  expect('error' in result && result.error.fault).toBe('stale')
  // The second lease of this edge: it was read once before.
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(3)
})

test('a URI that an edge can not be asked about keeps no other from being held', async () => {
  const { world, edge } = await oneEdge()
  edge.change((each) => ({
    readGuards: async (uris) => {
      const shown = await each.readGuards(uris)
      return uris.map((uri, index) =>
        uri === neighbour
          ? new EdgeError('edge-a', 'refused', 'it can not be sent')
          : (shown[index] ?? false),
      )
    },
  }))
  await want(world, holdOf(server), holdOf(neighbour))
  await settleFleet(world.ports)
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('a run that fails ends when nothing of it is at work any more, and what it has read is kept', async () => {
  const { world, edge } = await oneEdge()
  await world.pass(60 * seconds)
  const since = await want(world, holdOf(server))
  world.memory.instances.failNext('inGroups', new Error('RequestLimitExceeded'))
  await expect(world.settle()).rejects.toThrow('RequestLimitExceeded')
  expect(await readingOf(world)).toMatchObject({ wanted: since, entries: [{ after: 'DX' }, { after: 'DX' }] })
  const { posts } = edge
  await world.pass(10 * seconds)
  expect(edge.posts).toBe(posts)
})

test('a lease is extended while its run works: nobody takes the edge of one that is slow', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  edge.misbehaviour = { latencyMs: 2900 }
  const began = world.clock.now()
  const running = settleEdge(world.ports, edge)
  const free: number[] = []
  for (let at = 1; at <= 20; at += 1) {
    await world.pass(1 * seconds)
    const isFree = await world.memory.store.takeEdge('edge-a', 'other', world.clock.now(), 0)
    if (isFree !== undefined) free.push(world.clock.now() - began)
  }
  expect(free).toEqual([])
  expect(found(await running).wanted).toBe(await world.memory.store.wanted())
  expect(world.clock.now() - began).toBeGreaterThan(12 * seconds)
})

test('a lease is not extended without end', async () => {
  const { world, edge } = await oneEdge()
  const lease = present(await Lease.take(world.ports, edge, 'slow', late, new Boots([])), 'free lease')
  await lease.ask((own) => own.boot())
  await world.pass(58 * seconds)
  const { requests } = edge
  const before = requests.length
  await expect(lease.ask((own) => own.boot())).rejects.toThrow('too slowly')
  expect(requests).toHaveLength(before)
})
