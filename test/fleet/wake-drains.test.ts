import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import { present } from '../present.ts'
import { lists } from '../world/readings-world.ts'
import {
  command,
  config,
  createWorld,
  gapsOf,
  hours,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

/** The schedule of settle, beside the test. */
function scheduled(world: World) {
  let over = false
  const everyMinute = async () => {
    while (!over) {
      const next = world.clock.now() + 1 * minutes
      await world.settle().catch(() => undefined)
      await world.clock.sleep(Math.max(0, next - world.clock.now()))
    }
  }
  void everyMinute()
  return () => {
    over = true
  }
}

/** A drain with a call on each of two edges, long after it began. */
async function draining() {
  const world = createWorld()
  const hangUps = world.edges.map((edge) => {
    const call = edge.callTo(server)
    return () => edge.hangUp(call)
  })
  const stop = scheduled(world)
  await world.scaleIn()
  await world.pass(20 * minutes)
  const hangUp = (index: number) => present(hangUps[index], `edge ${index}`)()
  return { world, hangUp, stop }
}
const attempts = (world: World) => world.executions.map(({ input }) => input.attempt)

test('while calls are up a drain is looked at for its heartbeats, and no edge is asked for it', async () => {
  const { world } = await draining()
  const looks = world.looks()
  await world.pass(10 * minutes)
  // 300 s are the hook's timeout: a look each 100 s.
  expect(world.looks() - looks).toBe(6)
  expect(world.memory.settles.asked.length).toBeLessThan(10)
  expect(attempts(world)).toEqual([1])
})

test('the end of the last call wakes the drain: it is over within 45 s, whenever that is', async () => {
  for (const moment of [0, 7, 23, 31, 46, 59]) {
    const { world, hangUp, stop } = await draining()
    hangUp(0)
    await world.pass(1 * minutes + moment * seconds)
    expect(attempts(world)).toEqual([1])
    hangUp(1)
    const at = world.age()
    await world.until((record) => record?.state === 'ended')
    expect(world.age() - at).toBeLessThan(45 * seconds)
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
    expect(attempts(world)).toEqual([1, 2])
    stop()
  }
})

test('the end of the last call wakes the drain also where a reload finds it', async () => {
  const { world, hangUp, stop } = await draining()
  hangUp(0)
  await world.pass(1 * minutes)
  stop()
  await world.pass(1 * minutes)
  hangUp(1)
  await world.command(command('command-reload'))
  expect(attempts(world)).toEqual([1, 2])
})

test('edges with calls of what is held are read every 20 s, others once a minute', async () => {
  const { world, hangUp } = await draining()
  hangUp(1)
  await world.pass(3 * minutes)
  const before = world.edges.map(({ requests }) => lists(requests))
  await world.pass(5 * minutes)
  const read = world.edges.map(({ requests }, index) => lists(requests) - (before[index] ?? 0))
  expect(read).toEqual([15, 5])
})

test('a waking that meets a look at work is tried again', async () => {
  const { world, hangUp } = await draining()
  const { putDrain } = world.memory.store
  let conflicts = 0
  Object.assign(world.memory.store, {
    putDrain: async (record: Parameters<typeof putDrain>[0]) => {
      if (record.attempt === 1 || conflicts === 2) return putDrain(record)
      conflicts += 1
      return 'conflict'
    },
  })
  hangUp(0)
  hangUp(1)
  const at = world.age()
  await world.until((record) => record?.state === 'ended')
  expect(conflicts).toBe(2)
  expect(world.age() - at).toBeLessThan(45 * seconds)
})

test.each([
  ['written down', 'store.putDrain'],
  ['started', 'workflows.start'],
])('a waking that is killed before it is %s is made up for by the next look', async (_, method) => {
  const kill = { now: false }
  const world = createWorld({
    watch: {
      before(called) {
        if (kill.now && called === method) {
          kill.now = false
          throw new Error('killed')
        }
      },
    },
  })
  const call = world.edge('edge-a').callTo(server)
  scheduled(world)
  await world.scaleIn()
  await world.until((record) => record?.confirmedAt !== undefined)
  await world.pass(10 * minutes)
  // Right after a look, so that the next call of the method is the waking's.
  const looks = world.looks()
  while (world.looks() === looks) await world.pass(1 * seconds)
  await world.pass(1 * seconds)
  kill.now = true
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(kill.now).toBe(false)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(await world.record()).toMatchObject({ result: 'drained' })
})

test('a drain that is drained is not woken: only a look of its own makes it draining again', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  scheduled(world)
  await world.command(command('command-drain-destination'))
  await world.pass(10 * minutes)
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'drained', 'operator/10.0.1.20:5060;udp/alice')
  const woken = attempts(world)
  world.stop()
  const again = world.edge('edge-a').callFrom('10.0.1.20')
  await world.pass(2 * minutes)
  world.edge('edge-a').hangUp(again)
  await world.pass(5 * minutes)
  expect(attempts(world)).toEqual(woken)
})

test('a hook of 30 s stays alive while no settle answers, calls up or not', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    ...{ heartbeatTimeoutSeconds: 30, drainDeadlineSeconds: 2900 },
  }))
  const world = createWorld({ config: { groups } })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(20 * seconds)
  const now = world.clock.now()
  for (const { id } of world.edges) await world.memory.store.takeEdge(id, 'slow', now, now + 1 * hours)
  await world.pass(20 * minutes)
  const beats = world.memory.lifecycleActions.heartbeats.map(({ at }) => at - world.startedAt)
  expect(Math.max(...gapsOf(beats))).toBeLessThan(30 * seconds)
  expect(beats.at(-1)).toBeGreaterThan(19 * minutes)
})

test('a look whose own settle finds the last call over, and wakes the drain, has not failed: the next attempt looks', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.confirmedAt !== undefined)
  world.stop()
  await world.settle()
  await world.pass(1 * minutes)
  world.edge('edge-a').hangUp(call)
  const input = world.payload()
  expect(await look(world.ports, input)).toMatchObject({ next: 'ended', attempt: 1 })
  expect(attempts(world)).toEqual([1, 2])
})

test('a drain whose first reading came late is looked at soon, calls up or not, until it is confirmed', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.settledAll()
  const now = world.clock.now()
  for (const { id } of world.edges) await world.memory.store.takeEdge(id, 'slow', now, now + 3 * seconds)
  await world.scaleIn()
  await world.pass(40 * seconds)
  expect(await world.record()).toMatchObject({ confirmedAt: expect.any(Number) })
})

test("a call that comes to an operator's drained server makes its drain draining again, and its end wakes it", async () => {
  const world = createWorld()
  const stop = scheduled(world)
  const id = 'operator/10.0.1.20:5060;udp/alice'
  await world.command(command('command-drain-destination'))
  await world.until((record) => record?.state === 'drained', id)
  const edge = world.edge('edge-a')
  const call = edge.callTo(server)
  await world.pass(10 * minutes)
  const record = await world.record(id)
  expect(record.state).toBe('draining')
  expect(record.result).toBeUndefined()
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ state: 'draining', callsLeft: 1 })
  edge.hangUp(call)
  const from = world.age()
  await world.until((latest) => latest?.state === 'drained', id)
  expect(world.age() - from).toBeLessThan(90 * seconds)
  expect(world.memory.events.of('Drain Drained')).toHaveLength(2)
  stop()
})
