import type { PublishedEvent } from '../contracts/published-event.ts'

/** The stack's own bus: what it refuses is thrown. */
export interface EventBus {
  publish(event: PublishedEvent): Promise<void>
}
