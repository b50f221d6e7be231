import { expect, test } from 'vitest'
import { EdgeError, StoreConflict } from '../../functions/control/errors.ts'
import { isConfirmed } from '../../functions/control/settled.ts'
import { settleEdge, settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { resultOf } from '../../functions/stored/edge-results.ts'
import { found, headOf, holdOf, isFree, lifted, oneEdge, readingOf, want } from '../world/settle-world.ts'
import { createWorld, isWrite, neighbour, seconds, server } from '../world/world.ts'

test('an edge is brought to what is wanted: guard and states, each set, read back, and what was there is on record', async () => {
  const { world, edge } = await oneEdge()
  const since = await want(world, holdOf(server))
  const running = settleEdge(world.ports, edge)
  await world.pass(2 * seconds)
  const first = await readingOf(world)
  expect(first).toMatchObject({
    wanted: since,
    guarded: [server],
    entries: expect.arrayContaining([
      expect.objectContaining({ set: 1, uri: server, before: 'AP', after: 'DX' }),
      expect.objectContaining({ set: 2, uri: server, before: 'IP', after: 'DX' }),
    ]),
  })
  expect(await headOf(world)).toEqual({
    ...{ edge: 'edge-a', wanted: since, askedAt: first.askedAt },
    bootId: first.description.bootId,
  })
  expect(resultOf(first, holdOf(server))).toMatchObject({ outcome: 'applied', guarded: true })
  expect(await readingOf(world)).toEqual(first)
  expect(await world.formerFlags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  await running
  const writes = edge.requests.map((request, index) => (isWrite(request) ? index : -1))
  const firstWrite = Math.min(...writes.filter((index) => index >= 0))
  expect(edge.requests.slice(firstWrite - 2, firstWrite + 1)).toEqual([
    'dispatcher.list',
    `htable.get held ${server}`,
    `htable.seti held ${server} 1`,
  ])
})

test('what was disabled is read a second time, at least 2 s later, which confirms it', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  const running = settleEdge(world.ports, edge)
  await world.pass(2 * seconds)
  const first = await readingOf(world)
  const last = found(await running)
  expect(last.askedAt - first.answeredAt).toBeGreaterThanOrEqual(2 * seconds)
  expect(await readingOf(world)).toEqual(last)
  expect([first, last].map((reading) => isConfirmed(reading, holdOf(server)))).toEqual([false, true])
})

test('at rest nothing is written, and an edge is read once', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  await settleFleet(world.ports)
  const { writes, lists } = { writes: edge.requests.filter(isWrite).length, lists: listsOf(edge.requests) }
  await world.pass(10 * seconds)
  await settleFleet(world.ports, { notBefore: world.clock.now() })
  expect(edge.requests.filter(isWrite)).toHaveLength(writes)
  expect(listsOf(edge.requests) - lists).toBe(1)
})

const listsOf = (requests: readonly string[]) =>
  requests.filter((request) => request === 'dispatcher.list').length

test('nothing is written to an edge before what it showed is on record', async () => {
  const { world, edge } = await oneEdge()
  const since = await want(world, holdOf(server))
  world.memory.store.failNext('putEdgeRecords', new Error('throttled'))
  await expect(settleEdge(world.ports, edge)).rejects.toThrow('throttled')
  expect(edge.requests.filter(isWrite)).toEqual([])
  expect(found(await settleEdge(world.ports, edge)).wanted).toBe(since)
})

