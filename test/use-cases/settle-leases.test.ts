import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { resultFor } from '../../functions/use-cases/edges.ts'
import { type SettleResult, settle, settleEdge } from '../../functions/use-cases/settle.ts'
import { atFirst, found, holdOf, late, lifted, oneEdge, rpcTimeout, takenOver, want } from './settle-world.ts'
import { createWorld, everywhere, isWrite, neighbour, seconds, server } from './world.ts'

test('one run at a time writes to an edge; others are answered by what it finds when that knows their change', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  const alone = oneEdge()
  await settle(alone.world.ports, [alone.edge], await want(alone.world, holdOf(server)))
  const results = await Promise.all([1, 2, 3].map(() => settleEdge(world.ports, edge, since)))
  expect(results.map(found)).toEqual([1, 2, 3].map(() => found(results[0])))
  expect(edge.posts).toBe(alone.edge.posts)
})

test('a change that the running one does not know yet makes it go round, and whoever made it is answered by that', async () => {
  const { world, edge } = oneEdge()
  const first = await want(world, holdOf(server))
  let second: Promise<SettleResult> | undefined
  atFirst(edge, 'write', async () => {
    second = settleEdge(world.ports, edge, await want(world, holdOf(neighbour)))
  })
  expect(found(await settleEdge(world.ports, edge, first)).wanted).toBe(first + 1)
  expect(found(await second)).toMatchObject({ wanted: first + 1 })
  expect(world.flags(neighbour)).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(2)
})

test('a slow edge keeps only its own settle waiting', async () => {
  const world = createWorld()
  const [a, b] = world.edges
  if (!a || !b) throw new Error('two edges are needed')
  a.misbehaviour = { unreachable: true }
  const done: string[] = []
  const since = await want(world, holdOf(server))
  const each = [a, b].map(async (edge) => {
    await settleEdge(world.ports, edge, since)
    done.push(`${edge.id} after ${world.age()}`)
  })
  await Promise.all(each)
  expect(done).toEqual(['edge-b after 0', 'edge-a after 3000'])
})

test('the lease of a run that was killed is taken when its last request can arrive no more', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  const now = world.clock.now()
  await world.memory.store.takeEdge('edge-a', 'killed', now, now + 10 * seconds)
  const running = settleEdge(world.ports, edge, since)
  await world.pass(10 * seconds + late - 1)
  expect(edge.requests).toEqual([])
  expect(found(await running).wanted).toBe(since)
  expect(world.age()).toBeLessThan(10 * seconds + late + 2 * seconds)
})

test('whoever does not wait is told at once that another run has the edge; whoever waits, in the end', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  await world.memory.store.takeEdge('edge-a', 'somebody', world.clock.now(), Number.MAX_SAFE_INTEGER)
  expect(await settleEdge(world.ports, edge, since, { waits: false })).toMatchObject({
    error: { fault: 'busy' },
  })
  expect(world.age()).toBe(0)
  expect(await settleEdge(world.ports, edge, since)).toMatchObject({ error: { fault: 'busy' } })
  expect(edge.requests).toEqual([])
})

test('an edge that has seen a later generation: it is raised above that, in the store first, and the run goes on', async () => {
  const { world, edge } = oneEdge()
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
  expect(found(await settleEdge(ports, edge, since)).wanted).toBe(since)
  expect(seen).toEqual(['raised to 41 when 1 had been executed'])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(await store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(42)
})

test('a run that has lost its lease ends, and writes nothing: neither to the edge nor to the store', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  atFirst(edge, 'list', () => takenOver(world))
  const result = await settleEdge(world.ports, edge, since)
  expect(result).toMatchObject({ error: { fault: 'busy' } })
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(await world.memory.store.edgeRecords('edge-a')).toBe(undefined)
  expect(await world.memory.store.settled('edge-a')).toBe(undefined)
  // Giving up what it had takes nothing from its successor.
  expect(await world.memory.store.takeEdge('edge-a', 'third', world.clock.now(), 0)).toBe(undefined)
})

