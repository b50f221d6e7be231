import { expect, test } from 'vitest'
import { holdKey } from '../../functions/control/hold.ts'
import { settleEdge } from '../../functions/fleet/settle-fleet.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { present } from '../present.ts'
import { headOf, holdOf, want } from '../world/settle-world.ts'
import {
  command,
  createWorld,
  everywhere,
  hours,
  isWrite,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

/** The edge `id`, whose way leads to the Kamailio of `to`. */
function misled(id: string, to: MemoryEdge): Edge {
  const named = (edge: Edge): Edge => ({ ...edge, id, under: (generation) => named(to.under(generation)) })
  return named({ ...(to as Edge) })
}

/** Two edges, each read once, with the ways that their ids have from now on. */
async function routed(ways: (a: MemoryEdge, b: MemoryEdge) => readonly Edge[]) {
  const world = createWorld()
  await world.settledAll()
  await world.settle()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  await world.pass(1 * minutes)
  for (const edge of [a, b]) edge.forgetRequests()
  world.memory.fleet.list.splice(0, 2, ...ways(a, b))
  return { world, a, b }
}
const isAnothers = (other: string) => ({
  unreadable: {
    passes: false,
    reason: expect.stringContaining(`another-edge: the Kamailio that answered is known as ${other}`),
  },
})

test('an edge whose way leads to another edge is told by its boot id: it is unknown, and the other goes on', async () => {
  const { world, a, b } = await routed((_, two) => [misled('edge-a', two), two])
  const call = a.callTo(server)
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(await headOf(world)).toMatchObject(isAnothers('edge-b'))
  expect(await headOf(world, 'edge-b')).not.toHaveProperty('unreadable')
  expect(a.requests).toEqual([])
  expect(
    b
      .truth()
      .entries.filter(({ uri }) => uri === server)
      .map(({ flags }) => flags),
  ).toEqual(['DX', 'DX'])
  expect(await world.memory.store.edgeRecords('edge-a')).toBe(undefined)
  // The zero of edge-b is no zero of edge-a.
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ verdict: 'unknown' })
  world.memory.fleet.list.splice(0, 1, a)
  await world.pass(2 * minutes)
  await world.settle()
  expect(await headOf(world)).not.toHaveProperty('unreadable')
  expect(world.flags()).toEqual(everywhere('DX'))
  a.hangUp(call)
})

test('two edges whose addresses were swapped are both unknown, and nothing is written to either', async () => {
  const { world, a, b } = await routed((one, two) => [misled('edge-a', two), misled('edge-b', one)])
  await want(world, holdOf(server))
  await world.settle()
  expect(await headOf(world)).toMatchObject(isAnothers('edge-b'))
  expect(await headOf(world, 'edge-b')).toMatchObject(isAnothers('edge-a'))
  expect([...a.requests, ...b.requests].filter(isWrite)).toEqual([])
  world.memory.fleet.list.splice(0, 2, a, b)
  await world.pass(1 * minutes)
  await world.settle()
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('two new edges with one Kamailio are not both read in the same run', async () => {
  const world = createWorld()
  await world.settledAll()
  const c = world.newEdge({ id: 'edge-c' })
  world.memory.fleet.list.push(c, misled('edge-d', c))
  await world.settle()
  expect(await headOf(world, 'edge-c')).toMatchObject({ wanted: 0 })
  expect(await headOf(world, 'edge-d')).toMatchObject(isAnothers('edge-c'))
})

test('an edge that is called otherwise from now on is read once its former name is gone', async () => {
  const { world } = await routed((one, two) => [misled('edge-c', one), two])
  await world.settle()
  await world.pass(1 * minutes)
  await world.settle()
  expect(await headOf(world, 'edge-c')).not.toHaveProperty('unreadable')
})

test('an answer of another edge in the middle makes the reading void: no count of its is believed', async () => {
  const { world, a, b } = await routed((one, two) => [one, two])
  const { under } = a
  a.under = (generation) => {
    const [own, other] = [under(generation), b.under(generation)]
    return {
      ...own,
      countAndBoot: (subjects) => other.countAndBoot(subjects),
      answeredBy: () => [...own.answeredBy(), ...other.answeredBy()],
    }
  }
  const before = await world.memory.store.reading('edge-a')
  await want(world, holdOf(server))
  await world.settle({ kind: 'settle' })
  expect(await world.memory.store.reading('edge-a')).toEqual(before)
  expect(await headOf(world)).toMatchObject(isAnothers('edge-b'))
})

test('no generation is raised above what another edge has seen', async () => {
  const { world, b } = await routed((_, two) => [misled('edge-a', two), two])
  await b.under(4000).boot()
  await want(world, holdOf(server))
  await world.settle()
  expect(await world.memory.store.takeEdge('edge-a', 'next', world.clock.now(), 0)).toBeLessThan(10)
})

test.each([
  [
    'a reload',
    (world: World) => world.command(command('command-reload-edge', { edge: 'edge-a' })),
    { result: 'incomplete', edges: [{ edge: 'edge-a', outcome: 'failed' }] },
  ],
  [
    'the ending of calls',
    (world: World) => {
      const endCalls = { hold: holdKey(holdOf(server)), step: world.clock.now(), shares: { 'edge-a': 1 } }
      return settleEdge(world.ports, present(world.memory.fleet.list[0], 'edge'), { endCalls })
    },
    { error: { fault: 'another-edge' } },
  ],
])('%s reaches no other edge than its own', async (_, ask, answer) => {
  const { world, b } = await routed((_a, two) => [misled('edge-a', two), two])
  await want(world, holdOf(server))
  b.callTo(server)
  expect(await ask(world)).toMatchObject(answer)
  expect(b.truth().calls).toBe(1)
  await world.pass(10 * seconds)
  const done = b.requests.filter((request) => /reload|terminate/.test(request))
  expect(done).toEqual([])
})

test('edges without our rpc.cfg name no boot, and are not told apart: two of them may have booted in one second', async () => {
  const world: World = createWorld({
    edges: [
      { id: 'edge-a', rpcFile: 'none' },
      { id: 'edge-b', rpcFile: 'none' },
    ],
  })
  await world.settledAll()
  await want(world, holdOf(server))
  await world.settle()
  expect(world.flags()).toEqual(everywhere('DX'))
})

const day = 24 * hours
test.each([
  ['before a drain', false, { bootedAt: 20 * day }],
  ['in the middle of a drain', true, { bootedAt: 20 * day }],
  ['which restores dialogs of its own', true, { bootedAt: 20 * day, restoresDialogs: true }],
  ['which booted in the same second', true, { bootedAt: day }],
])(
  'another Kamailio behind an edge’s id knows no call of the one before, however long it is up: %s',
  async (_, isDraining, { bootedAt, ...options }) => {
    const world = createWorld({
      config: { timers: { failoverWindowSeconds: 10, longestCallSeconds: 1800 } },
    })
    const standby = world.newEdge({ id: 'edge-c', bootedAt: world.startedAt - bootedAt, ...options })
    world.edge('edge-b').callTo(server)
    await world.reconcile()
    if (isDraining) await world.scaleIn()
    await world.pass(1 * minutes)
    world.memory.fleet.list.splice(1, 1, misled('edge-b', standby))
    await world.reconcile()
    if (!isDraining) await world.scaleIn()
    await world.pass(29 * minutes)
    expect(world.ended()).toEqual([])
    await world.pass(5 * minutes)
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  },
)
