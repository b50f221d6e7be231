import { describe, expect, test } from 'vitest'
import { command, verbatim } from '../world/samples.ts'
import { createWorld, facts, file, minutes, neighbour, seconds, server, type World } from '../world/world.ts'

describe('what a hold covers is resolved again each time, however old its machine is', () => {
  const odd = verbatim('sip:192.0.2.7:5060')
  const listOn = (world: World, uri: string) => {
    for (const edge of world.edges) {
      edge.writeFile([...file, { set: 1, uri, flags: 'AP' }])
      edge.strangerReloads()
    }
  }

  test('a destination that its tag names and that is listed in the middle of a drain is disabled and counted', async () => {
    const world = createWorld({ instances: [facts({ taggedDestinations: [odd] })] })
    const call = world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(1 * minutes)
    listOn(world, odd)
    await world.pass(2 * minutes)
    await world.reconcile()
    expect(world.flags(odd)).toEqual({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
    world.edge('edge-b').callTo(odd)
    world.edge('edge-a').hangUp(call)
    await world.pass(20 * minutes)
    expect(world.ended()).toEqual([])
  })

  test('an operator’s hold of a machine covers what its tag names and what is listed later', async () => {
    const world = createWorld({ instances: [facts({ taggedDestinations: [odd] })] })
    await world.command(command('command-drain-instance'))
    await world.pass(1 * minutes)
    listOn(world, odd)
    await world.pass(1 * minutes)
    await world.reconcile()
    await world.pass(10 * seconds)
    expect(world.flags(odd)).toEqual({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
  })

  const elastic = facts({ addresses: ['10.0.1.20', '192.0.2.7'] })

  test('an address that it got after the inventory was asked, and before it was held, is its own', async () => {
    const world = createWorld()
    await world.settledAll()
    await world.reconcile()
    await world.pass(20 * seconds)
    world.memory.instances.put(elastic)
    listOn(world, odd)
    world.edge('edge-a').callTo(odd)
    await world.pass(20 * seconds)
    await world.scaleIn()
    await world.pass(10 * minutes)
    expect(world.flags(odd)).toEqual({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
    expect(world.ended()).toEqual([])
  })

  test('an address that it gets in the middle of its drain is its own', async () => {
    const world = createWorld()
    const call = world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(1 * minutes)
    world.memory.instances.put(elastic)
    listOn(world, odd)
    await world.pass(1 * minutes)
    world.edge('edge-a').callTo(odd)
    world.edge('edge-a').hangUp(call)
    await world.pass(10 * minutes)
    expect(world.ended()).toEqual([])
  })
})

describe('while EC2 refuses, nobody knows whether a machine got an address before it was held', () => {
  const refusing = async (world: World) => {
    await world.pass(20 * seconds)
    const { inGroups } = world.memory.instances
    const refuse = async () => {
      throw new Error('RequestLimitExceeded')
    }
    Object.assign(world.memory.instances, { inGroups: refuse })
    return () => Object.assign(world.memory.instances, { inGroups })
  }

  test('its drain is unknown until EC2 was asked since, and covers what EC2 shows then', async () => {
    const world = createWorld()
    await world.reconcile()
    const answersAgain = await refusing(world)
    world.memory.instances.put(facts({ addresses: ['10.0.1.20', '192.0.2.7'] }))
    for (const edge of world.edges) edge.writeFile([{ set: 1, uri: 'sip:192.0.2.7:5060', flags: 'AP' }])
    for (const edge of world.edges) edge.strangerReloads()
    const edge = world.edge('edge-a')
    const call = edge.callTo('sip:192.0.2.7:5060')
    await world.scaleIn()
    await world.pass(10 * minutes)
    expect(world.ended()).toEqual([])
    expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
      verdict: 'unknown',
      unknown: ['edge-a', 'edge-b'].map((id) =>
        expect.stringContaining(`${id}: EC2 has not answered since the server was held`),
      ),
    })
    answersAgain()
    await world.pass(10 * minutes)
    expect(world.flags('sip:192.0.2.7:5060')).toEqual({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
    expect(world.ended()).toEqual([])
    edge.hangUp(call)
    await world.until((record) => record?.state === 'ended')
  })

  test('the deadline ends it as its policy for what is unknown says', async () => {
    const world = createWorld()
    await world.reconcile()
    await refusing(world)
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    expect(world.age()).toBeGreaterThan(60 * minutes)
    expect(world.memory.events.of('Drain Overdue').at(-1)).toMatchObject({
      because: 'calls are unknown (unknown: terminate)',
    })
  })

  test('the drain of a URI and that of a server whose own count is 0 need no EC2', async () => {
    const world = createWorld()
    world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 0 })
    await world.reconcile()
    const drain = await world.command(command('command-drain-destination', { destination: neighbour }))
    expect(drain).toMatchObject({ result: 'started' })
    await refusing(world)
    await world.scaleIn()
    await world.pass(5 * minutes)
    expect(world.memory.events.of('Drain Drained')).toMatchObject([{ uris: [neighbour] }])
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  })
})

test('a young machine that one edge lists under an address EC2 does not show yet has no zero on that edge', async () => {
  const second = 'sip:10.0.1.99:5060'
  const world = createWorld({
    instances: [],
    edges: [
      { id: 'edge-a', file },
      { id: 'edge-b', file: [{ set: 1, uri: second, flags: 'AP' }] },
    ],
  })
  const young = { launchedAt: world.clock.now() }
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.1.20'] }))
  await world.settledAll()
  world.edge('edge-b').callTo(second)
  await world.scaleIn()
  await world.pass(2 * minutes)
  expect(world.ended()).toEqual([])
  world.memory.instances.put(facts({ ...young, addresses: ['10.0.1.20', '10.0.1.99'] }))
  await world.pass(4 * minutes)
  expect(world.ended()).toEqual([])
  expect(world.flags(second)).toEqual({ 'edge-b/1': 'DX' })
})
