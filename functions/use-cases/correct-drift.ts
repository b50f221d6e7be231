import { eventTypes, metricNames } from '../contracts/names.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { isDisabled } from '../control/plan.ts'
import { disableTogether } from './edges.ts'
import { type Allowance, paced } from './paced.ts'
import type { Ports } from './ports.ts'
import type { OpenedEdge } from './read-edge.ts'
import { restore, undoIfLifted } from './restore.ts'

type Needs = Pick<Ports, 'store' | 'clock' | 'fleet' | 'events' | 'metrics'>

/** Of each hold: the guard is set and read, a state set in two groups; what the lists cost is small against a batch. */
const requestsOfOne = 4

/** Holds are the truth, edges are caches: what one edge shows open of them is disabled again, as far as the allowance goes. */
export async function correctDrift(
  ports: Needs,
  { edge, find }: Pick<OpenedEdge, 'edge' | 'find'>,
  holds: readonly Hold[],
  allowance: Allowance,
): Promise<void> {
  const open = holds.filter((hold) => !hold.lifted && find(hold).some((entry) => !isDisabled(entry)))
  await paced(
    ports.clock,
    open,
    allowance,
    () => requestsOfOne,
    async (batch) => {
      const results = await disableTogether(ports, edge, batch)
      for (const [index, hold] of batch.entries()) {
        const result = results[index]
        await undoIfLifted(ports, hold)
        ports.metrics.count(metricNames.drift, 1)
        await ports.events.publish({
          type: eventTypes.driftCorrected,
          detail: {
            edge: edge.id,
            hold: holdKey(hold),
            who: hold.who,
            why: hold.why,
            result: result && {
              outcome: result.outcome,
              ...(result.detail !== undefined && { detail: result.detail }),
              entries: result.entries,
              ...(result.more !== undefined && { more: result.more }),
            },
          },
        })
      }
    },
  )
}

/**
 * What was lifted is given back, where an edge was away; those that are `away` still aren't asked. In turns until `until` (epoch ms):
 * while an edge is away none of them ends, and the time may not do for all.
 */
export async function finishLiftings(
  ports: Needs,
  away: readonly string[],
  holds: readonly Hold[],
  until: number,
): Promise<void> {
  const lifted = holds.filter((hold) => hold.lifted)
  const first = Math.floor(ports.clock.now() / 1000) % Math.max(1, lifted.length)
  for (const hold of [...lifted.slice(first), ...lifted.slice(0, first)])
    if (ports.clock.now() < until) await restore(ports, hold, away)
}
