import { describe, expect, test } from 'vitest'
import type { Hold } from '../../functions/control/hold.ts'
import { message } from '../contracts/event-files.ts'
import { present } from '../present.ts'
import { command, verbatim } from '../world/samples.ts'
import { holdOf, want } from '../world/settle-world.ts'
import {
  createWorld,
  drainId,
  facts,
  file,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const subject = { kind: 'instance', instanceId, launchedAt: 0 } as const
const unresolved = (changes: Partial<Hold> = {}): Hold =>
  holdOf(server, {
    ...{ source: 'lifecycle', id: `${instanceId}/drain-calls`, wholeInstance: true, uris: [], subject },
    ...changes,
  })
/** Lifted ones too. */
const theHold = async (world: World): Promise<Hold> =>
  present(await world.memory.store.hold('lifecycle', `${instanceId}/drain-calls`, subject), 'lifecycle hold')

/** EC2 refuses everything from now on; {@link createWorld}'s first minute has read the inventory. */
function ec2Refuses(world: World) {
  const refuse = async () => {
    throw new Error('RequestLimitExceeded')
  }
  Object.assign(world.memory.instances, { inGroups: refuse, byIds: refuse, byAddress: refuse })
}

test('while EC2 refuses, a server that scales in is disabled by what the inventory showed before', async () => {
  const world = createWorld()
  await world.settledAll()
  ec2Refuses(world)
  await world.pass(30 * minutes)
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(3 * seconds)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  expect(await theHold(world)).toMatchObject({ addresses: ['10.0.1.20'], group: 'media-servers' })
})

test('the hold of a server is placed by its id before EC2 is asked: entries with its id as duid get no new calls', async () => {
  const named = file.map((entry) => ({ ...entry, ...(entry.uri === server && { duid: instanceId }) }))
  const world = createWorld({ instances: [], edges: [{ id: 'edge-a', file: named }] })
  await world.settledAll()
  ec2Refuses(world)
  world.memory.instances.put(facts())
  await world.scaleIn()
  await world.pass(20 * seconds)
  expect(await theHold(world)).toMatchObject({ addresses: [], uris: [] })
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('what a server has is counted only once its address is known: nothing is concluded before', async () => {
  const world = createWorld({ instances: [] })
  await world.settledAll()
  ec2Refuses(world)
  await world.scaleIn()
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  expect(await world.record()).not.toHaveProperty('confirmedAt')
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: ['edge-a', 'edge-b'].map((edge) =>
      expect.stringContaining(`${edge}: it was not read since the server's address was known`),
    ),
  })
})

test('while EC2 refuses, edges are settled for everything else, and the request comes again', async () => {
  const world = createWorld({ instances: [] })
  await world.settledAll()
  ec2Refuses(world)
  await world.scaleIn()
  await world.pass(10 * seconds)
  const { store } = world.memory
  await store.putHold(holdOf(neighbour))
  await store.raiseWanted()
  await expect(world.settle({ kind: 'settle' })).rejects.toThrow('RequestLimitExceeded')
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/2': 'DX' })
})

test('what was lifted while EC2 was asked stays lifted', async () => {
  const world = createWorld({ instances: [] })
  await world.settledAll()
  await world.scaleIn()
  world.stop()
  const placed = await theHold(world)
  world.memory.instances.put(facts())
  const { inGroups } = world.memory.instances
  Object.assign(world.memory.instances, {
    inGroups: async (groups: readonly string[]) => {
      await world.memory.store.putHold({ ...placed, lifted: { at: world.clock.now(), by: 'alice' } })
      return inGroups(groups)
    },
  })
  await world.pass(1 * minutes)
  await world.settle()
  expect(await theHold(world)).toMatchObject({ lifted: { by: 'alice' } })
  expect(await world.memory.store.holds()).toEqual([])
})

test('a later life of the same instance is not what an older hold speaks of, however young both are', async () => {
  const world = createWorld({ instances: [] })
  world.memory.instances.put(facts({ launchedAt: world.clock.now() - 1 * minutes }))
  await world.pass(10 * seconds)
  await world.scaleIn()
  await world.pass(10 * seconds)
  world.stop()
  const before = await theHold(world)
  expect(before.addresses).toEqual(['10.0.1.20'])
  world.memory.instances.put(facts({ launchedAt: world.clock.now(), addresses: ['10.0.1.21'] }))
  await world.pass(1 * minutes)
  await world.settle()
  expect(await theHold(world)).toEqual(before)
})

test('what a hold covers it goes on covering when another address of its machine is shown', async () => {
  const world = createWorld({ instances: [] })
  await world.settledAll()
  world.stop()
  const launchedAt = world.clock.now()
  const [delisted, former] = [verbatim('sip:fs1.example:5060'), verbatim('sip:10.0.1.20:5090')]
  await want(
    world,
    unresolved({
      subject: { ...subject, launchedAt },
      ...{ addresses: ['10.0.1.20'], uris: [delisted], formerUris: [former] },
    }),
  )
  world.memory.instances.put(facts({ launchedAt, addresses: ['10.0.1.21'] }))
  await world.pass(6 * seconds)
  await world.settle({ kind: 'settle' })
  expect(await theHold(world)).toMatchObject({
    addresses: ['10.0.1.20', '10.0.1.21'],
    uris: expect.arrayContaining([delisted, server, neighbour]),
    formerUris: [former],
  })
})

test('an event that comes twice before the first look leaves what was resolved', async () => {
  const world = createWorld()
  world.stop()
  await world.scaleIn()
  await world.pass(10 * seconds)
  expect(await world.record()).toMatchObject({ state: 'claimed' })
  const before = await theHold(world)
  expect(before.addresses).toEqual(['10.0.1.20'])
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  expect(await theHold(world)).toEqual(before)
})

test('a run that was killed before the hold was placed is finished by the first look', async () => {
  const world = createWorld()
  await world.settledAll()
  // What the claim did before it was killed.
  world.memory.store.failNext('putHold', new Error('killed'))
  world.beginAction()
  await expect(world.lifecycle(message('lifecycle-terminate-scale-in'))).rejects.toThrow('killed')
  expect(await world.heldBy()).toEqual([])
  expect(await world.record()).toMatchObject({ state: 'claimed' })
  await world.ports.workflows.start({
    ...{ drainId, attempt: 1, next: 'observe', waitSeconds: 1, retrySeconds: 1 },
  })
  await world.pass(20 * seconds)
  expect(await theHold(world)).toMatchObject({ addresses: ['10.0.1.20'] })
  expect(world.memory.events.of('Drain Started')).toHaveLength(1)
})

test('a machine that EC2 would have to be asked for keeps no other from being resolved', async () => {
  const old = facts({ instanceId: 'i-0aaaaaaaaaaaaaaaa', addresses: ['10.0.1.21'] })
  const world = createWorld({ instances: [old] })
  await world.settledAll()
  ec2Refuses(world)
  await world.scaleIn()
  world.beginAction({ instanceId: old.instanceId })
  await world.lifecycle(
    message('lifecycle-terminate-scale-in', {
      EC2InstanceId: old.instanceId,
      LifecycleActionToken: 'another',
    }),
  )
  await world.pass(5 * seconds)
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/2': 'DX' })
})

test('what was held by its id alone stays disabled when its action is completed', async () => {
  const named = file.map((entry) => ({ ...entry, ...(entry.uri === server && { duid: instanceId }) }))
  const world = createWorld({ instances: [], edges: [{ id: 'edge-a', file: named }] })
  await world.settledAll()
  ec2Refuses(world)
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  await world.settle().catch(() => undefined)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
  expect(await world.memory.store.holds()).toMatchObject([{ source: 'retired' }])
})

describe('a call is counted under a name that has left the list before the server was held', () => {
  const name = verbatim('sip:fs1.example:5060')
  const others = file.filter(({ uri }) => uri !== server)

  test.each([
    ['duid', { duid: instanceId }, []],
    ['tag', {}, [name]],
  ])('where nothing but its %s made it the server’s', async (_, told, taggedDestinations) => {
    const world = createWorld({
      instances: [facts({ taggedDestinations })],
      edges: [{ id: 'edge-a', file: [...others, { set: 1, uri: name, flags: 'AP', ...told }] }],
    })
    await world.settledAll()
    const edge = world.edge('edge-a')
    const call = edge.callTo(name)
    edge.writeFile(others)
    edge.strangerReloads()
    await world.pass(1 * minutes)
    await world.settle()
    await world.scaleIn()
    await world.pass(10 * minutes)
    expect(world.ended()).toEqual([])
    edge.hangUp(call)
    await world.pass(3 * minutes)
    expect(world.ended()).toHaveLength(1)
  })
})

describe('a call is counted under what another edge had listed of the server before it was held', () => {
  const odd = verbatim('sip:10.0.1.20:5090')
  /** Edge-a has listed it, edge-b never has. */
  async function oddlyListed(): Promise<World> {
    const world = createWorld({
      edges: [
        { id: 'edge-a', file: [...file, { set: 1, uri: odd, flags: 'AP' }] },
        { id: 'edge-b', file },
      ],
    })
    await world.settledAll()
    world.edge('edge-a').writeFile(file)
    world.edge('edge-a').strangerReloads()
    await world.pass(1 * minutes)
    await world.settle()
    return world
  }

  test.each([
    ['can be read', false],
    ['can not be read when it is held', true],
  ])('where that edge %s', async (_, isAway) => {
    const world = await oddlyListed()
    const a = world.edge('edge-a')
    const b = world.edge('edge-b')
    if (isAway) a.misbehaviour = { unreachable: true }
    await world.pass(1 * minutes)
    await world.settle()
    const call = b.callTo(odd)
    await world.scaleIn()
    await world.pass(1 * minutes)
    a.misbehaviour = {}
    await world.pass(10 * minutes)
    expect(world.ended()).toEqual([])
    b.hangUp(call)
    await world.pass(3 * minutes)
    expect(world.ended()).toHaveLength(1)
  })

  test('an operator’s drain of the instance counts it, too', async () => {
    const world = await oddlyListed()
    const call = world.edge('edge-b').callTo(odd)
    await world.command(command('command-drain-instance'))
    await world.pass(10 * minutes)
    expect(world.memory.events.of('Drain Drained')).toEqual([])
    world.edge('edge-b').hangUp(call)
    await world.pass(3 * minutes)
    expect(world.memory.events.of('Drain Drained')).toHaveLength(1)
  })
})