test('what arrives after a successor has asked is refused by the edge, and its run raises nothing', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  atFirst(edge, 'write', async () => {
    const generation = await takenOver(world)
    await edge.under(generation ?? 0).boot()
  })
  const result = await settleEdge(world.ports, edge, since)
  expect(result).toMatchObject({ error: { fault: 'stale' } })
  expect(resultFor(result, holdOf(server))).toMatchObject({ outcome: 'unreachable' })
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
})

test('a write without an answer may arrive yet: whoever comes next waits where no fence refuses it, and what arrived is given back', async () => {
  const { world, edge } = oneEdge({ rpcFile: 'none' })
  const since = await want(world, holdOf(server))
  atFirst(edge, 'write', () => {
    edge.misbehaviour = { executesAfterMs: rpcTimeout + 1.5 * seconds }
    world.clock.at(world.clock.now() + 1, () => {
      edge.misbehaviour = {}
    })
  })
  await want(world, holdOf(server))
  world.clock.at(world.clock.now() + 1 * seconds, () => void want(world, lifted(server)))
  await settleEdge(world.ports, edge, since)
  const ended = world.clock.now()
  await settleEdge(world.ports, edge, await want(world))
  expect(world.clock.now() - ended).toBeGreaterThanOrEqual(late)
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(edge.truth().held).toEqual([])
  expect(await world.memory.store.edgeRecords('edge-a')).toEqual([])
})

test('what is done first is done under the lease, also where another run knows every change; and then the edge is settled', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
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
  await Promise.all(['a', 'b'].map((name) => settleEdge(world.ports, edge, since, { first: first(name) })))
  expect(order).toEqual(['a begins', 'a ends', 'list', 'list', 'b begins', 'b ends', 'list'])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('what is done first and fails is why the edge is not settled', async () => {
  const { world, edge } = oneEdge()
  const first = () => Promise.reject(new EdgeError('edge-a', 'refused', 'planted'))
  expect(await settleEdge(world.ports, edge, await want(world, holdOf(server)), { first })).toMatchObject({
    error: { message: expect.stringContaining('planted') },
  })
  expect(world.flags()).not.toEqual(everywhere('DX'))
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBeDefined()
})

test('a zero of before a server was found open proves nothing, whichever run disabled it again', async () => {
  const world = createWorld({ edges: [{ id: 'edge-a', guard: false }] })
  const [edge] = world.edges
  if (!edge) throw new Error('no edge')
  await world.scaleIn()
  await world.until((record) => record?.edges['edge-a']?.zero !== undefined)
  for (const set of [1, 2]) edge.strangerSets('a', set, server)
  const openAt = world.age()
  await settle(world.ports, [edge], await want(world))
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  await world.until((record) => record?.state === 'retired')
  expect(world.ended()[0]?.at).toBeGreaterThan(openAt + 12 * seconds)
})

test('a generation at the limit can not be outdone: the edge is refused, and the lease is given up as it was', async () => {
  const { world, edge } = oneEdge()
  await edge.under(999_999_999_999_999).list()
  const result = await settleEdge(world.ports, edge, await want(world, holdOf(server)))
  expect('error' in result && result.error.fault).toBe('stale')
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBe(2)
})

test('a URI that an edge can not be asked about keeps no other from being held', async () => {
  const { world, edge } = oneEdge()
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
  await settle(world.ports, [edge], await want(world, holdOf(server), holdOf(neighbour)))
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('a round that fails ends when nothing of it is at work any more', async () => {
  const { world, edge } = oneEdge()
  await want(world, holdOf(server))
  world.memory.instances.failNext('gone', new Error('RequestLimitExceeded'))
  await expect(world.reconcile()).rejects.toThrow('RequestLimitExceeded')
  const { posts } = edge
  await world.pass(10 * seconds)
  expect(edge.posts).toBe(posts)
})
