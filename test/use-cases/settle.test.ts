import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import type { Hold } from '../../functions/control/hold.ts'
import { resultFor } from '../../functions/use-cases/edges.ts'
import { type SettleResult, settle, settleEdge } from '../../functions/use-cases/settle.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import type { MemoryEdgeOptions } from '../memory/edge-options.ts'
import {
  createWorld,
  everywhere,
  isWrite,
  neighbour,
  seconds,
  server,
  verbatim,
  type World,
} from './world.ts'

const rpcTimeout = 3 * seconds
/** how long a lease is after which nobody gave it up */
const late = rpcTimeout + 2 * seconds

function holdOf(text: string, changes: Partial<Hold> = {}): Hold {
  const uri = verbatim(text)
  return {
    source: 'operator',
    id: text,
    subject: { kind: 'uri', uri },
    uris: [uri],
    addresses: [],
    wholeInstance: false,
    who: 'alice',
    why: 'disk failing',
    placedAt: 1,
    order: '1',
    ...changes,
  }
}

/** Writes down what is wanted, as every trigger does. @returns the counter that knows it */
async function want(world: World, ...holds: readonly Hold[]): Promise<number> {
  for (const hold of holds) await world.memory.store.putHold(hold)
  return world.memory.store.raiseWanted()
}
const lifted = (text: string) => holdOf(text, { order: '2', lifted: { at: 2, by: 'bob' } })

/** One edge whose every answer takes a while. */
function oneEdge(options: Partial<MemoryEdgeOptions> = {}): { world: World; edge: MemoryEdge } {
  const world = createWorld({ edges: [{ id: 'edge-a', ...options }] })
  const [edge] = world.edges
  if (!edge) throw new Error('no edge')
  edge.misbehaviour = { latencyMs: 100 }
  return { world, edge }
}

/** Does `work` once, when the edge is asked for `method` under a lease for the first time. */
function atFirst(edge: MemoryEdge, method: 'list' | 'write', work: () => unknown): void {
  let isDone = false
  edge.change((each) => ({
    [method]: async (...args: never[]) => {
      if (!isDone) {
        isDone = true
        await work()
      }
      return (each[method] as (...args: never[]) => unknown)(...args)
    },
  }))
}

/** Somebody else gets the lease, long after ours has ended. */
const takenOver = (world: World) =>
  world.memory.store.takeEdge('edge-a', 'successor', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

const found = (result: SettleResult | undefined) => {
  if (result && 'settled' in result) return result.settled
  throw result?.error ?? new Error('no result')
}

test('an edge is brought to what is wanted: guard and states, each set, read back, and what was there is on record', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  const [result] = await settle(world.ports, [edge], since)
  expect(found(result)).toMatchObject({
    wanted: since,
    guarded: [server],
    entries: expect.arrayContaining([
      expect.objectContaining({ group: 1, uri: server, before: 'AP', after: 'DX' }),
      expect.objectContaining({ group: 2, uri: server, before: 'IP', after: 'DX' }),
    ]),
  })
  expect(await world.memory.store.settled('edge-a')).toEqual(found(result))
  expect(await world.formerFlags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(edge.requests.slice(0, 3)).toEqual(['core.uptime', 'dispatcher.list', `htable.get held ${server}`])
  expect(edge.requests.filter(isWrite)[0]).toBe(`htable.seti held ${server} 1`)
})

test('at rest nothing is written', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  await settle(world.ports, [edge], since)
  const writes = edge.requests.filter(isWrite).length
  await settle(world.ports, [edge], since)
  expect(edge.requests.filter(isWrite)).toHaveLength(writes)
})

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

test('an edge that can not be read is said to be, and what was found before stays known', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  const before = found(await settleEdge(world.ports, edge, since))
  edge.misbehaviour = { unreachable: true }
  const result = await settleEdge(world.ports, edge, await want(world))
  expect(result).toMatchObject({ error: { fault: 'unreachable' } })
  expect(resultFor(result, holdOf(server))).toMatchObject({ outcome: 'unreachable' })
  expect(await world.memory.store.settled('edge-a')).toEqual(before)
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

test('nothing is written to an edge before what it showed is on record', async () => {
  const { world, edge } = oneEdge()
  const since = await want(world, holdOf(server))
  world.memory.store.failNext('putEdgeRecords', new Error('throttled'))
  await expect(settleEdge(world.ports, edge, since)).rejects.toThrow('throttled')
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(found(await settleEdge(world.ports, edge, since)).wanted).toBe(since)
})

test('what was given back stays on record until a second reading, at least 2 s later, shows it so', async () => {
  const { world, edge } = oneEdge()
  await settleEdge(world.ports, edge, await want(world, holdOf(server)))
  const running = settleEdge(world.ports, edge, await want(world, lifted(server)))
  await world.pass(2 * seconds)
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(await world.formerFlags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  // What it found first is what it tells.
  expect(resultFor(await running, holdOf(server))).toMatchObject({ outcome: 'applied' })
  expect(await world.memory.store.edgeRecords('edge-a')).toEqual([])
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

test('a write that is refused is in the result of its own hold and of no other; the rest of the batch is done', async () => {
  const { world, edge } = oneEdge()
  const holds = [holdOf(server), holdOf(neighbour)]
  const since = await want(world, ...holds)
  edge.change(({ write }) => ({
    write: async (writes) => {
      const mine = writes.filter((one) => !('state' in one && one.uri === neighbour))
      const answers = [...(await write(mine))]
      const refused = new EdgeError('edge-a', 'refused', 'planted')
      return writes.map((one) => (mine.includes(one) ? (answers.shift() ?? 'done') : refused))
    },
  }))
  const result = await settleEdge(world.ports, edge, since)
  expect(holds.map((hold) => resultFor(result, hold))).toMatchObject([
    { outcome: 'applied' },
    { outcome: 'refused', detail: expect.stringContaining('planted') },
  ])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(found(result).problem).toContain('planted')
})

test('a defect of ours on one edge is thrown when no other is at work any more, and its lease is free', async () => {
  const world = createWorld()
  const [a, b] = world.edges
  if (!a || !b) throw new Error('two edges are needed')
  b.misbehaviour = { latencyMs: 1000 }
  a.change(() => ({
    list: () => {
      throw new TypeError('a defect')
    },
  }))
  await expect(settle(world.ports, [a, b], await want(world, holdOf(server)))).rejects.toThrow('a defect')
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  const posts = b.posts
  for (const { id } of [a, b])
    expect(await world.memory.store.takeEdge(id, 'next', world.clock.now(), 0)).toBeDefined()
  await world.pass(10 * seconds)
  expect(b.posts).toBe(posts)
})

test('two hundred holds on one edge are a few requests', async () => {
  const many = Array.from({ length: 200 }, (_, n) => ({ group: 1, uri: `sip:10.0.4.${n}:5060` }))
  const { world, edge } = oneEdge({ file: many })
  const holds = many.map(({ uri }) => holdOf(uri))
  const result = await settleEdge(world.ports, edge, await want(world, ...holds))
  const outcomes = holds.map((hold) => resultFor(result, hold))
  expect(new Set(outcomes.map(({ outcome, guarded }) => `${outcome} ${guarded}`))).toEqual(
    new Set(['applied true']),
  )
  // Twice its boot, its list and 200 guards, and 400 writes.
  expect(edge.posts).toBeLessThanOrEqual(2 * (1 + 1 + 2) + 4)
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
