import { expect, test } from 'vitest'
import { EventRefused } from '../../functions/aws/events.ts'
import { keepingEvents } from '../../functions/stored/keep-events.ts'
import { memoryPorts } from '../memory/ports.ts'

const released = { type: 'Edge Released', detail: { edge: 'edge-a', who: 'alice', why: 'lost' } } as const

test('an event comes with its version, at once and after it was kept', async () => {
  const ports = memoryPorts()
  const events = keepingEvents({ ...ports, bus: ports.events })
  await events.publish(released)
  ports.events.failNext('publish', new EventRefused('throttled', false))
  await events.publish(released)
  await events.publishKept()
  expect(ports.events.of('Edge Released')).toEqual([
    { version: 1, ...released.detail },
    { version: 1, happenedAt: expect.any(Number), ...released.detail },
  ])
})

test('an event keeps the version that it was kept with', async () => {
  const ports = memoryPorts()
  const event = { ...released, detail: { ...released.detail, version: 0 } }
  await ports.store.keepEvent({ id: '1', at: 1, event, reason: 'throttled' })
  const published: unknown[] = []
  const bus = { publish: async (each: { readonly detail: object }) => void published.push(each.detail) }
  await keepingEvents({ ...ports, bus }).publishKept()
  expect(published).toEqual([{ happenedAt: 1, ...event.detail }])
})

test('an event is cut before it is kept: a row takes no more than the bus', async () => {
  const ports = memoryPorts()
  ports.events.failNext('publish', new EventRefused('throttled', false))
  const why = 'x'.repeat(500_000)
  await keepingEvents({ ...ports, bus: ports.events }).publish({
    ...released,
    detail: { ...released.detail, why },
  })
  const [kept] = (await ports.store.keptEvents(1)).events
  expect(String(kept?.event.detail['why'])).toHaveLength(1024)
})

test('a kept event that can not be read keeps no other one back; then publishing fails, and names it', async () => {
  const ports = memoryPorts()
  await ports.store.keepEvent({ id: '1', at: 1, event: released, reason: 'throttled' })
  const keptEvents = async (most: number) => ({
    ...(await ports.store.keptEvents(most)),
    unread: ['EVENTS/0#broken: event: is missing'],
  })
  const events = keepingEvents({ ...ports, bus: ports.events, store: { ...ports.store, keptEvents } })
  await expect(events.publishKept()).rejects.toThrow('EVENTS/0#broken: event: is missing')
  expect(ports.events.of('Edge Released')).toHaveLength(1)
  expect((await ports.store.keptEvents(1)).events).toEqual([])
})
