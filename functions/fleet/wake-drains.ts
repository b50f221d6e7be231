import { nextAttempt } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import { lookPayload } from '../control/look-payload.ts'
import { stateOf } from '../control/phases.ts'
import { type HoldReading, isUnknown, type Reading } from '../control/reading.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'
import { storedReadings } from '../stored/read-back.ts'

type Needs = Pick<EdgePorts, 'store' | 'clock' | 'config' | 'workflows'>

/** @returns keys of holds that had calls on this edge by the reading before, and have none by this one */
export function emptiedBy({ holds }: Reading, before: Reading | undefined): string[] {
  return Object.keys(holds).filter(
    (key) => (callsOf(before?.holds[key]) ?? 0) > 0 && callsOf(holds[key]) === 0,
  )
}

/** @returns whether calls of anything that is held are up there */
export function hasCalls({ holds }: Reading): boolean {
  return Object.values(holds).some((hold) => (callsOf(hold) ?? 0) > 0)
}

function callsOf(hold: HoldReading | undefined): number | undefined {
  return hold === undefined || isUnknown(hold.counted.count) ? undefined : hold.counted.count.calls
}

/**
 * While calls are up, a drain looks no oftener than its heartbeats ask for. Once the last one that is known
 * of is over on every edge, it is looked at now, by its next attempt: the execution that waits finds that and
 * ends. A drain whose waking is lost looks when its wait is over.
 * @param keys of the holds that an edge was just found without calls of; a drain's id is its hold's key
 */
export async function wakeDrains(ports: Needs, keys: ReadonlySet<string>): Promise<void> {
  if (keys.size === 0) return
  const { edges } = await storedReadings(ports, ports.clock.now())
  const isEmpty = (key: string) => edges.every((edge) => !edge.readable || callsOf(edge.holds[key]) === 0)
  await onEach([...keys].filter(isEmpty), (key) => wake(ports, key))
}

/** In ms: whoever looks at the drain at this moment is done by then. */
const againMs = 500

async function wake(ports: Needs, drainId: string): Promise<void> {
  const { store, workflows, clock, config } = ports
  for (let tries = 1; ; tries += 1) {
    const drain = await store.drain(drainId)
    if (!drain || stateOf(drain.phase) !== 'draining') return
    const next = { ...nextAttempt(drain), version: drain.version + 1 }
    if ((await store.putDrain(next)) === 'written') {
      await workflows.start(lookPayload(next, 'paced', clock.now(), config.timers))
      return
    }
    if (tries === 5)
      throw new StoreConflict(`drain ${drainId} is being written by others: it looks when its wait is over`)
    await clock.sleep(againMs)
  }
}
