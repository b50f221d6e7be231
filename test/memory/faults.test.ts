import { expect, test } from 'vitest'
import { createMemoryEvents } from './events.ts'
import { memoryPorts } from './ports.ts'

const event = { type: 'Edge Released', detail: { edge: 'a', who: 'alice', why: 'lost' } } as const

test('a planned fault comes before the work or after it, and only once', async () => {
  const events = createMemoryEvents()
  events.failNext('publish', new Error('refused'))
  events.failNext('publish', new Error('answer lost'), 'after')
  await expect(events.publish(event)).rejects.toThrow('refused')
  expect(events.published).toHaveLength(0)
  await expect(events.publish(event)).rejects.toThrow('answer lost')
  expect(events.published).toHaveLength(1)
  await events.publish(event)
  expect(events.published).toHaveLength(2)
})

test('a replaced port and a changed configuration are used', () => {
  const events = createMemoryEvents()
  const ports = memoryPorts({ events, config: { groups: [] } })
  expect(ports.events).toBe(events)
  expect(ports.config.groups).toEqual([])
})
