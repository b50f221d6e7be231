import type { ControlEvent } from '../contracts/events.ts'
import type { PublishedEvent } from '../contracts/published-event.ts'

/** Nothing waits for an event: one that the bus refuses is kept, and published later. */
export interface Events {
  publish(event: ControlEvent): Promise<void>
  /**
   * Publishes what a write of the store keeps with what it tells of: nothing of a write that was not done,
   * and later of one whose run was killed.
   * @returns what the write did
   */
  publishWith(event: ControlEvent, write: (kept: KeptEvent) => Promise<boolean>): Promise<boolean>
  /**
   * @returns false where the bus refuses it for now, and whoever has it tries again; one that it never takes
   * is kept
   */
  offer(event: ControlEvent): Promise<boolean>
  /** Has it published later. */
  keep(event: ControlEvent): Promise<void>
  /**
   * Publishes what was kept, the oldest first, until the bus refuses again.
   * @throws UnexpectedAnswer for rows that can't be read, when all was done
   */
  publishKept(): Promise<void>
}

/** An event that is not published yet, with why, and when it happened (epoch ms). */
export interface KeptEvent {
  readonly id: string
  readonly at: number
  readonly event: PublishedEvent
  readonly reason: string
}
