import { eventTypes, metricNames } from '../contracts/names.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import type { Reading } from '../control/reading.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { resultOf } from '../stored/edge-results.ts'

/** Holds are the truth, edges are caches: what a settle found open that had been disabled is published. */
export async function publishDrift(
  { metrics, events }: Pick<EdgePorts, 'metrics' | 'events'>,
  reading: Reading,
  drifted: readonly Hold[],
): Promise<void> {
  // Not what the change came to, which an earlier reading found.
  const asFound = reading.entries.map(({ was: _, ...entry }) => entry)
  for (const hold of drifted) {
    metrics.count(metricNames.drift, 1)
    const { outcome, detail, entries, more } = resultOf({ ...reading, entries: asFound }, hold)
    await events.publish({
      type: eventTypes.driftCorrected,
      detail: {
        edge: reading.edge,
        hold: holdKey(hold),
        who: hold.who,
        sender: hold.sender,
        why: hold.why,
        result: {
          outcome,
          ...(detail !== undefined && { detail }),
          entries,
          ...(more !== undefined && { more }),
        },
      },
    })
  }
}
