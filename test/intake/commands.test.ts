import { expect, test } from 'vitest'
import {
  command,
  createWorld,
  drainId,
  everywhere,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

const key = '10.0.1.20:5060;udp/alice'
const drain = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-drain-destination', { id: 'drain-1', ...changes })
const activate = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-activate', { id: 'activate-1', ...changes })

test('activate gives every entry on every edge exactly what it showed before', async () => {
  const world = createWorld()
  expect(await world.command(drain())).toMatchObject({ result: 'started', hold: `operator/${key}` })
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.command(activate())).toMatchObject({
    result: 'lifted',
    lifted: [{ source: 'operator', id: key, who: 'alice' }],
    stillHeld: [],
  })
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(world.flags(neighbour)).toEqual(everywhere('AP', 'AX'))
  await world.settledAll()
  expect(world.edges.flatMap((edge) => edge.truth().held)).toEqual([])
  expect(await world.formerFlags()).toEqual({})
  await world.until((record) => record?.state === 'ended', `operator/${key}`)
  expect(await world.record(`operator/${key}`)).toMatchObject({ result: 'lifted' })
})

test('a destination that somebody else had disabled stays so when our hold is lifted', async () => {
  const world = createWorld()
  world.edge('edge-a').strangerSets('d', 1, server)
  await world.command(drain())
  await world.command(activate())
  expect(world.flags()).toEqual({ ...everywhere('AP', 'IP'), 'edge-a/1': 'DX' })
})

test('each of two operators has a hold: activate lifts one’s own, and its answer names who else holds it', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.command(drain({ id: 'drain-2', requestedBy: 'bob', reason: 'new kernel' }))
  expect(await world.command(activate({ requestedBy: 'bob' }))).toMatchObject({
    result: 'lifted',
    lifted: [{ who: 'bob', why: 'new kernel' }],
    stillHeld: [{ source: 'operator', id: key, who: 'alice', why: 'disk failing, ticket 4711' }],
  })
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.command(activate({ id: 'activate-2', requestedBy: 'carol' }))).toMatchObject({
    result: 'nothing-to-lift',
    stillHeld: [{ who: 'alice' }],
  })
  expect(world.flags()).toEqual(everywhere('DX'))
  // Who means it may lift somebody else's.
  const named = activate({ id: 'activate-3', requestedBy: 'carol', source: 'operator' })
  expect(await world.command(named)).toMatchObject({ result: 'lifted', stillHeld: [] })
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a lifecycle hold is never lifted by a command', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  const alone = `what holds it is ${drainId}, which no command lifts: only the end of the lifecycle action`
  await expect(world.command(activate({ id: 'dry-1', dryRun: true }))).rejects.toThrow(alone)
  await expect(world.command(activate())).rejects.toMatchObject({
    name: 'CommandRefused',
    message: expect.stringContaining(alone),
  })
  await expect(
    world.command(activate({ id: 'activate-2', holdId: `${instanceId}/drain-calls` })),
  ).rejects.toMatchObject({ name: 'CommandRefused' })
  await expect(world.command(activate({ id: 'activate-3', source: 'lifecycle' }))).rejects.toMatchObject({
    name: 'CommandRefused',
  })
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.heldBy()).toEqual([drainId])
})

test('an edge that was away while a hold was lifted is given back its flags by a later round', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.pass(1 * minutes)
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  expect(await world.command(activate())).toMatchObject({
    result: 'lifted',
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'unreachable' },
    ],
  })
  await world.pass(30 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'AP', 'edge-b/1': 'DX' })
  b.misbehaviour = {}
  await world.reconcile()
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(await world.formerFlags()).toEqual({})
})

