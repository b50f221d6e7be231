import { expect, test } from 'vitest'
import { EventRefused } from '../../functions/aws/events.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import type { Events } from '../../functions/ports/events.ts'
import { command, createWorld, hours, minutes, seconds, server } from '../world/world.ts'

test('a kept event that the bus never takes keeps no other from being published', async () => {
  const world = createWorld()
  const { events } = world.memory
  const { publish } = events
  let isDown = true
  Object.assign(events, {
    publish: async (event: Parameters<typeof publish>[0]) => {
      if (event.detail['edge'] === 'edge-1') throw new EventRefused('entry too large', true)
      if (isDown) throw new Error('ServiceUnavailable')
      return publish(event)
    },
  })
  for (const edge of ['edge-1', 'edge-2']) {
    await world.ports.events.publish({ type: 'Edge Released', detail: { edge, who: 'alice', why: 'lost' } })
    await world.pass(1 * seconds)
  }
  isDown = false
  await world.ports.events.publishKept()
  expect(events.of('Edge Released')).toMatchObject([{ edge: 'edge-2' }])
})

test('a drain goes on when its events can be neither published nor kept: they come in order once they can', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  const refuse = async () => {
    throw new Error('refused')
  }
  const { publish } = world.memory.events
  const { keepEvent } = world.memory.store
  Object.assign(world.memory.events, { publish: refuse } satisfies Partial<Events>)
  Object.assign(world.memory.store, { keepEvent: refuse })
  await world.pass(5 * minutes)
  world.edge('edge-a').hangUp(call)
  await world.pass(20 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  Object.assign(world.memory.events, { publish })
  Object.assign(world.memory.store, { keepEvent })
  const before = world.memory.events.published.length
  await world.pass(10 * minutes)
  const types = world.memory.events.published.slice(before).map(({ type }) => type)
  expect(types.slice(-2)).toEqual(['Lifecycle Action Completed', 'Drain Ended'])
  expect(world.memory.metrics.total('EventsLost')).toBe(0)
})

test('past the deadline a hold that can not be read is unknown, and the policy decides', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  Object.assign(world.memory.store, {
    hold: async () => {
      throw new UnexpectedAnswer('HOLD#: nonsense')
    },
  })
  await world.pass(3 * hours)
  expect(world.ended()).toHaveLength(1)
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([{ unknown: ['HOLD#: nonsense'] }])
})

test('what an alarm is raised on is counted while the bus takes no event, and once', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  const { publish } = world.memory.events
  const refuse = async () => {
    throw new Error('refused')
  }
  Object.assign(world.memory.events, { publish: refuse } satisfies Partial<Events>)
  await world.command(command('command-drain-destination', { id: 'drain-1' }))
  await world.pass(5 * hours)
  expect(world.memory.events.of('Drain Overdue')).toEqual([])
  expect(world.memory.metrics.total('DrainsPastDeadline')).toBe(1)
  Object.assign(world.memory.events, { publish })
  await world.pass(10 * minutes)
  expect(world.memory.events.of('Drain Overdue')).toHaveLength(1)
  expect(world.memory.metrics.total('DrainsPastDeadline')).toBe(1)
})

test('no event of a drain is published before an earlier one that the bus has refused', async () => {
  const world = createWorld()
  const { events } = world.memory
  const { publish } = events
  let refusals = 0
  Object.assign(events, {
    publish: async (event: Parameters<typeof publish>[0]) => {
      if (event.type === 'Drain Started' && refusals < 2) {
        refusals += 1
        throw new Error('ServiceUnavailable')
      }
      return publish(event)
    },
  })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  expect(refusals).toBe(2)
  const types = events.published.map(({ type }) => type)
  expect(types[0]).toBe('Drain Started')
  expect(types).toEqual(expect.arrayContaining(['Drain Progress', 'Drain Confirmed']))
})