test('what was given back stays on record until a second reading, at least 2 s later, shows it so', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  await settleEdge(world.ports, edge)
  await want(world, lifted(server))
  const running = settleEdge(world.ports, edge)
  await world.pass(2 * seconds)
  expect(world.flags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(await world.formerFlags()).toEqual({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  expect(resultOf(await readingOf(world), holdOf(server))).toMatchObject({ outcome: 'applied' })
  await running
  expect(await world.memory.store.edgeRecords('edge-a')).toEqual([])
})

test('what is wanted while a second reading is waited for is done at once, and is read a second time, too', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  const running = settleEdge(world.ports, edge)
  await world.pass(2 * seconds)
  const since = await want(world, holdOf(neighbour))
  await world.pass(2 * seconds)
  expect(await readingOf(world)).toMatchObject({ wanted: since })
  expect(world.flags(neighbour)).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  const last = found(await running)
  expect([server, neighbour].map((uri) => isConfirmed(last, holdOf(uri)))).toEqual([true, true])
})

test('what is wanted while an edge is being written to is done before anything is counted, and no answer of before is lost', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  let isDone = false
  edge.change(({ write }) => ({
    write: async (writes) => {
      if (!isDone) await want(world, holdOf(neighbour))
      isDone = true
      return write(writes)
    },
  }))
  const counted: number[] = []
  edge.change(({ countAndBoot }) => ({
    countAndBoot: (subjects) => {
      counted.push(subjects.length)
      return countAndBoot(subjects)
    },
  }))
  const running = settleEdge(world.ports, edge)
  await world.pass(3 * seconds)
  const first = await readingOf(world)
  expect(counted).toEqual([2])
  expect([server, neighbour].map((uri) => resultOf(first, holdOf(uri)).outcome)).toEqual([
    'applied',
    'applied',
  ])
  await running
})

test('a write that is refused is in the result of its own hold and of no other; the rest of the batch is done', async () => {
  const { world, edge } = await oneEdge()
  const holds = [holdOf(server), holdOf(neighbour)]
  await want(world, ...holds)
  edge.change(({ write }) => ({
    write: async (writes) => {
      const mine = writes.filter((one) => !('state' in one && one.uri === neighbour))
      const answers = [...(await write(mine))]
      const refused = new EdgeError('edge-a', 'refused', 'planted')
      return writes.map((one) => (mine.includes(one) ? (answers.shift() ?? 'done') : refused))
    },
  }))
  const running = settleEdge(world.ports, edge)
  await world.pass(3 * seconds)
  const first = await readingOf(world)
  expect(holds.map((hold) => resultOf(first, hold))).toMatchObject([
    { outcome: 'applied' },
    { outcome: 'refused', detail: expect.stringContaining('planted') },
  ])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(found(await running).problem).toContain('planted')
})

test('a defect of ours on one edge is thrown when no other is at work any more, and its lease is free', async () => {
  const world = createWorld()
  await world.settledAll()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  b.misbehaviour = { latencyMs: 1000 }
  a.change(() => ({
    list: () => {
      throw new TypeError('a defect')
    },
  }))
  await want(world, holdOf(server))
  await expect(settleFleet(world.ports)).rejects.toThrow('a defect')
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  const posts = b.posts
  for (const { id } of [a, b]) expect(await isFree(world, id)).toBe(true)
  await world.pass(10 * seconds)
  expect(b.posts).toBe(posts)
})

test('two hundred holds on one edge are a few requests', async () => {
  const many = Array.from({ length: 200 }, (_, n) => ({ set: 1, uri: `sip:10.0.4.${n}:5060` }))
  const { world, edge } = await oneEdge({ file: many })
  const holds = many.map(({ uri }) => holdOf(uri))
  await want(world, ...holds)
  const before = edge.posts
  const running = settleEdge(world.ports, edge)
  await world.pass(3 * seconds)
  const first = await readingOf(world)
  const outcomes = holds.map((hold) => resultOf(first, hold))
  expect(new Set(outcomes.map(({ outcome, guarded }) => `${outcome} ${guarded}`))).toEqual(
    new Set(['applied true']),
  )
  // What it is (2), twice its list and 200 guards, and its boot in between; 400 writes; its calls; its boot.
  expect(edge.posts - before).toBeLessThanOrEqual(2 + 2 * (1 + 2) + 1 + 4 + 8 + 1)
  await running
})

test('what is stored of one edge and can not be read keeps no other from being settled', async () => {
  const world = createWorld()
  await world.settledAll()
  const { edgeRecords } = world.memory.store
  Object.assign(world.memory.store, {
    edgeRecords: async (id: string) => {
      if (id === 'edge-a') throw new StoreConflict('EDGE#edge-a/RECORDS is not as it must be')
      return edgeRecords(id)
    },
  })
  await want(world, holdOf(server))
  const [a, b] = await settleFleet(world.ports)
  expect(a && 'error' in a && a.error.message).toContain('EDGE#edge-a/RECORDS')
  expect(await headOf(world)).toMatchObject({ unreadable: { reason: expect.stringContaining('RECORDS') } })
  expect(found(b).entries).not.toEqual([])
})
