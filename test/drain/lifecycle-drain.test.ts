import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  everywhere,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

test('a scale-in is disabled in every set on every edge, keeps its calls, and continues only after the last one', async () => {
  const world = createWorld()
  const { memory } = world
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  const first = a.callTo(server)
  const second = b.callFrom('10.0.1.20')
  await world.scaleIn()
  await world.pass(10 * seconds)

  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.flags(neighbour)).toEqual(everywhere('AP', 'AX'))
  expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
  expect(memory.events.of('Drain Confirmed')).toHaveLength(1)
  expect(await world.heldBy()).toEqual([`lifecycle/${instanceId}/drain-calls`])

  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  a.hangUp(first)
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  b.hangUp(second)
  const lastBye = world.age()
  await world.until((record) => record?.state === 'ended')

  const [ended] = world.ended()
  expect(ended).toMatchObject({ result: 'CONTINUE', by: 'completion' })
  expect(ended?.at).toBeGreaterThan(lastBye + 10 * seconds)
  expect(await world.heldBy()).toEqual([`retired/${instanceId}/drain-calls`])

  memory.instances.setState(instanceId, 'terminated')
  await world.lifecycle(message('terminate-successful'))
  await world.until((record) => record?.state === 'ended')
  expect(await world.heldBy()).toEqual([`retired/${instanceId}/drain-calls`])
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.writes().filter((write) => !/^(dispatcher\.set_state d|htable\.seti)/.test(write))).toEqual([])
  expect(await world.execution().done).toMatchObject({ status: 'SUCCEEDED' })
  expect(memory.events.of('Drain Ended')).toMatchObject([{ drainId, result: 'drained' }])
})

test('a drain is confirmed by two read-backs at least two seconds apart', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.pass(1.9 * seconds)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.memory.events.of('Drain Confirmed')).toEqual([])
  await world.pass(10 * seconds)
  expect(world.memory.events.of('Drain Confirmed')).toMatchObject([
    {
      drainId,
      edges: [
        { edge: 'edge-a', outcome: 'applied' },
        { edge: 'edge-b', outcome: 'applied' },
      ],
    },
  ])
  const lists = world.edge('edge-a').requests.filter((request) => request === 'dispatcher.list').length
  expect(lists).toBeGreaterThanOrEqual(3)
})

test('an edge that answers Ok and does nothing confirms nothing, and its zero does not count', async () => {
  const world = createWorld()
  const edge = world.edge('edge-a')
  edge.misbehaviour = { deafWrites: true }
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(world.memory.events.of('Drain Confirmed')).toEqual([])
  expect(world.ended()).toEqual([])
  edge.misbehaviour = {}
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.events.of('Drain Confirmed')).toHaveLength(1)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('the former flags are recorded once and never as our own D', async () => {
  const world = createWorld()
  await world.command(command('command-drain-destination'))
  await world.scaleIn()
  await world.pass(1 * minutes)
  expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
})

test('zeros count only when they are further apart than the fail-over window', async () => {
  const world = createWorld({ config: { timers: { ...config.timers, failoverWindowSeconds: 60 } } })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()[0]?.at).toBeGreaterThan(60 * seconds)
})

test('an edge that was up for less than the longest call can have forgotten calls, unless it restores them', async () => {
  const young = { bootedAt: Date.UTC(2026, 10, 22, 19) }
  const forgetful = createWorld({ edges: [{ ...young }] })
  const restoring = createWorld({ edges: [{ ...young, restoresDialogs: true }] })
  const counted = createWorld({ edges: [{ ...young }] })
  counted.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 0 })
  const endedOf = async (world: typeof counted) => {
    await world.scaleIn()
    await world.pass(5 * minutes)
    const ended = world.ended()
    world.stop()
    return ended
  }
  expect(await endedOf(forgetful)).toEqual([])
  expect(await endedOf(restoring)).toMatchObject([{ result: 'CONTINUE' }])
  expect(await endedOf(counted)).toMatchObject([{ result: 'CONTINUE' }])
})

test("the media server's own calls are waited for, also those that no edge knows", async () => {
  const world = createWorld()
  world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 1 })
  await world.scaleIn()
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  world.memory.mediaServers.setCalls('media-servers', {})
  await world.pass(10 * minutes)
  expect(world.ended()).toEqual([])
  world.memory.mediaServers.setCalls('media-servers', { '10.0.1.20': 0 })
  await world.pass(5 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})
