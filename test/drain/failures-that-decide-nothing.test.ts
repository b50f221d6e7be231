import { expect, test } from 'vitest'
import type { Drain } from '../../functions/control/drain.ts'
import { message } from '../contracts/event-files.ts'
import {
  config,
  createWorld,
  drainId,
  everywhere,
  gapsOf,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const policies = config.groups.map((group) => ({
  ...group,
  drainDeadlineSeconds: 3600,
  deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' } as const,
}))

/** The event bus refuses everything until `end`. */
function refuseEvents(world: World, end: number): void {
  const { publish } = world.memory.events
  Object.assign(world.memory.events, {
    publish: async (event: Parameters<typeof publish>[0]) => {
      if (world.age() < end) throw new Error('AccessDeniedException: not authorized to perform PutEvents')
      return publish(event)
    },
  })
}

test('events that are refused from the beginning keep no drain from its end', async () => {
  const world = createWorld()
  refuseEvents(world, Number.POSITIVE_INFINITY)
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.memory.metrics.total('EventsRefused')).toBeGreaterThan(2)
})

test('events that are refused do not move the deadline', async () => {
  const world = createWorld({ config: { groups: policies } })
  refuseEvents(world, Number.POSITIVE_INFINITY)
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.age()).toBeGreaterThanOrEqual(60 * minutes)
  expect(world.age()).toBeLessThan(65 * minutes)
})

test('what was refused is published when the bus takes events again, in order, with when it happened', async () => {
  const world = createWorld()
  refuseEvents(world, 30 * minutes)
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  await world.reconcile()
  expect(world.memory.events.published).toEqual([])
  await world.pass(30 * minutes)
  await world.reconcile()
  const types = world.memory.events.published.map(({ type }) => type)
  expect(types.slice(0, 2)).toEqual(['Drain Started', 'Drain Confirmed'])
  expect(types).toContain('Lifecycle Action Completed')
  const times = world.memory.events.published.map(({ detail: { ['happenedAt']: at } }) => Number(at))
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(times.at(-1)).toBeLessThan(world.startedAt + 10 * minutes)
  const count = types.length
  await world.reconcile()
  expect(world.memory.events.published).toHaveLength(count)
})

/** The drain's row is not in the table, or the table answers nothing. */
function lose(world: World, read: () => Promise<undefined>): void {
  const { drain } = world.memory.store
  Object.assign(world.memory.store, {
    drain: (id: string) => (id === drainId && world.age() > 5 * minutes ? read() : drain(id)),
  })
}

test.each([
  ['is missing', async () => undefined],
  ['can not be read', () => Promise.reject(new Error('ProvisionedThroughputExceeded'))],
])('a drain whose record %s is kept alive, and ends nothing', async (_, read) => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  lose(world, read)
  await world.scaleIn()
  await world.pass(90 * minutes)
  expect(world.ended()).toEqual([])
  const beats = world.memory.lifecycleActions.heartbeats.map(({ at }) => at)
  expect(Math.max(...gapsOf([...beats, world.clock.now()]))).toBeLessThan(200 * seconds)
})

test('that nobody can read the edges is published once, and not at each look', async () => {
  let broken = false
  const world = createWorld({
    watch: {
      before(method) {
        if (broken && method === 'store.putReading') throw new Error('denied')
      },
    },
  })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  broken = true
  await world.pass(10 * minutes)
  const before = world.looks()
  const progress = world.memory.events.of('Drain Progress').length
  await world.pass(20 * minutes)
  expect(world.looks()).toBeGreaterThan(before + 5)
  expect(world.memory.events.of('Drain Progress')).toHaveLength(progress)
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({ verdict: 'unknown' })
})

test('a completion that is refused for an hour is tried on: its heartbeats go on, and then it is done', async () => {
  const world = createWorld()
  const { complete } = world.memory.lifecycleActions
  Object.assign(world.memory.lifecycleActions, {
    complete: async (...args: Parameters<typeof complete>) => {
      if (world.age() < 60 * minutes) throw new Error('Throttling: Rate exceeded')
      return complete(...args)
    },
  })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.memory.events.of('Lifecycle Action Completion Failed').length).toBeGreaterThan(1)
})

test('a record that was lost and is claimed anew by its message begins anew: its call is waited for', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  const { drain, putDrain } = world.memory.store
  const named = (record: Drain, id: string): Drain =>
    record.action ? { ...record, hold: { ...record.hold, id } } : { ...record, hold: { ...record.hold, id } }
  Object.assign(world.memory.store, {
    drain: async (id: string) => {
      const found = await drain(`${id}~again`)
      return found && named(found, id.slice('lifecycle/'.length))
    },
    putDrain: (record: Drain) => putDrain(named(record, `${record.hold.id}~again`)),
  })
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  await world.pass(30 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})
