import type { EventType } from '../../functions/contracts/names.ts'
import type { ControlEvent, Events } from '../../functions/ports/events.ts'
import { type Faulty, faulty } from './faults.ts'

/** The bus; nothing is kept by it. */
export interface MemoryEvents extends Events {
  readonly published: readonly ControlEvent[]
  /** The details of the events of one type, in order. */
  of(type: EventType): readonly ControlEvent['detail'][]
}

export function createMemoryEvents(): Faulty<MemoryEvents> {
  const published: ControlEvent[] = []
  return faulty<MemoryEvents>({
    published,
    of: (type) => published.filter((event) => event.type === type).map((event) => event.detail),
    async publish(event) {
      published.push(structuredClone(event))
    },
    async offer(event) {
      published.push(structuredClone(event))
      return true
    },
    async keep(event) {
      published.push(structuredClone(event))
    },
    publishKept: async () => undefined,
  })
}
