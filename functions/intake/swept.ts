import { eventTypes, metricNames } from '../contracts/names.ts'
import type { Ports } from '../ports/ports.ts'

/** What the sweep found, and why that was to be found. */
export interface Swept {
  readonly what: 'instance' | 'launch' | 'drain' | 'alarm'
  readonly why: string
  readonly [detail: string]: string
}

/** Publishes and counts it: an event was lost, or an execution stopped. */
export async function publishSwept(
  { events, metrics }: Pick<Ports, 'events' | 'metrics'>,
  swept: Swept,
): Promise<void> {
  metrics.count(metricNames.swept, 1)
  await events.publish({ type: eventTypes.swept, detail: swept })
}
