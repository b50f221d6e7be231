import { metricNames } from '../contracts/names.ts'
import { type Drain, drainId } from '../control/drain.ts'
import type { DrainEvent } from '../control/drain-events.ts'
import { StoreConflict } from '../control/errors.ts'
import type { Ports } from '../ports/ports.ts'

/**
 * Writes the next version, with the events that are new: each gets its id and its time, and is counted.
 * @throws StoreConflict when somebody wrote meanwhile: the look is tried again on what is there.
 */
export async function saveDrain<D extends Drain>(
  { store, clock, metrics }: Pick<Ports, 'store' | 'clock' | 'metrics'>,
  drain: D,
): Promise<D> {
  const id = drainId(drain)
  const version = drain.version + 1
  const at = clock.now()
  const events = drain.events.map((event, index) => ({ id: `${id}#${at}.${version}.${index}`, at, ...event }))
  const next = { ...drain, version, events }
  if ((await store.putDrain(next)) === 'conflict')
    throw new StoreConflict(`drain ${id} was written by somebody else; this look is tried again`)
  for (const event of drain.events) if (event.id === undefined) count(metrics, event)
  return next
}

function count(metrics: Ports['metrics'], { name, detail }: DrainEvent): void {
  if (name === 'drainOverdue') {
    metrics.count(metricNames.drainsPastDeadline, 1)
    const { policy } = detail
    if (policy) metrics.count(metricNames.deadlineDecisions, 1, { policy })
  }
  if (name === 'callsEnded') metrics.count(metricNames.callsEnded, detail.ended)
  if (name === 'retainedTooLong') metrics.count(metricNames.retainedTooLong, 1)
  if (name === 'lifecycleCompletionFailed') metrics.count(metricNames.completionsFailed, 1)
}
