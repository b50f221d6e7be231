import { expect, test } from 'vitest'
import { EdgeError, StoreConflict } from '../../functions/control/errors.ts'
import { resultFor } from '../../functions/use-cases/edges.ts'
import { settle, settleEdge } from '../../functions/use-cases/settle.ts'
import { found, holdOf, lifted, oneEdge, want } from './settle-world.ts'
import { createWorld, isWrite, neighbour, seconds, server } from './world.ts'

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

test('what is stored of one edge and can not be read keeps no other from being settled', async () => {
  const world = createWorld()
  const { edgeRecords } = world.memory.store
  Object.assign(world.memory.store, {
    edgeRecords: async (id: string) => {
      if (id === 'edge-a') throw new StoreConflict('EDGE#edge-a/RECORDS is not as it must be')
      return edgeRecords(id)
    },
  })
  const since = await want(world, holdOf(server))
  const [a, b] = await settle(world.ports, world.edges, since)
  expect(a && 'error' in a && a.error.message).toContain('EDGE#edge-a/RECORDS')
  expect(found(b).entries).not.toEqual([])
})
