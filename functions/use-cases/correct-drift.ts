import { eventTypes, metricNames } from '../contracts/names.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { isDisabled } from '../control/plan.ts'
import { disableTogether, onEveryEdge } from './edges.ts'
import { type Allowance, allowance, paced } from './paced.ts'
import type { Ports } from './ports.ts'
import type { EdgeRead } from './read-edge.ts'
import { restore, undoIfLifted } from './restore.ts'

type Needs = Pick<Ports, 'store' | 'clock' | 'fleet' | 'events' | 'metrics'>

/**
 * Holds are the truth, edges are caches: what should be disabled is disabled again, what was lifted is given back, as far as the
 * time until `until` (epoch ms) goes. The rest is the next round's.
 */
export async function correctDrift(
  ports: Needs,
  reads: readonly EdgeRead[],
  holds: readonly Hold[],
  until: number,
): Promise<void> {
  const drifted = reads
    .map((read) => ({
      ...read,
      open: holds.filter((hold) => !hold.lifted && read.find?.(hold).some((entry) => !isDisabled(entry))),
    }))
    .filter(({ open }) => open.length > 0)
  const each = allowance(ports.fleet.requestsPerSecond, drifted.length, until)
  const openOf = new Map(drifted.map(({ edge, open }) => [edge, open]))
  await onEveryEdge([...openOf.keys()], (edge) => disableAgain(ports, edge, openOf.get(edge) ?? [], each))
  await finishLiftings(ports, reads, holds, until)
}

/** Of each hold: the guard is set and read, a state set in two groups; what the lists cost is small against a batch. */
const requestsOfOne = 4

function disableAgain(
  ports: Needs,
  edge: EdgeRead['edge'],
  open: readonly Hold[],
  each: Allowance,
): Promise<void> {
  return paced(
    ports.clock,
    open,
    each,
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
            },
          },
        })
      }
    },
  )
}

/** In turns: while an edge is away none of them ends, and the time may not do for all. */
async function finishLiftings(
  ports: Needs,
  reads: readonly EdgeRead[],
  holds: readonly Hold[],
  until: number,
): Promise<void> {
  const away = reads.filter(({ reading }) => !reading.readable).map(({ edge }) => edge.id)
  const lifted = holds.filter((hold) => hold.lifted)
  const first = Math.floor(ports.clock.now() / 1000) % Math.max(1, lifted.length)
  for (const hold of [...lifted.slice(first), ...lifted.slice(0, first)])
    if (ports.clock.now() < until) await restore(ports, hold, away)
}
