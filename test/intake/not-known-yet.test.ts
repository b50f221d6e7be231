import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
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
const alarms = 'alarm/media-server-cpu'
const alices = `operator/${instanceId}/alice`
const other = facts({ instanceId: 'i-0987654321fedcba0', addresses: ['10.0.1.21'] })
const fleet = [facts(), other]
const drain = command('command-drain-destination', { id: 'drain-1' })
const drainInstance = (id: string) => command('command-drain-instance', { id })

const inAlarm = ({ memory, clock }: World) =>
  memory.alarms.show('media-server-cpu', { value: 'ALARM', since: clock.now() })

/** @returns what has EC2 answer again */
function refuse({ memory: { instances } }: World): () => void {
  const answers = { ...instances }
  const refused = async () => {
    throw new Error('RequestLimitExceeded')
  }
  Object.assign(instances, { inGroups: refused, byIds: refused, byAddress: refused })
  return () => Object.assign(instances, answers)
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

test('while EC2 refuses nobody knows what a scale-in takes of a floor: drains by choice wait', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  await world.settledAll()
  world.ports.settles.ask = async () => undefined
  await world.scaleIn()
  refuse(world)
  await world.pass(10 * seconds)
  expect(await world.command({ ...drain, destination: 'sip:10.0.1.21:5060' })).toMatchObject({
    ...{ result: 'waiting', because: `EC2 has not shown what addresses ${instanceId} has` },
  })
})

test.each([
  ['EC2 does not know yet', []],
  ['EC2 shows without an address yet', [facts({ addresses: [], state: 'pending' })]],
])('a scale-in of a machine that %s takes what nobody knows: drains by choice wait', async (_, shown) => {
  const clearance = { floors: [{ set: 1, count: 1 }] }
  const world = createWorld({ config: { ...config, clearance }, instances: [other] })
  await world.settledAll()
  for (const each of shown) world.memory.instances.put({ ...each, launchedAt: world.clock.now() })
  await world.scaleIn()
  await world.pass(10 * seconds)
  expect(await world.command({ ...drain, destination: 'sip:10.0.1.21:5060' })).toMatchObject({
    ...{ result: 'waiting', because: `EC2 has not shown what addresses ${instanceId} has` },
  })
  await world.pass(5 * minutes)
  await world.sweep()
  expect(await waitingIn(world)).toEqual([])
})

test('while EC2 refuses nobody knows what an instance takes of a floor: its drain waits, unless it is forced', async () => {
  const clearance = { floors: [{ set: 1, count: 1 }] }
  const world = createWorld({ config: { ...config, clearance }, instances: [] })
  await world.settledAll()
  inAlarm(world)
  const answersAgain = refuse(world)
  const because = `EC2 has not shown what addresses ${instanceId} has`
  const dryRun = command('command-drain-instance', { id: 'plan', dryRun: true })
  expect(await world.command(dryRun)).toMatchObject({ clearance: { begins: false, because } })
  expect(await world.command(drainInstance('drain-1'))).toMatchObject({ result: 'waiting', because })
  await world.alarm(alarm)
  expect([await world.heldBy(), await waitingIn(world)]).toEqual([
    [],
    expect.arrayContaining([alarms, alices]),
  ])
  const forced = command('command-drain-instance', { id: 'drain-2', requestedBy: 'bob', force: 'it burns' })
  expect(await world.command(forced)).toMatchObject({ result: 'started' })
  answersAgain()
  world.memory.instances.put(facts())
  await world.pass(1 * minutes)
  await world.sweep()
  expect(await waitingIn(world)).toEqual([])
  expect(await world.heldBy()).toEqual([alarms, alices, `operator/${instanceId}/bob`])
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('what waits for an instance that EC2 turns out not to know is dropped with the reason', async () => {
  const clearance = { floors: [{ set: 1, count: 1 }] }
  const world = createWorld({ config: { ...config, clearance }, instances: [] })
  await world.settledAll()
  const answersAgain = refuse(world)
  await world.command(drainInstance('drain-1'))
  answersAgain()
  await world.pass(1 * minutes)
  await world.sweep()
  expect(await waitingIn(world)).toEqual([alices])
  await world.pass(5 * minutes)
  await world.sweep()
  expect(await waitingIn(world)).toEqual([])
  const by = `EC2 shows no machine ${instanceId} that is up`
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: alices, by }])
})

describe('where floors are by group, while EC2 refuses', () => {
  const byGroup = { floors: [{ group: 'media-servers', count: 1 }] }
  const refusing = async () => {
    const world = createWorld({ config: { ...config, clearance: byGroup }, instances: fleet })
    await world.settledAll()
    await world.pass(30 * seconds)
    return { world, answersAgain: refuse(world) }
  }

  test('a freeze is answered, also while drains wait', async () => {
    const { world } = await refusing()
    await world.command(drain)
    const freeze = { version: 1, id: 'freeze-1', command: 'freeze', reason: 'work', requestedBy: 'alice' }
    expect(await world.command(freeze)).toMatchObject({ result: 'frozen' })
  })

  test('force begins', async () => {
    const { world } = await refusing()
    const forced = { ...drain, force: 'it burns' }
    expect(await world.command(forced)).toMatchObject({ result: 'started' })
  })

  test("an alarm's drain waits, is no dead letter, and begins once EC2 answers", async () => {
    const { world, answersAgain } = await refusing()
    inAlarm(world)
    await world.alarm(alarm)
    expect([await world.heldBy(), await waitingIn(world)]).toEqual([[], [alarms]])
    answersAgain()
    await world.pass(1 * minutes)
    await world.sweep()
    expect([await world.heldBy(), await waitingIn(world)]).toEqual([[alarms], []])
  })

  test('a drain of a destination waits with the reason', async () => {
    const { world } = await refusing()
    expect(await world.command(drain)).toMatchObject({
      ...{
        result: 'waiting',
        because: expect.stringMatching(/EC2 does not answer which servers are of group/),
      },
    })
  })
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
