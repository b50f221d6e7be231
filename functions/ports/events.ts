import type { ControlEvent } from '../contracts/events.ts'
import type { PublishedEvent } from '../contracts/published-event.ts'

export interface EventBus {
  publish(event: PublishedEvent): Promise<void>
}

/** Nothing waits for an event: one that the bus refuses is kept, and published later. */
export interface Events {
  publish(event: ControlEvent): Promise<void>
  /**
   * @returns false where the bus refuses it for now, and whoever has it tries again; one that it never takes
   * is kept
   */
  offer(event: ControlEvent): Promise<boolean>
  /** Has it published later. */
  keep(event: ControlEvent): Promise<void>
  /** Publishes what was kept, the oldest first, until the bus refuses again. */
  publishKept(): Promise<void>
}

/** An event that the bus refused, with why, and when it happened (epoch ms). */
export interface KeptEvent {
  readonly id: string
  readonly at: number
  readonly event: PublishedEvent
  readonly reason: string
}
