import { begun, type ClearanceView, decide, type WaitingDrain } from '../control/clearance.ts'
import { covering, freshLists, isUnderWay, takenByChoice, unresolved } from '../control/clearance-view.ts'
import type { ListedDestination } from '../control/destination.ts'
import type { ChosenHold } from '../control/drain.ts'
import { StoreConflict } from '../control/errors.ts'
import { type Hold, hasEnded, holdKey, isSameSubject, type ReplacedHold, replacing } from '../control/hold.ts'
import { finishClaim, startDrain } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import type { Began } from '../ports/store.ts'
import {
  type InventoryNeeds,
  instancesById,
  inventory,
  momentMs,
  unlessRefused,
} from '../stored/inventory.ts'
import { allListed, type Readout, storedLists } from '../stored/lists.ts'
import { storedLoad } from '../stored/load.ts'
import { onEach } from '../stored/on-each.ts'
import { oneAtATime } from '../stored/one-at-a-time.ts'
import { supersede } from './drop-waiting.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { asShownNow } from './target.ts'

export type ClearanceNeeds = LiftNeeds & InventoryNeeds

const leaseName = '/clearance'
/**
 * A run that was killed has it so long. The lists are read, and some hundred holds placed, within a second or
 * two; a run that places more has it for longer.
 */
const leaseMs = 10_000

/** Longer than a run that was killed has the lease; who asked is answered by then that it waits. */
export const patienceMs = 12_000

/** What came of a drain by choice. */
export type Cleared =
  | { readonly kind: 'waits'; readonly because: string }
  /** it waits for what can't come unless the fleet grows or the settings change */
  | { readonly kind: 'never'; readonly because: string }
  | {
      readonly kind: 'begun'
      readonly result: 'started' | 'duplicate' | 'stale'
      readonly replaces?: ReplacedHold | undefined
    }
  /** something later was requested about its hold */
  | { readonly kind: 'stale' }
  | Failed
/** It waits still, or its hold is placed and the sweep begins its drain: whoever asked for it asks again. */
interface Failed {
  readonly kind: 'failed'
  readonly error: unknown
}
type Placed = JustPlaced | Exclude<Cleared, { kind: 'begun' }>
interface JustPlaced {
  readonly kind: 'placed'
  readonly hold: ChosenHold
  readonly replaces?: ReplacedHold | undefined
}

/**
 * Begins what waits and may begin, in order. One run at a time decides, and places each hold under its lease:
 * however many are asked for at once, they never take more than the floors leave.
 * @returns by hold key, and of one that fails the error: it keeps no other one back; undefined: another run
 * decides
 */
export async function clearDrains(ports: ClearanceNeeds): Promise<ReadonlyMap<string, Cleared> | undefined> {
  const found = await oneAtATime(ports, leaseName, leaseMs, (generation) => placeClear(ports, generation))
  if (!found) return undefined
  const isAnyPlaced = [...found.values()].some(({ kind }) => kind === 'placed')
  if (isAnyPlaced) await ports.store.raiseWanted()
  const holds = isAnyPlaced ? await ports.store.holds() : []
  const cleared = await onEach([...found], async ([key, each]): Promise<[string, Cleared]> => {
    return [key, each.kind === 'placed' ? await orFailed(begin(ports, each, holds)) : each]
  })
  if (isAnyPlaced) await ports.settles.ask({ kind: 'settle' })
  return new Map(cleared)
}

async function placeClear(ports: ClearanceNeeds, generation: number): Promise<ReadonlyMap<string, Placed>> {
  const { drains } = await ports.store.waiting()
  const now = ports.clock.now()
  const found = new Map<string, Placed>()
  // They are dropped, and nothing is asked of their machines.
  for (const each of drains.filter(({ hold }) => hasEnded(hold, now)))
    found.set(holdKey(each.hold), await orFailed(end(ports, each, 'its end')))
  const { open, over } = await asShownNow(
    ports,
    drains.filter(({ hold }) => !hasEnded(hold, now)),
  )
  for (const { waiting, why } of over)
    found.set(holdKey(waiting.hold), await orFailed(end(ports, waiting, why)))
  if (open.length === 0) return found
  const decided = decide(open, await clearanceView(ports), rulesOf(ports))
  let hasUntil = now + leaseMs
  // One after the other: transactions that check one lease side by side are in each other's way.
  for (const [each, clearance] of decided) {
    const placedAt = ports.clock.now()
    if (hasUntil - placedAt < leaseMs / 2) {
      hasUntil = placedAt + leaseMs
      await ports.store.extendEdge(leaseName, generation, hasUntil)
    }
    found.set(
      holdKey(each.hold),
      clearance.clear
        ? await orFailed(place(ports, each, generation))
        : { kind: clearance.never ? 'never' : 'waits', because: clearance.because },
    )
  }
  return found
}

