import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import {
  command,
  config,
  createWorld,
  everywhere,
  facts,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const elsewhere = facts({ addresses: ['10.0.9.9'] })

test('an instance that was never listed is completed after two rounds, said, and leaves no hold behind', async () => {
  const world = createWorld({ instances: [elsewhere] })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.age()).toBeLessThan(2 * minutes)
  expect(world.memory.events.of('Lifecycle Action Completed')).toMatchObject([{ result: 'absent' }])
  const verdicts = world.memory.events.of('Drain Progress').map(({ verdict }) => verdict)
  expect(verdicts).toEqual(['draining', 'absent'])
  expect(await world.memory.store.holds()).toEqual([])
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'AP', 'edge-b/1': 'AP' })
})

test('an instance that one edge can not say anything about is not absent', async () => {
  const world = createWorld({ instances: [elsewhere] })
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(50 * minutes)
  expect(world.ended()).toEqual([])
})

test('an absent instance that still counts calls is waited for', async () => {
  const world = createWorld({ instances: [elsewhere] })
  const call = world.edge('edge-a').callFrom('10.0.9.9')
  await world.scaleIn()
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('an instance that is terminated already is completed at once as gone, and nothing is written to an edge', async () => {
  const world = createWorld({ instances: [facts({ state: 'terminated' })] })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.age()).toBeLessThan(1 * minutes)
  expect(await world.record()).toMatchObject({ result: 'gone' })
  expect(world.writes()).toEqual([])
  await world.reconcile()
  expect(await world.memory.store.holds()).toEqual([])
})

test('an instance that is shutting down already is completed at once as gone, and stays disabled', async () => {
  const world = createWorld({ instances: [facts({ state: 'shutting-down' })] })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.age()).toBeLessThan(1 * minutes)
  expect(await world.record()).toMatchObject({ result: 'gone' })
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
  expect(await world.memory.store.holds()).toMatchObject([{ source: 'retired' }])
})

test('an instance that EC2 does not know is asked for for minutes, as it may be too young, and completed as gone then', async () => {
  const world = createWorld({ instances: [] })
  await world.scaleIn()
  await world.pass(4 * minutes)
  expect(world.ended()).toEqual([])
  await world.until((record) => record?.state === 'ended')
  expect(world.age()).toBeLessThan(8 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(await world.record()).toMatchObject({ result: 'gone' })
  expect(world.writes()).toEqual([])
})

test('an instance that EC2 knows some seconds after its drain began is drained, calls and all', async () => {
  const world = createWorld({ instances: [] })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(20 * seconds)
  world.memory.instances.put(facts())
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.flags()).toEqual(everywhere('DX'))
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(await world.record()).toMatchObject({ result: 'drained' })
})

test('an instance that dies mid-drain is completed as gone, and stays disabled', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  world.memory.instances.setState(instanceId, 'terminated')
  await world.settle()
  await world.pass(1 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/2': 'DX' })
  expect(await world.heldBy()).toEqual([`retired/${instanceId}/drain-calls`])
})

const tagged = 'sip:media.example.com:5080;transport=tcp'
const ipv6 = 'sip:[2001:db8::20]:5060'
const byDuid = 'sip:edge-local:5062'
const mixed = [
  { set: 1, uri: server },
  { set: 1, uri: neighbour },
  { set: 1, uri: 'sip:10.0.1.2:5060' },
  { set: 2, uri: tagged },
  { set: 3, uri: ipv6 },
  { set: 4, uri: byDuid, duid: instanceId },
]

test("an instance's addresses, duid and tag name its whole set: all are disabled, and drained needs all", async () => {
  const world = createWorld({
    edges: [{ file: mixed }],
    instances: [
      facts({ addresses: ['10.0.1.20', '2001:db8::20'], taggedDestinations: ['media.example.com'] }),
    ],
  })
  const a = world.edge('edge-a')
  const calls = [tagged, ipv6, byDuid].map((uri) => a.callTo(uri))
  await world.scaleIn()
  await world.pass(1 * minutes)
  const disabled = a
    .truth()
    .entries.filter(({ flags }) => flags === 'DX')
    .map(({ uri }) => uri)
  expect(disabled.sort()).toEqual([server, tagged, ipv6, byDuid].sort())
  for (const call of some(calls)) {
    await world.pass(5 * minutes)
    expect(world.ended()).toEqual([])
    a.hangUp(call)
  }
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a lifecycle drain of a destination that is listed twice without duids is never called drained; policy decides', async () => {
  const twice = [
    { set: 1, uri: server },
    { set: 1, uri: server },
  ]
  const world = createWorld({ edges: [{ file: twice }] })
  await world.scaleIn()
  await world.pass(50 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ edges: [{ outcome: 'refused' }] })
  await world.pass(15 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.memory.events.of('Drain Overdue')).toHaveLength(1)
})

