import { expect, test } from 'vitest'
import { orderOf } from '../../functions/control/hold.ts'
import { message } from '../contracts/event-files.ts'
import { holdOf } from '../world/settle-world.ts'
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

const newcomer = 'i-0fedcba9876543210'
const retired = (world: World) =>
  world.memory.store
    .holds()
    .then((holds) => holds.filter(({ source, lifted }) => source === 'retired' && !lifted))

/** The server is drained and its machine is gone; its mark keeps the destination disabled. */
async function retiredWorld() {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
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
  expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
  await listed(
    world,
    file.filter(({ uri }) => uri !== server),
  )
  expect(await retired(world)).toEqual([])
  const records = await Promise.all(world.edges.map(({ id }) => world.memory.store.edgeRecords(id)))
  expect(records).toEqual([[], []])
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
  await world.until((record) => record?.state === 'ended')
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
  await world.until((record) => record?.state === 'ended')
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
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toContainEqual(expect.objectContaining({ result: 'CONTINUE', by: 'completion' }))
  expect(world.ended()).toHaveLength(2)
  await world.pass(10 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

/** 200 machines, listed on one edge, with a mark each. */
async function manyMarked(state: 'running' | 'terminated') {
  const machines = Array.from({ length: 200 }, (_, n) => ({
    uri: `sip:10.0.2.${n}:5060`,
    facts: facts({ instanceId: `i-${String(n).padStart(17, '0')}`, addresses: [`10.0.2.${n}`] }),
  }))
  const lines = machines.map(({ uri }) => ({ set: 1, uri }))
  const world = createWorld({
    edges: [{ id: 'edge-a', file: lines }],
    instances: machines.map((machine) => ({ ...machine.facts, state })),
  })
  await world.settledAll()
  for (const { uri, facts: shown } of machines) await placeMark(world, uri, shown)
  return world
}

async function placeMark(world: World, uri: string, shown: ReturnType<typeof facts>): Promise<void> {
  const { instanceId: id, launchedAt, addresses } = shown
  const subject = { kind: 'instance', instanceId: id, launchedAt } as const
  const mark = { source: 'retired', id, subject, addresses, placedAt: world.clock.now() } as const
  const order = orderOf(world.clock.now())
  await world.memory.store.putHold(holdOf(uri, { ...mark, order }))
}

test('a mark ends with the next minute also beside those of 200 machines, whether they live or are gone', async () => {
  for (const state of ['running', 'terminated'] as const) {
    const world = await manyMarked(state)
    const dead = facts({ instanceId: 'i-0ffffffffffffffff', state: 'terminated', addresses: ['10.0.9.9'] })
    world.memory.instances.put(dead)
    await placeMark(world, 'sip:10.0.9.9:5060', dead)
    await world.pass(1 * minutes)
    await world.settle()
    await world.reconcile()
    expect(await retired(world)).toHaveLength(200)
  }
})

test('each minute EC2 is asked who has the address of ten marks, others the next', async () => {
  const world = await manyMarked('terminated')
  const asked = new Set<string>()
  const { byAddress } = world.memory.instances
  const askedFor = async (host: string) => {
    asked.add(host)
    return byAddress(host)
  }
  Object.assign(world.memory.instances, { byAddress: askedFor })
  await world.reconcile()
  expect(asked.size).toBe(10)
  await everyMinute(world, 12)
  expect(asked.size).toBeGreaterThan(15)
})

test.each([
  ['Stopped', 'at once'],
  ['Stopped', 'late'],
  ['Stopped', 'never'],
  ['Running', 'at once'],
  ['Running', 'late'],
] as const)(
  'an action that somebody else completed leaves nothing on its machine that is back from a warm pool (%s, its news come %s)',
  async (pool, comes) => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    const { action } = await leaving(world)
    await world.pass(20 * seconds)
    await world.memory.lifecycleActions.complete(action, 'CONTINUE')
    await world.pass(10 * seconds)
    const at = world.clock.now()
    if (pool === 'Stopped') world.memory.instances.put(facts({ launchedAt: at }))
    if (comes === 'late') await world.until((record) => record?.state === 'ended')
    if (comes !== 'never') await comesBack(world, at)
    await everyMinute(world, 5)
    expect(await world.heldBy()).toEqual([])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  },
)

async function leaving(world: World) {
  const token = '87654321-4321-4321-4321-210987654321'
  world.beginAction({ token })
  const time = new Date(world.clock.now()).toISOString()
  await world.lifecycle(message('lifecycle-terminate-to-warm-pool', { time }))
  return { action: { group: 'media-servers', hook: 'drain-calls', token, instanceId } }
}

async function comesBack(world: World, at: number): Promise<void> {
  world.beginAction({ hook: 'admit-calls', token: '87654321-4321-4321-4321-210987654326' })
  const time = new Date(at).toISOString()
  await world.lifecycle(message('lifecycle-launch-from-warm-pool', { time }))
}