/** What waits when the end of its hold has come never begins, nor does what is for a machine that is gone. */
async function end(ports: ClearanceNeeds, waiting: WaitingDrain, why: string): Promise<Placed> {
  await supersede(ports, waiting, why)
  return { kind: 'stale' }
}

async function orFailed<T>(work: Promise<T>): Promise<T | Failed> {
  try {
    return await work
  } catch (error) {
    return { kind: 'failed', error }
  }
}

export function rulesOf({ config }: Pick<Ports, 'config'>) {
  const { floors, atOnce } = config.clearance
  return { floors, atOnce, mostHolds: config.maxHoldsPerSender }
}

/** @throws StoreConflict where another run has the lease by now: it decides anew */
async function place(ports: ClearanceNeeds, waiting: WaitingDrain, generation: number): Promise<Placed> {
  const now = ports.clock.now()
  const beginning = begun(waiting, now)
  const { hold } = beginning
  const lease = { name: leaseName, generation }
  const replaces = await wouldReplace(ports, hold)
  const began = { ...beganAt(waiting, now), ...(replaces && { replaces }) }
  const placed = await ports.store.placeWaiting(beginning, lease, began)
  if (placed === 'written') return { kind: 'placed', hold, replaces }
  if (placed === 'lost') throw new StoreConflict('another run decides what may begin: nothing was begun')
  await supersede(ports, waiting, 'a later request')
  await finishClaim(ports, holdKey(hold))
  return { kind: 'stale' }
}

/** An operator's own hold that this one takes the place of once it begins: with its end, or with none. */
export async function wouldReplace(
  { store }: Pick<Ports, 'store'>,
  { source, id, subject }: ChosenHold,
): Promise<ReplacedHold | undefined> {
  return source === 'operator' ? replacing(await store.hold(source, id, subject)) : undefined
}

/** @returns nothing of what begins with its request: its change is filed under that */
function beganAt({ beginsAt, since }: WaitingDrain, now: number): Pick<Began, 'at'> {
  return beginsAt !== undefined || now - since > patienceMs ? { at: now } : {}
}

async function begin(
  ports: LiftNeeds,
  { hold, replaces }: JustPlaced,
  holds: readonly Hold[],
): Promise<Cleared> {
  const result = await startDrain(ports, { hold })
  // What this request meant before is another machine's, or another URI's, and readings count calls under the
  // hold's name.
  const former = holds.filter(
    (each) => holdKey(each) === holdKey(hold) && !isSameSubject(each.subject, hold.subject),
  )
  if (former.length > 0) await lift(ports, former, hold.who, hold)
  return { kind: 'begun', result, replaces }
}

/** What is needed to decide by these rules, and no more. */
export async function clearanceView(ports: InventoryNeeds): Promise<ClearanceView> {
  const { store, clock } = ports
  const { floors, atOnce } = rulesOf(ports)
  const now = clock.now()
  const holds = await store.holds()
  const readouts = floors.length > 0 ? await storedLists(ports) : []
  const isAnyOfGroups = floors.some(({ group }) => group !== undefined)
  const shown = isAnyOfGroups ? await unlessRefused(inventory(ports, now - momentMs)) : { instances: [] }
  const isAnyOfCalls = floors.some((floor) => 'callsPerServer' in floor)
  const covered = floors.length > 0 ? await coveringHolds(ports, holds, allListed(readouts)) : { holds }
  return {
    ...{ ...covered, now, freeze: await store.freeze() },
    // One request that failed does not take what its edge showed seconds ago out of the floors.
    lists: freshLists(readouts.flatMap(lastRead), now),
    machines: shown === 'refused' ? undefined : shown.instances,
    calls: isAnyOfCalls ? (await storedLoad(ports, holds)).inService.calls : undefined,
    underWay: atOnce === undefined ? 0 : await underWay(ports, holds),
  }
}

function lastRead(readout: Readout) {
  const read = 'listed' in readout ? readout : readout.last
  return read ? [{ edge: readout.edge, listed: read.listed, askedAt: read.askedAt }] : []
}

/** The holds with what EC2 shows of those that settle has not filled in yet. */
async function coveringHolds(
  ports: InventoryNeeds,
  holds: readonly Hold[],
  listed: readonly ListedDestination[],
): Promise<ReturnType<typeof covering>> {
  const open = unresolved(holds)
  const [first] = open
  if (!first) return { holds }
  const now = ports.clock.now()
  const ids = open.map(({ id }) => id)
  const shown = await unlessRefused(instancesById(ports, ids, now - momentMs))
  return shown === 'refused' ? { holds, unshown: first.id } : covering(holds, shown, listed, now)
}

/** How many drains by choice are under way, those of one server once. */
async function underWay({ store }: Pick<Ports, 'store'>, holds: readonly Hold[]): Promise<number> {
  const found = await onEach(takenByChoice(holds), async (hold) =>
    isUnderWay(hold, await store.drain(holdKey(hold))),
  )
  return found.filter((isOne) => isOne).length
}
