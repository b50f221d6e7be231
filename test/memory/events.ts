import { eventDetails } from '../../functions/contracts/events.ts'
import type { EventType } from '../../functions/contracts/names.ts'
import { type PublishedEvent, publishedForm } from '../../functions/contracts/published-event.ts'
import type { EventBus } from '../../functions/ports/event-bus.ts'
import type { Events } from '../../functions/ports/events.ts'
import { type Faulty, faulty } from './faults.ts'

/** The bus; nothing is kept by it. It throws at an event that is not as its schema says. */
export interface MemoryEvents extends Omit<Events, 'publish'>, EventBus {
  readonly published: readonly PublishedEvent[]
  /** What was wrong with events: whoever publishes takes what the bus throws for a refusal, and goes on. */
  readonly unlike: readonly string[]
  /** The details of the events of one type, in order. */
  of(type: EventType): readonly PublishedEvent['detail'][]
}

/** @returns the detail as it comes out of EventBridge. @throws ZodError where its schema says otherwise */
export function parsedDetail(event: PublishedEvent): unknown {
  return eventDetails[event.type].parse(JSON.parse(JSON.stringify(publishedForm(event).detail)))
}

export function createMemoryEvents(): Faulty<MemoryEvents> {
  const published: PublishedEvent[] = []
  const unlike: string[] = []
  const take = async (event: PublishedEvent) => {
    try {
      parsedDetail(event)
    } catch (error) {
      unlike.push(`${event.type}: ${error}`)
      throw error
    }
    published.push(structuredClone(event))
  }
  return faulty<MemoryEvents>({
    published,
    unlike,
    of: (type) => published.filter((event) => event.type === type).map((event) => event.detail),
    publish: take,
    async offer(event) {
      await take(event)
      return true
    },
    async publishWith(event, write) {
      const kept = { id: String(published.length), at: 0, event: publishedForm(event), reason: 'a test' }
      const isDone = await write(kept)
      if (isDone) await take(event)
      return isDone
    },
    keep: take,
    publishKept: async () => undefined,
  })
}