test('several instances come to their hooks at once, and each waits for its own calls only', async () => {
  const other = 'i-00000000000000021'
  const world = createWorld({ instances: [facts(), facts({ instanceId: other, addresses: ['10.0.1.21'] })] })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  const token = '21212121-2121-2121-2121-212121212121'
  world.beginAction({ instanceId: other, token })
  await world.lifecycle(
    message('lifecycle-terminate-scale-in', { EC2InstanceId: other, LifecycleActionToken: token }),
  )
  await world.pass(5 * minutes)
  expect(world.memory.lifecycleActions.ended()).toMatchObject([{ instanceId: other, result: 'CONTINUE' }])
})

test('retain: after the deadline the instance is kept, and it goes when its last call is over', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }))
  const world = createWorld({ config: { groups } })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(70 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'ABANDON' }])
  world.edge('edge-a').strangerSets('a', 1, server)
  await world.pass(5 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX' })
  let terminated = 0
  Object.assign(world.memory.lifecycleActions, {
    terminate: async () => {
      terminated += 1
      return 'completed'
    },
  })
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(terminated).toBe(1)
})

test("two edges that spell one server differently are both disabled by an operator's drain", async () => {
  const bare = 'sip:10.0.1.20'
  const world = createWorld({ edges: [{ id: 'edge-a' }, { id: 'edge-b', file: [{ set: 1, uri: bare }] }] })
  await world.command(command('command-drain-destination', { destination: '10.0.1.20' }))
  await world.pass(10 * seconds)
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(world.flags(bare)).toEqual({ 'edge-b/1': 'DX' })
})

describe('an address that instances of two VPCs have', () => {
  const twin = facts({ instanceId: 'i-00000000000000002' })
  const { group: _group, ...stranger } = twin
  const byAlarm = JSON.parse(message('alarm-tag-target'))

  test('means the one of our groups: its drain counts its calls, and ends with its machine', async () => {
    const world = createWorld({ instances: [stranger, facts()] })
    await world.command(command('command-drain-destination', { id: 'drain-1' }))
    await world.pass(1 * minutes)
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(await world.hold()).toMatchObject({ subject: { kind: 'instance', instanceId } })
  })

  test.each([
    ['a command', (world: World) => world.command(command('command-drain-destination', { id: 'drain-1' }))],
    ['an alarm', (world: World) => world.alarm(JSON.stringify(byAlarm))],
  ])('and is told apart by nothing: %s holds the bare destination', async (_, ask) => {
    const config = { alarms: [{ name: byAlarm.detail.alarmName, target: server }] }
    const world = createWorld({ instances: [twin, facts()], config })
    const call = world.edge('edge-a').callTo(server)
    await ask(world)
    await world.pass(10 * minutes)
    expect(world.flags()).toEqual(everywhere('DX'))
    const { source, id, subject } = await world.hold()
    expect(subject).toEqual({ kind: 'uri', uri: server })
    world.edge('edge-a').hangUp(call)
    await world.until((record) => record?.state === 'drained', `${source}/${id}`)
  })
})

test('an alarm on an instance that EC2 does not know is refused', async () => {
  const world = createWorld({ instances: [] })
  await expect(world.alarm(message('alarm-metric-alarm'))).rejects.toMatchObject({
    name: 'UnknownDestination',
    message: expect.stringContaining(instanceId),
  })
})

test('an address that EC2 shows after the drain of a young machine began is disabled and counted, too', async () => {
  const world = createWorld()
  const young = { launchedAt: world.clock.now() }
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.9.9'] }))
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(8 * seconds)
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.9.9', '10.0.1.20'] }))
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.flags()).toEqual(everywhere('DX'))
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
})

test('a young machine of which no edge lists the addresses that EC2 shows is not confirmed until one does', async () => {
  const world = createWorld({ instances: [] })
  const young = { launchedAt: world.clock.now() }
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.1.99'] }))
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(30 * seconds)
  expect(await world.record()).not.toHaveProperty('confirmedAt')
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.1.99', '10.0.1.20'] }))
  await world.pass(1 * minutes)
  expect(world.memory.events.of('Drain Confirmed')).toHaveLength(1)
  expect(world.flags()).toEqual(everywhere('DX'))
  world.edge('edge-a').hangUp(call)
})

test('a machine whose address EC2 shows while a look is under way is confirmed by a look that knows it', async () => {
  const world = createWorld({ instances: [facts({ addresses: [] })] })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(30 * seconds)
  world.memory.instances.put(facts())
  await world.pass(2 * minutes)
  expect(world.memory.events.of('Drain Confirmed')).toMatchObject([{ edges: [{}, {}] }])
})
