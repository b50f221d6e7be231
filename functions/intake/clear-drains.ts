import { type ClearanceView, decide, type WaitingDrain } from '../control/clearance.ts'
import { StoreConflict } from '../control/errors.ts'
import { type Hold, holdKey, isByChoice, isSameSubject } from '../control/hold.ts'
import { finishClaim, startDrain } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import { inventory, momentMs } from '../stored/inventory.ts'
import { storedLists } from '../stored/lists.ts'
import { storedLoad } from '../stored/load.ts'
import { onEach } from '../stored/on-each.ts'
import { oneAtATime } from '../stored/one-at-a-time.ts'
import { lift } from './lift.ts'

const leaseName = '/clearance'
/**
 * The lists are read, and some hundred holds placed, within a second or two; a run that was killed has it so
 * long.
 */
const leaseMs = 10_000

/** What came of a drain by choice. */
export type Cleared =
  | { readonly kind: 'waits'; readonly because: string }
  /** it waits for what can't come unless the fleet grows or the settings change */
  | { readonly kind: 'never'; readonly because: string }
  | { readonly kind: 'begun'; readonly result: 'started' | 'duplicate' | 'stale' }
  /** something later was requested about its hold */
  | { readonly kind: 'stale' }

/**
 * Begins what waits and may begin, in order. One run at a time decides, and places each hold under its lease:
 * however many are asked for at once, they never take more than the floors leave.
 * @returns by hold key; undefined: another run decides
 */
export async function clearDrains(ports: Ports): Promise<ReadonlyMap<string, Cleared> | undefined> {
  const cleared = await oneAtATime(ports, leaseName, leaseMs, async (generation) => {
    const waiting = await ports.store.waiting()
    if (waiting.length === 0) return new Map<string, Cleared>()
    const decided = decide(waiting, await clearanceView(ports), rulesOf(ports))
    const found = await onEach([...decided], async ([each, clearance]): Promise<[string, Cleared]> => {
      const { hold } = each
      if (!clearance.clear) {
        const { because, never } = clearance
        return [holdKey(hold), { kind: never ? 'never' : 'waits', because }]
      }
      return [holdKey(hold), await begin(ports, each, generation)]
    })
    return new Map(found)
  })
  if (cleared && [...cleared.values()].some(({ kind }) => kind === 'begun')) {
    await ports.store.raiseWanted()
    await ports.settles.ask({ kind: 'settle' })
  }
  return cleared
}

export function rulesOf({ config }: Pick<Ports, 'config'>) {
  const { floors, atOnce } = config.clearance
  return { floors, atOnce }
}

/** @throws StoreConflict where another run has the lease by now: it decides anew */
async function begin(ports: Ports, waiting: WaitingDrain, generation: number): Promise<Cleared> {
  const { hold } = waiting
  const placed = await ports.store.placeWaiting(waiting, { name: leaseName, generation })
  if (placed === 'lost') throw new StoreConflict('another run decides what may begin: nothing was begun')
  if (placed === 'stale') {
    await ports.store.dropWaiting(waiting)
    await finishClaim(ports, holdKey(hold))
    return { kind: 'stale' }
  }
  const result = await startDrain(ports, { hold })
  // What this request meant before is another machine's, or another URI's, and readings count calls under the
  // hold's name.
  const former = (await ports.store.holds()).filter(
    (each) => holdKey(each) === holdKey(hold) && !isSameSubject(each.subject, hold.subject),
  )
  if (former.length > 0) await lift(ports, former, hold.who, hold)
  return { kind: 'begun', result }
}

/** A list that is older than two of the schedule's minutes does not show what is active. */
const freshMs = 120_000

/** What is needed to decide by these rules, and no more. */
export async function clearanceView(ports: Ports): Promise<ClearanceView> {
  const { store, clock } = ports
  const { floors, atOnce } = rulesOf(ports)
  const now = clock.now()
  const holds = await store.holds()
  const readouts = floors.length > 0 ? await storedLists(ports) : []
  const isAnyOfGroups = floors.some(({ group }) => group !== undefined)
  const isAnyOfCalls = floors.some((floor) => 'callsPerServer' in floor)
  return {
    ...{ holds, now, freeze: await store.freeze() },
    lists: readouts.flatMap((readout) =>
      'listed' in readout && now - readout.askedAt <= freshMs ? [readout] : [],
    ),
    machines: isAnyOfGroups ? (await inventory(ports, now - momentMs)).instances : [],
    calls: isAnyOfCalls ? (await storedLoad(ports, holds)).inService.calls : undefined,
    underWay: atOnce === undefined ? 0 : await underWay(ports, holds),
  }
}

/** Drains by choice whose calls are not known to be over. */
async function underWay({ store }: Ports, holds: readonly Hold[]): Promise<number> {
  const keys = new Set(holds.filter(isByChoice).map(holdKey))
  const drains = await onEach([...keys], (key) => store.drain(key))
  return drains.filter((drain) => drain?.phase.name === 'claimed' || drain?.phase.name === 'draining').length
}
