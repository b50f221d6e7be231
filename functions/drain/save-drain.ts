import { type Drain, drainId } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import type { Ports } from '../ports/ports.ts'

/**
 * Writes the next version, with the events that are new: each gets its id and its time.
 * @throws StoreConflict when somebody wrote meanwhile: the look is tried again on what is there.
 */
export async function saveDrain<D extends Drain>(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  drain: D,
): Promise<D> {
  const id = drainId(drain)
  const version = drain.version + 1
  const at = clock.now()
  const events = drain.events.map((event, index) => ({ id: `${id}#${at}.${version}.${index}`, at, ...event }))
  const next = { ...drain, version, events }
  if ((await store.putDrain(next)) === 'conflict')
    throw new StoreConflict(`drain ${id} was written by somebody else; this look is tried again`)
  return next
}
