import { expect, test } from 'vitest'
import { settleEdge, settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { drainedWorld, lists, twenty, twoDrained } from '../world/readings-world.ts'
import { found, headOf, holdOf, oneEdge, readingOf, want } from '../world/settle-world.ts'
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
} from '../world/world.ts'

test('a reading of before a hold was placed says nothing about it', async () => {
  const { world, hold } = await drainedWorld()
  await world.memory.store.putHold({ ...hold, id: 'later' })
  expect((await readingOf(world)).holds).not.toHaveProperty('operator/later')
  await world.pass(10 * seconds)
  await world.settle()
  expect((await readingOf(world)).holds).toHaveProperty('operator/later')
})

test("an edge's load does not grow with the number of drains, also while another edge is away", async () => {
  const { world, scaleIn } = await twenty()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await scaleIn()
  await world.pass(2 * minutes)
  const before = a.requests.length
  await world.pass(5 * minutes)
  const during = a.requests.slice(before)
  expect(lists(during)).toBeGreaterThan(5)
  expect(lists(during)).toBeLessThanOrEqual((5 * 60) / 5)
  expect(during.filter(isWrite)).toEqual([])
  expect(world.ended()).toEqual([])
})

test('drift is corrected for every hold, and published once', async () => {
  const world = await twoDrained()
  world.edge('edge-a').strangerSets('a', 1, server)
  world.edge('edge-b').strangerSets('a', 2, neighbour)
  for (const _ of [1, 2, 3]) {
    await world.settle()
    await world.pass(10 * seconds)
  }
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.flags(neighbour)).toEqual(everywhere('DX'))
  expect(world.memory.events.of('Drift Corrected')).toMatchObject([
    {
      edge: 'edge-a',
      hold: 'operator/10.0.1.20:5060;udp/alice',
      who: 'alice',
      result: {
        outcome: 'applied',
        entries: expect.arrayContaining([{ set: 1, uri: server, before: 'AX', after: 'DX' }]),
      },
    },
    { edge: 'edge-b', hold: 'operator/10.0.1.21:5060;udp/alice' },
  ])
  expect(world.memory.metrics.total('Drift')).toBe(2)
})

test('drift that comes between a first reading and the second is published as well', async () => {
  const { world, edge } = await oneEdge()
  await want(world, holdOf(server))
  const running = settleEdge(world.ports, edge)
  await world.pass(2 * seconds)
  expect(await readingOf(world)).toMatchObject({ entries: [{ after: 'DX' }, { after: 'DX' }] })
  edge.strangerSets('a', 1, server)
  await running
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(world.memory.events.of('Drift Corrected')).toMatchObject([{ edge: 'edge-a' }])
})

test('a first disabling and a giving back are no drift', async () => {
  const world = createWorld()
  for (const time of [1, 2]) {
    await world.command(command('command-drain-destination', { id: `d-${time}` }), 2 * time)
    await world.pass(1 * minutes)
    await world.settle()
    await world.command(command('command-activate', { id: `a-${time}` }), 2 * time + 1)
    await world.settle()
    await world.pass(10 * seconds)
  }
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(world.memory.events.of('Drift Corrected')).toEqual([])
  expect(world.memory.metrics.total('Drift')).toBe(0)
})

test('while nothing drains, an edge is asked for what it is, its list and its boot time again, once a minute', async () => {
  const world = createWorld()
  await world.pass(1 * minutes)
  await world.reconcile()
  const a = world.edge('edge-a')
  const { posts } = a
  a.forgetRequests()
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(a.requests).toEqual([
    ...[
      'core.uptime',
      'core.version',
      'dlg.stats_active',
      'dlg.profile_get_size dst',
      'dlg.profile_get_size src',
    ],
    ...[
      'htable.get held sip:guard-probe.invalid',
      'htable.get begun total',
      'htable.get begun total:dst',
      'htable.get dc about',
    ],
    'dispatcher.list',
    'core.uptime',
  ])
  expect(a.posts - posts).toBe(3)
})

test('an edge that restarts while it is counted says nothing', async () => {
  const { world } = await drainedWorld()
  await world.pass(1 * hours)
  const a = world.edge('edge-a')
  const before = await readingOf(world)
  a.change(({ countAndBoot }) => ({
    countAndBoot: (subjects) => {
      a.restart()
      return countAndBoot(subjects)
    },
  }))
  await world.settle()
  expect(await readingOf(world)).toEqual(before)
  expect(await headOf(world)).toMatchObject({
    unreadable: { passes: true, reason: expect.stringContaining('it restarted while it was read') },
  })
})

test('a slow edge keeps no other from being corrected, nor what was lifted from being given back', async () => {
  const world = await twoDrained()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  b.misbehaviour = { latencyMs: 2900 }
  a.strangerSets('a', 1, server)
  const lifting = world.command(command('command-activate', { id: 'a-1', destination: neighbour }))
  await world.pass(3 * seconds)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'AP', 'edge-a/2': 'AX', 'edge-b/1': 'DX' })
  await lifting
  await world.settledAll()
  expect(world.flags(neighbour)).toEqual(everywhere('AP', 'AX'))
})

test('a settle ends within its lease, also where each answer comes at the last moment and there is drift and liftings', async () => {
  const others = Array.from({ length: 5 }, (_, n) => `sip:10.0.3.${n + 10}:5060`)
  const servers = [...file, ...others.map((uri) => ({ set: 1, uri }))]
  const { world, edge } = await oneEdge({ file: servers })
  const all = [server, neighbour, ...others]
  await want(world, ...all.map((uri) => holdOf(uri)))
  await settleFleet(world.ports)
  edge.misbehaviour = { latencyMs: 2900 }
  const took: number[] = []
  for (const uri of [undefined, server, undefined]) {
    if (uri !== undefined) {
      edge.strangerSets('a', 1, uri)
      await want(world, ...others.map((one) => holdOf(one, { order: '2', lifted: { at: 2, by: 'bob' } })))
    }
    await world.pass(10 * seconds)
    const from = world.clock.now()
    found((await settleFleet(world.ports, { notBefore: from }))[0])
    expect(await headOf(world)).not.toHaveProperty('unreadable')
    took.push(world.clock.now() - from)
  }
  expect(Math.max(...took)).toBeLessThanOrEqual(60 * seconds)
  for (const uri of [server, neighbour])
    expect(world.flags(uri)).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('the holds are read once for all edges, and again where the counter has risen', async () => {
  const world = createWorld()
  await world.settledAll()
  const { holds } = world.memory.store
  let reads = 0
  Object.assign(world.memory.store, {
    holds: () => {
      reads += 1
      return holds()
    },
  })
  await want(world, holdOf(server))
  const running = settleFleet(world.ports)
  await world.pass(1 * seconds)
  expect(reads).toBe(1)
  await want(world, holdOf(neighbour))
  await running
  expect(reads).toBe(2)
  expect(world.flags(neighbour)).toEqual(everywhere('DX'))
})
