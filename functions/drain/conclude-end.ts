import type { Drain } from '../control/drain.ts'
import type { Ports } from '../ports/ports.ts'
import { leaveMark } from './leave-mark.ts'
import { publishSaved } from './publish-saved.ts'
import { saveDrain } from './save-drain.ts'

type Needs = Pick<Ports, 'store' | 'settles' | 'events' | 'metrics' | 'clock'>

/** Publishes what is saved, and leaves the mark of what has ended. Done again it finds what is done. */
export async function concludeEnd(ports: Needs, drain: Drain): Promise<Drain> {
  const after = await published(ports, drain)
  await leaveMark(ports, after)
  return after
}

/** @returns the drain with the events that the bus did not take */
export async function published(
  ports: Pick<Ports, 'store' | 'events' | 'clock' | 'metrics'>,
  drain: Drain,
): Promise<Drain> {
  if (drain.events.length === 0) return drain
  // Those of a former release's row that has ended are made when it is read.
  const isSaved = drain.events.every(({ id }) => id !== undefined)
  const saved = isSaved ? drain : await saveDrain(ports, drain)
  const after = await publishSaved(ports, saved)
  return after.events.length < saved.events.length ? saveDrain(ports, after) : saved
}
