import { expect, test } from 'vitest'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { look } from '../../functions/drain/look.ts'
import { settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { drainedWorld } from '../world/readings-world.ts'
import { headOf, holdOf, readingOf, want } from '../world/settle-world.ts'
import {
  command,
  createWorld,
  everywhere,
  file,
  hours,
  isWrite,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const why = 'UnexpectedAnswer: EDGE#edge-a: nonsense'

/** A row of edge-a that can't be read until it is written anew. */
function spoil(world: World, row: 'reading' | 'listing'): void {
  const { store } = world.memory
  const { putReading } = store
  const read = store[row]
  let isBad = true
  Object.assign(store, {
    [row]: async (edge: string) => (isBad && edge === 'edge-a' ? { unread: why } : read(edge)),
    putReading: (...given: Parameters<typeof putReading>) => {
      if (given[1].head.edge === 'edge-a' && given[1][row] !== undefined) isBad = false
      return putReading(...given)
    },
  })
}

test('a reading that can not be read makes its edge unknown, no other, and the next settle replaces it', async () => {
  const world = createWorld()
  for (const edge of world.edges) edge.callTo(server)
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  spoil(world, 'reading')
  const { store } = world.memory
  const input = world.payload()
  const settles = world.memory.settles.ask
  Object.assign(world.memory.settles, { ask: async () => undefined })
  await look(world.ports, { ...input, next: 'observe' })
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    callsLeft: 1,
    unknown: [expect.stringContaining(why)],
  })
  Object.assign(world.memory.settles, { ask: settles })
  for (const edge of world.edges) edge.forgetRequests()
  await world.settle()
  expect(await store.reading('edge-a')).toMatchObject({ edge: 'edge-a', holds: {} })
  expect(await headOf(world)).not.toHaveProperty('unreadable')
  expect(world.writes()).toEqual([])
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('where the reading before is lost, what it counted may have been 0: the usual spellings are asked for', async () => {
  const world = createWorld()
  const edge = world.edge('edge-a')
  await world.pass(3 * hours)
  await world.settle()
  edge.callTo(server)
  await want(world, holdOf(server, { wholeInstance: true, addresses: ['10.0.1.20'] }))
  await world.settle()
  const usual = 'dlg.profile_get_size dst sip:10.0.1.20'
  for (const isAsked of [false, true]) {
    if (isAsked) spoil(world, 'reading')
    await world.pass(1 * minutes)
    edge.forgetRequests()
    await world.settle()
    expect(edge.requests.includes(usual)).toBe(isAsked)
  }
})

test('a list that can not be read makes its edge unknown to whoever looks for a server, no other, and the next settle replaces it', async () => {
  const { world } = await drainedWorld()
  spoil(world, 'listing')
  const dryRun = command('command-reload', { id: 'reload-1', dryRun: true })
  expect(await world.command(dryRun)).toMatchObject({
    edges: [
      { edge: 'edge-a', unreadable: why },
      { edge: 'edge-b', listed: 4 },
    ],
  })
  await world.pass(10 * seconds)
  await world.settle()
  expect(await world.command(command('command-reload', { id: 'reload-2', dryRun: true }))).toMatchObject({
    edges: [
      { edge: 'edge-a', listed: 4 },
      { edge: 'edge-b', listed: 4 },
    ],
  })
})

test('while what an edge had listed is lost, its zero ends no drain: calls may be up under another URI', async () => {
  const world = createWorld({
    config: { timers: { failoverWindowSeconds: 10, longestCallSeconds: 1800 } },
  })
  await world.pass(1 * minutes)
  await world.settle()
  spoil(world, 'listing')
  await world.pass(1 * minutes)
  await world.settle()
  await world.scaleIn()
  await world.pass(29 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    unknown: [expect.stringContaining('what the edge had listed could not be read')],
  })
  await world.pass(6 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('of an edge whose records can not be read nothing is guessed: nothing is written there until they can, others go on', async () => {
  const world = createWorld()
  await world.settledAll()
  const { store } = world.memory
  const { edgeRecords } = store
  let isBad = true
  Object.assign(store, {
    edgeRecords: async (edge: string) => {
      if (isBad && edge === 'edge-a') throw new UnexpectedAnswer('EDGE#edge-a/RECORDS: nonsense')
      return edgeRecords(edge)
    },
  })
  await want(world, holdOf(server), holdOf(neighbour))
  await settleFleet(world.ports)
  expect(await headOf(world)).toMatchObject({
    unreadable: {
      passes: false,
      reason: 'unreadable-row: UnexpectedAnswer: EDGE#edge-a/RECORDS: nonsense',
    },
  })
  expect(world.edge('edge-a').requests.filter(isWrite)).toEqual([])
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  isBad = false
  await world.pass(10 * seconds)
  await world.settle()
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await readingOf(world)).toMatchObject({ wanted: await store.wanted() })
})

test.each([
  ['is configured', 'edge-a'],
  ['was removed', 'edge-z'],
])('a lease with nonsense, of an edge that %s, keeps no other from being settled', async (_, name) => {
  const world = createWorld()
  await world.settledAll()
  const { store } = world.memory
  const { takeEdge } = store
  await store.addEdgeHead({ edge: 'edge-z', wanted: 0, askedAt: 0 })
  Object.assign(store, {
    takeEdge: async (...given: Parameters<typeof takeEdge>) => {
      if (given[0] === name) throw new UnexpectedAnswer(`EDGES/${name}: nonsense`)
      return takeEdge(...given)
    },
  })
  await want(world, holdOf(server))
  await expect(settleFleet(world.ports)).rejects.toThrow(`EDGES/${name}: nonsense`)
  const isSpoilt = name === 'edge-a'
  expect(world.flags()).toEqual({
    ...everywhere('DX'),
    ...(isSpoilt && { 'edge-a/1': 'AP', 'edge-a/2': 'IP' }),
  })
  expect(world.writes('edge-a').length > 0).toBe(!isSpoilt)
})

/** From now on no hold is there, until one is placed. @returns whether that is so yet */
function loseHolds({ memory: { store } }: World): () => boolean {
  const { hold, holds, putHold } = store
  let isLost = true
  Object.assign(store, {
    hold: async (...of: Parameters<typeof hold>) => (isLost ? undefined : hold(...of)),
    holds: async () => (isLost ? [] : holds()),
    putHold: (...given: Parameters<typeof putHold>) => {
      isLost = false
      return putHold(...given)
    },
  })
  return () => isLost
}

test('a hold that is placed again covers what an edge had listed of its machine before the drain began', async () => {
  const former = 'sip:10.0.1.20:5080'
  const others = file.filter(({ uri }) => uri !== server)
  const world = createWorld({
    edges: [
      { id: 'edge-a', file: [...others, { set: 1, uri: former, flags: 'AP' }] },
      { id: 'edge-b', file: others },
    ],
  })
  await world.reconcile()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  a.writeFile(others)
  a.strangerReloads()
  // It has moved to an edge that never listed its URI.
  const call = b.callTo(former)
  await world.pass(10 * seconds)
  await world.reconcile()
  await world.scaleIn()
  await world.pass(2 * minutes)
  const isLost = loseHolds(world)
  await world.pass(10 * minutes)
  expect(isLost()).toBe(false)
  expect(world.ended()).toEqual([])
  b.hangUp(call)
  await world.until((record) => record?.state === 'ended')
})

test('a drain whose hold is missing goes on: the hold is placed again from its record, and nothing found before is concluded from', async () => {
  const world = createWorld()
  const edge = world.edge('edge-a')
  const call = edge.callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  const isLost = loseHolds(world)
  await world.pass(10 * minutes)
  expect(isLost()).toBe(false)
  expect((await world.record()).state).toBe('draining')
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.ended()).toEqual([])
  edge.hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('while a hold can not be read none is left out: nothing is written to an edge until it can', async () => {
  const world = createWorld()
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  const { store } = world.memory
  const { holds } = store
  let isBad = true
  const spoilt = async () => {
    if (isBad) throw new UnexpectedAnswer('HOLDS: source: Invalid option')
    return holds()
  }
  Object.assign(store, { holds: spoilt })
  const before = world.writes().length
  await want(world, holdOf(neighbour))
  await world.settle().catch(() => undefined)
  expect(world.writes()).toHaveLength(before)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect((await headOf(world))?.unreadable?.reason).toContain('HOLDS: source: Invalid option')
  isBad = false
  await world.pass(10 * seconds)
  await world.settle()
  expect(world.flags(neighbour)).toEqual(everywhere('DX'))
})
