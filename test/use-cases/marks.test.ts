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
  server,
  type World,
} from './world.ts'

const newcomer = 'i-0fedcba9876543210'
const retired = (world: World) =>
  world.memory.store
    .holds()
    .then((holds) => holds.filter(({ source, lifted }) => source === 'retired' && !lifted))

/** The server is drained and its machine is gone; its mark keeps the destination disabled. */
async function retiredWorld() {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'retired')
  world.memory.instances.put(facts({ state: 'terminated' }))
  await world.lifecycle(message('terminate-successful'))
  await world.until((record) => record?.state === 'ended')
  return world
}

async function everyMinute(world: World, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await world.reconcile()
    await world.pass(1 * minutes)
  }
}

async function listed(world: World, lines: typeof file): Promise<void> {
  for (const edge of world.edges) {
    edge.writeFile(lines)
    edge.strangerReloads()
  }
  await everyMinute(world, 2)
}

test('a mark ends within minutes once the machine is gone and no edge lists what it had', async () => {
  const world = await retiredWorld()
  await everyMinute(world, 5)
  expect(await retired(world)).toHaveLength(1)
  expect(world.flags()).toEqual(everywhere('DX'))
  await listed(
    world,
    file.filter(({ uri }) => uri !== server),
  )
  expect(await retired(world)).toEqual([])
  expect(await world.formerFlags()).toEqual({})
  await listed(world, file)
  await everyMinute(world, 5)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a mark stays while an edge is away that may list what its machine had', async () => {
  const world = await retiredWorld()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  b.misbehaviour = { unreachable: true }
  a.writeFile(file.filter(({ uri }) => uri !== server))
  a.strangerReloads()
  await everyMinute(world, 3)
  expect(await retired(world)).toHaveLength(1)
})

test('a mark stays while what its machine had moves from one list to another between their readings', async () => {
  const world = await retiredWorld()
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  const without = file.filter(({ uri }) => uri !== server)
  a.writeFile(without)
  a.strangerReloads()
  await everyMinute(world, 3)
  a.writeFile(file)
  a.strangerReloads()
  b.writeFile(without)
  b.strangerReloads()
  // Another run is about to read the edge that lists it now.
  const now = world.clock.now()
  const generation = await world.memory.store.takeEdge('edge-a', 'another run', now, now + 12_000)
  await world.reconcile()
  await world.memory.store.giveUpEdge('edge-a', generation ?? 0, 0)
  expect(await retired(world)).toHaveLength(1)
  await everyMinute(world, 3)
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('a launch that EC2 does not know yet comes again until it does, and is admitted then', async () => {
  const world = await retiredWorld()
  await everyMinute(world, 1)
  const launch = () => world.lifecycle(message('launch-successful', { EC2InstanceId: newcomer }))
  await expect(launch()).rejects.toThrow('EC2 does not know')
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  await launch()
  expect(await retired(world)).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a mark ends beside that of a machine that had its address later, though both are gone and it is listed still', async () => {
  const world = await retiredWorld()
  const mark = await world.hold()
  const subject = { kind: 'instance', instanceId: newcomer, launchedAt: world.clock.now() } as const
  await world.memory.store.putHold({ ...mark, id: `${newcomer}/drain-calls`, subject })
  world.memory.instances.put(
    facts({ instanceId: newcomer, state: 'terminated', launchedAt: world.clock.now() }),
  )
  await everyMinute(world, 2)
  expect((await retired(world)).map(({ id }) => id)).toEqual([`${newcomer}/drain-calls`])
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('the news of its own launch, doubled and late, does not end the mark of a machine', async () => {
  const world = await retiredWorld()
  world.memory.instances.put(facts({ state: 'running' }))
  world.beginAction({ hook: 'admit-calls', token: '87654321-4321-4321-4321-210987654324' })
  const time = new Date(facts().launchedAt).toISOString()
  await world.lifecycle(message('lifecycle-launch-scale-out', { EC2InstanceId: instanceId, time }))
  expect(await retired(world)).toHaveLength(1)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test("an operator's hold of a machine that is gone and listed nowhere ends within minutes, one of a machine that lives stays", async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await listed(
    world,
    file.filter(({ uri }) => uri !== server),
  )
  await everyMinute(world, 5)
  expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
  world.memory.instances.put(facts({ state: 'terminated' }))
  await everyMinute(world, 3)
  expect(await world.heldBy()).toEqual([])
})

test('a mark stays while EC2 shows its machine, listed or not', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'retired')
  await listed(
    world,
    file.filter(({ uri }) => uri !== server),
  )
  await everyMinute(world, 5)
  expect(await retired(world)).toHaveLength(1)
})

test('a mark that is older than the life which has its address now ends, also where it was listed after the launch', async () => {
  const world = await retiredWorld()
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  await everyMinute(world, 1)
  expect(world.flags()).toEqual(everywhere('DX'))
  await everyMinute(world, 2)
  expect(await retired(world)).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a launch whose action was lost is admitted by the news that it succeeded, and by no such news of a drained machine', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'retired')
  world.memory.instances.put(facts({ state: 'terminated' }))
  const late = { EC2InstanceId: instanceId, time: '2026-11-22T19:00:00Z' }
  await world.lifecycle(message('launch-successful', late))
  expect(world.flags()).toEqual(everywhere('DX'))
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  await world.lifecycle(message('launch-successful', { EC2InstanceId: newcomer }))
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(await retired(world)).toEqual([])
})

test('a machine that was gone, and whose address was launched anew, before the next look: its action is completed', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  world.memory.instances.put(facts({ state: 'terminated' }))
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  world.beginAction({
    instanceId: newcomer,
    hook: 'admit-calls',
    token: '87654321-4321-4321-4321-210987654399',
  })
  await world.lifecycle(
    message('lifecycle-launch-scale-out', {
      EC2InstanceId: newcomer,
      LifecycleActionToken: '87654321-4321-4321-4321-210987654399',
    }),
  )
  await world.until((record) => record?.state === 'ended' || record?.state === 'retired')
  expect(world.ended()).toContainEqual(expect.objectContaining({ result: 'CONTINUE', by: 'completion' }))
  expect(world.ended()).toHaveLength(2)
  await world.pass(10 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})
