import type { EventDetail } from '../contracts/events.ts'
import { eventTypes, metricNames } from '../contracts/names.ts'
import type { Ports } from '../ports/ports.ts'

/** Publishes and counts what the sweep found: an event was lost, or an execution stopped. */
export async function publishSwept(
  { events, metrics }: Pick<Ports, 'events' | 'metrics'>,
  swept: EventDetail<'Swept'>,
): Promise<void> {
  metrics.count(metricNames.swept, 1)
  await events.publish({ type: eventTypes.swept, detail: swept })
}
