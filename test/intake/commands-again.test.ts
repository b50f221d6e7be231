import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import {
  command,
  createWorld,
  everywhere,
  facts,
  file,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

type Changes = Readonly<Record<string, unknown>>
const key = '10.0.1.20:5060;udp/alice'
const drain = (changes: Changes = {}) => command('command-drain-destination', { id: 'drain-1', ...changes })
const activate = (changes: Changes = {}) => command('command-activate', { id: 'activate-1', ...changes })
const activateInstance = command('command-activate-instance', { id: 'activate-1' })

async function unlist(world: World): Promise<void> {
  for (const edge of world.edges) {
    edge.writeFile(file.filter(({ uri }) => uri !== server))
    edge.strangerReloads()
  }
  await world.pass(10 * seconds)
  await world.reconcile()
}

/** An instance that its operator holds, and that EC2 has forgotten since. */
async function forgotten(): Promise<World> {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.memory.instances.forget(instanceId)
  await world.pass(10 * minutes)
  return world
}

test.each([
  ['destination', activate(), `${instanceId}/alice`],
  ['instance', command('command-activate-instance', { id: 'activate-1' }), key],
])(
  'an activate of the %s lifts no hold but the one of what it names, and names the other',
  async (_, first, other) => {
    const world = createWorld()
    await world.command(drain())
    await world.command(command('command-drain-instance', { id: 'drain-2' }))
    expect(await world.command(first)).toMatchObject({
      result: 'lifted',
      stillHeld: [{ source: 'operator', id: other, who: 'alice' }],
    })
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(world.writes().filter((write) => !/^(dispatcher\.set_state d|htable\.seti)/.test(write))).toEqual(
      [],
    )
    await world.command(activate({ id: 'activate-2', holdId: other }))
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  },
)

test('a drain that is asked for again of the machine that has the address now has a drain of its own', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command(drain())
  await world.pass(1 * minutes)
  const newcomer = 'i-0fedcba9876543210'
  world.memory.instances.setState(instanceId, 'terminated')
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  await world.lifecycle(message('lifecycle-launch-scale-out', { EC2InstanceId: newcomer }))
  await world.pass(6 * seconds)
  await world.command(drain({ id: 'drain-2' }))
  await world.pass(10 * minutes)
  expect(await world.record(`operator/${key}`)).toMatchObject({
    attempt: 2,
    state: 'draining',
    subject: { instanceId: newcomer },
  })
})

test('an operator lifts their hold of an instance that EC2 shows as terminated', async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.memory.instances.setState(instanceId, 'terminated')
  expect(await world.command(activateInstance)).toMatchObject({ result: 'lifted' })
})

test('an operator lifts their hold of an instance that EC2 has forgotten', async () => {
  const world = await forgotten()
  expect(await world.command(activateInstance)).toMatchObject({ result: 'lifted' })
  expect(await world.heldBy()).toEqual([])
})

test('so does a run that comes after one that was killed when it had lifted it', async () => {
  const world = await forgotten()
  world.memory.store.failNext('raiseWanted', new Error('killed'))
  await expect(world.command(activateInstance, 7e12)).rejects.toThrow('killed')
  expect(await world.heldBy()).toEqual([])
  expect(await world.command(activateInstance, 7e12)).toMatchObject({ lifted: [{ who: 'alice' }] })
})

test.each([
  ['name', { uri: 'sip:ms1.example:5060' }],
  ['duid', { uri: 'sip:192.0.2.7:5060', duid: instanceId }],
])('an activate of an entry that an instance is held with by its %s names who holds it', async (_, line) => {
  const world = createWorld({ edges: [{ id: 'edge-a', names: { 'ms1.example': '10.0.1.20' } }] })
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.edge('edge-a').writeFile([...file, { set: 1, flags: 'AP', ...line }])
  world.edge('edge-a').strangerReloads()
  await world.pass(10 * seconds)
  await world.reconcile()
  expect(await world.command(activate({ destination: line.uri, requestedBy: 'bob' }))).toMatchObject({
    result: 'nothing-to-lift',
    stillHeld: [{ who: 'alice' }],
  })
})

test.each([
  ['placed its hold', 'placeWaiting', 'after', 'started'],
  ['started its drain', 'putCommandOutcome', 'before', 'duplicate'],
] as const)(
  'a drain whose run was killed when it had %s is finished, also where its server has left the lists',
  async (_, method, when, result) => {
    const world = createWorld()
    await world.settledAll()
    world.memory.store.failNext(method, new Error('killed'), when)
    await expect(world.command(drain(), 7)).rejects.toThrow('killed')
    await unlist(world)
    expect(await world.command(drain(), 7)).toMatchObject({ result, destinations: [server] })
  },
)

test('another reload with an id that has been answered is refused', async () => {
  const world = createWorld()
  const reload = command('command-reload')
  await world.command(reload)
  await expect(world.command({ ...reload, edge: 'edge-a', reason: 'other' })).rejects.toThrow(
    'another command had the id',
  )
  expect(await world.command(reload)).toMatchObject({ command: 'reload' })
})

test('a command that a former release has answered is compared by what its outcome names', async () => {
  const world = createWorld()
  await world.command(drain())
  world.memory.store.commandAsked = async () => undefined
  expect(await world.command(drain({ reason: 'new kernel' }))).toMatchObject({ result: 'started' })
  await expect(world.command(drain({ requestedBy: 'bob' }))).rejects.toThrow('another command had the id')
})

test.each([
  ['activate', activate({ id: 'drain-1' })],
  ['of somebody else', drain({ requestedBy: 'bob' })],
  ['destination', drain({ destination: 'sip:10.0.1.21:5060' })],
  ['that is a dry run', drain({ dryRun: true })],
  ['that is forced', drain({ force: 'it burns' })],
  ['with an end', drain({ until: '2099-01-01T00:00:00Z' })],
  ['for another reason', drain({ reason: 'new kernel' })],
])('another command %s with an id that has been answered is refused', async (_, other) => {
  const world = createWorld()
  await world.command(drain())
  await expect(world.command(other)).rejects.toMatchObject({
    name: 'CommandRefused',
    message: expect.stringContaining('another command had the id drain-1'),
  })
  expect(await world.command(drain())).toMatchObject({ command: 'drain', result: 'started' })
})

test('an activate of a URI that was killed when it had lifted is answered with that, also where it is listed no more', async () => {
  const world = createWorld()
  await world.command(drain(), 1)
  world.memory.store.failNext('raiseWanted', new Error('killed'))
  await expect(world.command(activate(), 2)).rejects.toThrow('killed')
  expect(await world.heldBy()).toEqual([])
  await unlist(world)
  expect(await world.command(activate(), 2)).toMatchObject({ result: 'lifted', lifted: [{ id: key }] })
})
