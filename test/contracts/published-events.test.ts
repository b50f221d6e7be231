import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import type { ControlEvent } from '../../functions/contracts/events.ts'
import { eventSource, eventTypes } from '../../functions/contracts/names.ts'
import { type PublishedEvent, publishedForm } from '../../functions/contracts/published-event.ts'
import { eventFile, schemaFile } from '../../lib/event-schemas.ts'
import { parsedDetail } from '../memory/events.ts'
import { eventBody, eventNames } from './event-files.ts'

const types = Object.values(eventTypes)
const files = types.map((type) => eventFile(type).replace('.json', '')).sort()

describe('each event type has a contract', () => {
  it('a sample and a schema, and there is no other file', () => {
    expect(eventNames('published')).toEqual(files)
    expect(eventNames('schemas')).toEqual(files)
  })

  it.each(types)('the sample of %s is as its schema says', (type) => {
    const envelope = z.object({
      'detail-type': z.literal(type),
      source: z.literal(eventSource),
      detail: z.looseObject({ version: z.literal(1) }),
    })
    const { detail } = envelope.parse(
      JSON.parse(eventBody(`published/${eventFile(type).replace('.json', '')}`)),
    )
    expect(parsedDetail({ type, detail })).toEqual(detail)
  })

  it.each(types)('the JSON Schema of %s is as `npm run schemas` writes it', (type) => {
    expect(eventBody(`schemas/${eventFile(type).replace('.json', '')}`)).toBe(schemaFile(type))
  })

  it('an event that is not as its schema says does not compile, and is refused by the bus of all tests', () => {
    const released: ControlEvent = {
      type: 'Edge Released',
      // @ts-expect-error
      detail: { edge: 'edge-a', who: 'alice' },
    }
    expect(() => parsedDetail(released)).toThrow('why')
    const more: ControlEvent = {
      type: 'Edge Released',
      // @ts-expect-error
      detail: { edge: 'edge-a', who: 'alice', why: 'lost', secret: 'x' },
    }
    expect(() => parsedDetail(more)).toThrow('secret')
  })
})

const bytes = ({ detail }: PublishedEvent) => Buffer.byteLength(JSON.stringify(detail))

/** What a hold comes to in so many sets of each edge. */
function lifted(edges: number, entries: number, length = 0): ControlEvent {
  const uri = `sip:10.0.1.20:5060;x=${'y'.repeat(length)}`
  return {
    type: 'Hold Lifted',
    detail: {
      ...{ source: 'operator', holdId: 'h', uris: [uri], by: 'alice', placedBy: 'bob' },
      edges: Array.from({ length: edges }, (_, edge) => ({
        ...{ edge: `edge-${edge}`, outcome: 'applied' },
        entries: Array.from({ length: entries }, (_, set) => ({ set, uri, before: 'AP', after: 'DP' })),
      })),
    },
  }
}

describe('an event is never too large for EventBridge, and what was cut is visible', () => {
  it('one that fits is published as it is, with its version', () => {
    const event = lifted(50, 20)
    expect(publishedForm(event)).toEqual({ ...event, detail: { ...event.detail, version: 1 } })
  })

  it('of a long list so many are left out', () => {
    const { detail } = publishedForm(lifted(120, 1))
    expect(detail['edges']).toHaveLength(100)
    expect(detail['leftOut']).toEqual({ edges: 20 })
  })

  it.each([
    [50, 120, 0],
    [50, 120, 900],
    [500, 500, 1000],
  ])('%i edges with %i entries each, in texts of %i characters more', (edges, entries, length) => {
    const form = publishedForm(lifted(edges, entries, length))
    expect(bytes(form)).toBeLessThan(250_000)
    expect(form.detail['leftOut']).toMatchObject({ 'edges.0.entries': expect.any(Number) })
    expect(parsedDetail(form)).toEqual(form.detail)
  })

  it('every edge is named before its entries are', () => {
    const { detail } = publishedForm(lifted(50, 120, 900))
    expect(detail['edges']).toHaveLength(50)
  })

  it('a long text ends with an ellipsis', () => {
    const { detail } = publishedForm({ type: 'Message Rejected', detail: { message: 'x'.repeat(5000) } })
    expect(detail['message']).toBe(`${'x'.repeat(1023)}…`)
    const faces = publishedForm({ type: 'Message Rejected', detail: { message: '😀'.repeat(1024) } })
    expect(String(faces.detail['message']).isWellFormed()).toBe(true)
  })
})

test('what is in its published form already stays so', () => {
  const form = publishedForm(lifted(120, 40))
  expect(publishedForm(form)).toEqual(form)
})
