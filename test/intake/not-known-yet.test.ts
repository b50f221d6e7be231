import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import {
  command,
  config,
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

const alarm = message('alarm-metric-alarm')
const drain = command('command-drain-destination', { id: 'drain-1' })
const drainInstance = (id: string) => command('command-drain-instance', { id })

function refuse({ memory }: World): void {
  const refused = async () => {
    throw new Error('RequestLimitExceeded')
  }
  Object.assign(memory.instances, { inGroups: refused, byIds: refused, byAddress: refused })
}

test.each([
  ['an alarm on an instance', (world: World) => world.alarm(alarm)],
  ['a drain of an instance', (world: World) => world.command(drainInstance('drain-1'))],
  ['a drain of a destination', (world: World) => world.command(drain)],
])('%s is in force while EC2 refuses: what it covers is known from before', async (_, ask) => {
  const world = createWorld()
  await world.settledAll()
  await world.pass(30 * seconds)
  refuse(world)
  await ask(world)
  await world.pass(30 * seconds)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('a drain of an instance that is asked for again while EC2 refuses opens nothing, whether EC2 showed it with our groups or not', async () => {
  const { group: _, ...ofNobody } = facts()
  const world = createWorld({ instances: [ofNobody] })
  await world.command(drainInstance('drain-1'))
  await world.pass(1 * minutes)
  refuse(world)
  await world.command(drainInstance('drain-2'))
  await world.pass(2 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.writes().filter((write) => /set_state a/.test(write))).toEqual([])
})

test('while EC2 refuses nobody knows what an instance takes of a floor: its drain comes again, unless it is forced', async () => {
  const clearance = { floors: [{ set: 1, count: 1 }] }
  const world = createWorld({ config: { ...config, clearance }, instances: [] })
  await world.settledAll()
  const { instances } = world.memory
  const answers = { ...instances }
  refuse(world)
  await expect(world.command(drainInstance('drain-1'))).rejects.toThrow('EC2 does not answer')
  await expect(world.alarm(alarm)).rejects.toThrow('EC2 does not answer')
  expect([await world.heldBy(), await world.memory.store.waiting()]).toEqual([[], { drains: [], unread: [] }])
  const forced = command('command-drain-instance', { id: 'drain-2', force: 'it burns' })
  expect(await world.command(forced)).toMatchObject({ result: 'started' })
  Object.assign(instances, answers)
  instances.put(facts())
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('an activate of a destination is done while EC2 refuses', async () => {
  const world = createWorld()
  await world.command(drain)
  await world.pass(1 * minutes)
  refuse(world)
  expect(await world.command(command('command-activate', { id: 'activate-1' }))).toMatchObject({
    result: 'lifted',
  })
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('what was held by its bare id is one hold when EC2 shows the instance, and its OK lifts that', async () => {
  const world = createWorld({ instances: [] })
  await world.settledAll()
  const { instances } = world.memory
  const answers = { ...instances }
  refuse(world)
  await world.alarm(alarm)
  await world.pass(30 * seconds)
  expect(await world.memory.store.holds()).toMatchObject([{ subject: { instanceId, launchedAt: 0 } }])
  Object.assign(instances, answers)
  instances.put(facts())
  await world.pass(2 * minutes)
  expect(await world.memory.store.holds()).toMatchObject([
    { subject: { instanceId, launchedAt: facts().launchedAt } },
  ])
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.alarm(message('alarm-metric-ok'))
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test.each([
  ['an alarm', (world: World) => world.alarm(alarm)],
  ['a command', (world: World) => world.command(drainInstance('drain-1'))],
])('%s on an instance that no edge lists yet is in force as soon as one does', async (_, ask) => {
  const world = createWorld({ edges: [{ file: file.filter(({ uri }) => uri !== server) }] })
  await ask(world)
  for (const edge of world.edges) {
    edge.writeFile(file)
    edge.strangerReloads()
  }
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(Object.values(world.flags())).toEqual(['DX', 'DX'])
})

test('a drain of an instance that no edge lists is lifted by its activate', async () => {
  const world = createWorld({ instances: [facts({ addresses: ['10.0.9.9'] })] })
  await world.command(drainInstance('drain-1'))
  await world.pass(1 * minutes)
  expect(await world.command(command('command-activate-instance', { id: 'activate-1' }))).toMatchObject({
    result: 'lifted',
  })
  expect(await world.memory.store.holds()).toEqual([])
})