test('a second activate does not end the lifting that the first one could not finish', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.pass(1 * minutes)
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.command(activate())
  await world.command(activate({ id: 'activate-2' }))
  b.misbehaviour = {}
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('an instance is given back on edges that list it under another name', async () => {
  const named = [
    { set: 1, uri: server, flags: 'AP' },
    { set: 3, uri: 'sip:10.0.1.20:5080', flags: 'IP' },
  ] as const
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  const late = world.newEdge({ id: 'edge-c', file: named })
  world.memory.fleet.list.push(late)
  await world.pass(1 * minutes)
  expect(world.flags('sip:10.0.1.20:5080')).toEqual({ 'edge-c/3': 'DX' })
  await world.command(command('command-activate-instance', { id: 'activate-1' }))
  await world.until((record) => record?.state === 'ended', `operator/${instanceId}/alice`)
  expect(world.flags('sip:10.0.1.20:5080')).toEqual({ 'edge-c/3': 'IP' })
  expect(late.truth().held).toEqual([])
  expect(await world.formerFlags('sip:10.0.1.20:5080')).toEqual({})
})

test('the same command id again is answered, not done again', async () => {
  const world = createWorld()
  const first = await world.command(drain())
  await world.command(activate())
  const writes = world.writes().length
  expect(await world.command(drain())).toEqual(first)
  expect(world.writes()).toHaveLength(writes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('commands for one destination count in the order they were sent, whatever order they come in', async () => {
  const world = createWorld()
  await world.command(activate(), 2)
  expect(await world.command(drain(), 1)).toMatchObject({ result: 'stale' })
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  await world.command(drain({ id: 'drain-4' }), 4)
  expect(await world.command(activate({ id: 'activate-3' }), 3)).toMatchObject({ result: 'stale' })
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('a drain that is asked for again while it runs renews its deadline, and one execution goes on with it', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(drain({ deadlineSeconds: 60 }))
  await world.pass(30 * seconds)
  await world.command(drain({ id: 'drain-2', deadlineSeconds: 7200, reason: 'still failing' }))
  await world.pass(10 * minutes)
  expect(world.executions).toHaveLength(2)
  expect((await world.execution(0).done).status).toBe('SUCCEEDED')
  expect(world.memory.events.of('Drain Overdue')).toEqual([])
  expect(await world.record(`operator/${key}`)).toMatchObject({ why: 'still failing' })
})

test('a drain that is asked for again between two looks is looked at at once: it is confirmed within seconds', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(drain())
  await world.pass(11 * minutes)
  await world.command(drain({ id: 'drain-2' }))
  await world.pass(15 * seconds)
  expect(world.memory.events.of('Drain Confirmed')).toHaveLength(2)
})

test('drain, activate and drain again end in a held destination whose drain runs', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.command(activate())
  await world.command(drain({ id: 'drain-2' }))
  await world.pass(5 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
  expect(await world.record(`operator/${key}`)).toMatchObject({ state: 'drained' })
})

test('a dry run names what would be done and does nothing', async () => {
  const world = createWorld()
  expect(await world.command(drain({ dryRun: true }))).toMatchObject({
    result: 'dry-run',
    destinations: [server],
  })
  expect(world.writes()).toEqual([])
  expect(await world.heldBy()).toEqual([])
  expect(world.executions).toEqual([])
})

test('a drain that was drained is said once and waits for its hold to be lifted', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.until((record) => record?.state === 'drained', `operator/${key}`)
  await world.pass(60 * minutes)
  expect(world.memory.events.of('Drain Drained')).toHaveLength(1)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.ended()).toEqual([])
})

test('the hold of an instance that is gone stays, and nothing is activated', async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.memory.instances.setState(instanceId, 'terminated')
  await world.until((record) => record?.state === 'ended', `operator/${instanceId}/alice`)
  expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('an operator may end the retired mark by its source', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(await world.command(activate({ source: 'retired' }))).toMatchObject({
    result: 'lifted',
    lifted: [{ source: 'retired' }],
  })
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  await world.until((record) => record?.state === 'ended')
  await world.pass(5 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a destination that a set lists twice without duids is refused at once, and nothing is written', async () => {
  const twice = [
    { set: 1, uri: server },
    { set: 1, uri: server },
  ]
  const world = createWorld({ edges: [{ file: twice }] })
  await expect(world.command(drain())).rejects.toMatchObject({
    name: 'DuplicateDestination',
    permanent: true,
  })
  expect(world.writes()).toEqual([])
  expect(await world.heldBy()).toEqual([])
})

test('entries that distinct duids tell apart are all disabled, and each is given back its own flags', async () => {
  const twice = [
    { set: 1, uri: server, duid: 'one', flags: 'AP' },
    { set: 1, uri: server, duid: 'two', flags: 'IP' },
  ] as const
  const world = createWorld({ edges: [{ file: twice }] })
  await world.command(drain())
  const flags = () =>
    world
      .edge('edge-a')
      .truth()
      .entries.map((entry) => entry.flags)
  expect(flags()).toEqual(['DX', 'DX'])
  await world.command(activate())
  expect(flags().sort()).toEqual(['AP', 'IP'])
})

test('an activate whose answer was lost is answered by the next delivery with what it lifted', async () => {
  const world = createWorld()
  await world.command(drain(), 1)
  await world.pass(1 * minutes)
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(activate(), 2)).rejects.toThrow('killed')
  expect(await world.command(activate(), 2)).toMatchObject({
    result: 'lifted',
    lifted: [{ source: 'operator', id: key }],
    edges: [{ edge: 'edge-a' }, { edge: 'edge-b' }],
  })
  expect(await world.command(activate({ id: 'activate-2' }), 3)).toMatchObject({ result: 'nothing-to-lift' })
})
