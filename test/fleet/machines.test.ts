import { expect, test } from 'vitest'
import { readable } from '../../functions/control/reading.ts'
import { look } from '../../functions/drain/look.ts'
import { readMachines } from '../../functions/fleet/read-machines.ts'
import { present } from '../present.ts'
import { readingOf } from '../world/settle-world.ts'
import {
  config,
  createWorld,
  drainId,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const groups = config.groups.map((group) => ({
  ...group,
  callCount: { kind: 'asterisk', user: 'control', passwordParameter: '/media/ari' } as const,
}))

/** When EC2 and the media servers were asked. */
function watching(world: World) {
  const asked = { ec2: [] as number[], calls: [] as number[] }
  const { instances, mediaServers } = world.memory
  const { inGroups } = instances
  const { activeCalls } = mediaServers
  Object.assign(instances, {
    inGroups: async (groups: readonly string[]) => {
      asked.ec2.push(world.clock.now())
      await world.clock.sleep(200)
      return inGroups(groups)
    },
  })
  Object.assign(mediaServers, {
    activeCalls: async (of: Parameters<typeof activeCalls>[0]) => {
      asked.calls.push(world.clock.now())
      return activeCalls(of)
    },
  })
  return asked
}

/** A drain that nobody looks at any more. */
async function draining() {
  const world = createWorld()
  world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 3 })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * minutes)
  await world.settledAll()
  return world
}

test('machines are asked by one run at a time', async () => {
  const world = await draining()
  const asked = watching(world)
  const now = world.clock.now()
  await Promise.all(Array.from({ length: 20 }, () => readMachines(world.ports, now)))
  expect(asked).toEqual({ ec2: [now], calls: [now] })
  expect(await world.memory.store.machines()).toMatchObject({
    askedAt: now,
    answeredAt: now + 200,
    gone: [],
    calls: { [drainId]: 3 },
  })
})

test('machines are not asked again within the shortest wait, nor for what is known already', async () => {
  const world = await draining()
  const asked = watching(world)
  const from = world.clock.now()
  while (world.clock.now() < from + 10 * seconds) {
    await readMachines(world.ports, world.clock.now())
    await world.pass(1 * seconds)
  }
  expect(asked.calls).toEqual([from, from + 5 * seconds, from + 10 * seconds])
  await readMachines(world.ports, from + 10 * seconds)
  expect(asked.calls).toHaveLength(3)
  // That a machine is gone may be known a minute late.
  expect(asked.ec2).toEqual([from])
})

test('a run that was killed keeps machines from being asked no longer than its lease', async () => {
  const world = await draining()
  const asked = watching(world)
  const now = world.clock.now()
  await world.memory.store.takeEdge('/machines', 'killed', now, now + 30 * seconds)
  await readMachines(world.ports, now)
  expect(asked.ec2).toEqual([])
  await world.pass(30 * seconds)
  await readMachines(world.ports, now)
  expect(asked.ec2).toEqual([now + 30 * seconds])
})

test('who only disables asks no media server, and EC2 only where the inventory is old', async () => {
  const world = await draining()
  const asked = watching(world)
  await world.settle({ kind: 'settle' })
  await world.settle({ kind: 'settle' })
  expect(asked.ec2.length).toBeLessThanOrEqual(1)
  expect(asked.calls).toEqual([])
})

test("a media server's count from before the look ends nothing", async () => {
  const world = createWorld({ config: { groups } })
  const { mediaServers, store } = world.memory
  mediaServers.setCalls('media-servers', { '10.0.1.20': 1 })
  await world.scaleIn()
  await world.pass(2 * minutes)
  world.stop()
  expect(world.ended()).toEqual([])
  mediaServers.setCalls('media-servers', { '10.0.1.20': 0 })
  await world.pass(1 * minutes)
  await world.settle()
  expect(readable(await store.machines())?.calls).toEqual({ [drainId]: 0 })
  mediaServers.setCalls('media-servers', { '10.0.1.20': 1 })
  const now = world.clock.now()
  await world.pass(1 * seconds)
  // Another run asks, and is not done in time.
  const generation = present(
    await store.takeEdge('/machines', 'slow', now, now + 10 * minutes),
    'lease of the machines',
  )
  const input = world.payload()
  expect(await look(world.ports, input)).toMatchObject({ next: 'observe' })
  for (const id of ['edge-a', 'edge-b']) expect((await readingOf(world, id)).askedAt).toBeGreaterThan(now)
  await store.giveUpEdge('/machines', generation, 0)
  mediaServers.setCalls('media-servers', { '10.0.1.20': 0 })
  await world.pass(10 * seconds)
  expect(await look(world.ports, input)).toMatchObject({ next: 'ended' })
})

test('a media server that does not answer is unknown, and keeps no other from being counted', async () => {
  const world = await draining()
  world.memory.mediaServers.setCalls('media-servers', {})
  await world.pass(10 * seconds)
  await world.settle()
  expect(await world.memory.store.machines()).toMatchObject({
    calls: { [drainId]: { unknown: 'no media server answers at 10.0.1.20' } },
  })
})

test('where EC2 refuses, what was read of edges and media servers is kept, and the request comes again', async () => {
  const world = await draining()
  const { gone } = present(readable(await world.memory.store.machines()), 'reading of machines')
  world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 2 })
  const now = world.clock.now()
  world.memory.instances.failNext('inGroups', new Error('RequestLimitExceeded'))
  await expect(world.settle({ kind: 'settle', notBefore: now })).rejects.toThrow('RequestLimitExceeded')
  for (const id of ['edge-a', 'edge-b'])
    expect((await readingOf(world, id)).askedAt).toBeGreaterThanOrEqual(now)
  expect(await world.memory.store.machines()).toMatchObject({ gone, calls: { [drainId]: 2 } })
  await world.settle({ kind: 'settle', notBefore: now })
  expect(readable(await world.memory.store.machines())?.askedAt).toBeGreaterThanOrEqual(now)
})

test('where EC2 refuses, the minute counts what the edges say all the same', async () => {
  const world = await draining()
  const before = world.memory.metrics.counted.length
  world.memory.instances.failNext('inGroups', new Error('RequestLimitExceeded'))
  await expect(world.settle()).rejects.toThrow('RequestLimitExceeded')
  expect(world.memory.metrics.counted.slice(before)).toContainEqual(
    expect.objectContaining({ name: 'DrainingServers', value: 1 }),
  )
})

test('a held instance that EC2 shows as gone is said to be', async () => {
  const world = await draining()
  world.memory.instances.setState(instanceId, 'terminated')
  await world.pass(10 * seconds)
  await world.settle()
  expect(await world.memory.store.machines()).toMatchObject({ gone: [instanceId] })
})

test('a held instance that EC2 has shown is not gone by being missing, which says nothing', async () => {
  const world = await draining()
  world.memory.instances.forget(instanceId)
  await world.pass(10 * minutes)
  await world.settle()
  expect(await world.memory.store.machines()).toMatchObject({ gone: [] })
})
