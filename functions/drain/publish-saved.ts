import { eventTypes } from '../contracts/names.ts'
import type { Drain, DrainEvent } from '../control/drain.ts'
import type { ControlEvent } from '../ports/events.ts'
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
  while (left[0] && (isOver || JSON.stringify(left).length > longestBytes)) {
    await events.keep(published(left[0]))
    left.shift()
  }
  return { ...drain, events: left }
}

function published({ id, at, name, detail }: DrainEvent): ControlEvent {
  return { type: eventTypes[name], detail: { eventId: id, happenedAt: at, ...detail } }
}
