import { eventTypes, metricNames } from '../contracts/names.ts'
import type { Drain, DrainEvent } from '../control/drain.ts'
import type { ControlEvent } from '../ports/events.ts'
import type { Ports } from '../ports/ports.ts'

type Needs = Pick<Ports, 'events' | 'metrics'>

/** A row takes 400 KB, and an event is up to 120: what is more than this is kept in rows of its own. */
const longestBytes = 100_000

/**
 * Publishes a drain's events, in order. What the bus refuses for now stays with the drain, whose next look
 * tries again; of one that has ended, it is kept for the schedule.
 * @returns the drain with what is left
 */
export async function publishSaved(ports: Needs, drain: Drain): Promise<Drain> {
  const left = [...drain.events]
  const drop = (event: DrainEvent) => {
    count(ports, event)
    left.shift()
  }
  while (left[0] && (await ports.events.offer(published(left[0])))) drop(left[0])
  const isOver = drain.phase.name === 'ended'
  while (left[0] && (isOver || JSON.stringify(left).length > longestBytes)) {
    await ports.events.keep(published(left[0]))
    drop(left[0])
  }
  return { ...drain, events: left }
}

function published({ id, at, name, detail }: DrainEvent): ControlEvent {
  return { type: eventTypes[name], detail: { eventId: id, happenedAt: at, ...detail } }
}

function count({ metrics }: Needs, { name, detail: { policy, ended } }: DrainEvent): void {
  if (name === 'drainOverdue') metrics.count(metricNames.drainsPastDeadline, 1)
  if (name === 'drainOverdue' && typeof policy === 'string')
    metrics.count(metricNames.deadlineDecisions, 1, { policy })
  if (name === 'callsEnded') metrics.count(metricNames.callsEnded, Number(ended))
  if (name === 'retainedTooLong') metrics.count(metricNames.retainedTooLong, 1)
  if (name === 'lifecycleCompletionFailed') metrics.count(metricNames.completionsFailed, 1)
}
