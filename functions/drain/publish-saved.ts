import { eventTypes } from '../contracts/names.ts'
import type { Drain } from '../control/drain.ts'
import type { DrainEvent, DrainEventDetail, DrainEventName } from '../control/drain-events.ts'
import type { Ports } from '../ports/ports.ts'

/** A row takes 400 KB, and an event is up to 120: what is more than this is kept in rows of its own. */
const longestBytes = 100_000

/**
 * Publishes a drain's events, in order. What the bus refuses for now stays with the drain, whose next look
 * tries again; of one that has ended, it is kept for the schedule.
 * @returns the drain with what is left
 */
export async function publishSaved({ events }: Pick<Ports, 'events'>, drain: Drain): Promise<Drain> {
  const left = [...drain.events]
  while (left[0] && (await events.offer(published(left[0])))) left.shift()
  const isOver = drain.phase.name === 'ended'
  while (left[0] && (isOver || Buffer.byteLength(JSON.stringify(left)) > longestBytes)) {
    await events.keep(published(left[0]))
    left.shift()
  }
  return { ...drain, events: left }
}

interface Saved {
  readonly eventId: string | undefined
  readonly happenedAt: number | undefined
}

/** Each is of a type that the bus takes: `offer` would not compile otherwise. */
type Published<N extends DrainEventName> = {
  [K in N]: {
    readonly type: (typeof eventTypes)[K]
    readonly detail: Saved & DrainEventDetail<K>
  }
}[N]

function published<N extends DrainEventName>({ id, at, name, detail }: DrainEvent<N>): Published<N> {
  return { type: eventTypes[name], detail: { eventId: id, happenedAt: at, ...detail } }
}
