import { eventTypes, metricNames } from '../contracts/names.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { outcomeOf } from '../control/settled.ts'
import { resultFor } from './edges.ts'
import type { Ports } from './ports.ts'
import type { OpenedEdge } from './read-edge.ts'

/** Holds are the truth, edges are caches: what the settle of a round found open of them is published. */
export async function publishDrift(
  { metrics, events }: Pick<Ports, 'metrics' | 'events'>,
  { edge, settled }: Pick<OpenedEdge, 'edge' | 'settled'>,
  holds: readonly Hold[],
): Promise<void> {
  if (!settled) return
  const drifted = holds.filter((hold) =>
    outcomeOf(settled, hold).entries.some(({ before }) => before !== undefined && !before.startsWith('D')),
  )
  for (const hold of drifted) {
    metrics.count(metricNames.drift, 1)
    const { outcome, detail, entries, more } = resultFor({ edge, settled }, hold)
    await events.publish({
      type: eventTypes.driftCorrected,
      detail: {
        edge: edge.id,
        hold: holdKey(hold),
        who: hold.who,
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
