import type { DestinationUri, Flags, ListedDestination } from './destination.ts'
import { type EdgeRecord, type EntryRecord, entryKey } from './entry-record.ts'
import { type Hold, holdKey, isSameSubject, type Scope } from './hold.ts'
import { lookup } from './listing.ts'
import { believed } from './observation.ts'
import { addressing, isDisabled, type StateWrite } from './plan.ts'
import { isUnknown, type Reading } from './reading.ts'
import { type GuardWrite, guardsToRead, type SettlePlan, type SettleView, settlePlan } from './settle-plan.ts'
import { wantedOf } from './wanted.ts'

/** One edge as it was read last: what a settle would plan with. */
export interface EdgeView extends Omit<SettleView, 'wanted' | 'guards' | 'isLast'> {
  /** absent: it has no drain guard */
  readonly guarded?: readonly DestinationUri[]
}

type Entry = Pick<ListedDestination, 'set' | 'uri' | 'duid'>

/** An entry that a drain finds held, or disabled, already: it is not written for that drain. */
export interface AlreadyHeld extends Entry {
  readonly flags: Flags
  /** keys of the holds that have it; none: somebody else has disabled it */
  readonly heldBy: readonly string[]
}

/** What an entry shows once its hold is lifted, or why it stays disabled then. */
export type GivenBack = Entry & ({ readonly shows: Flags } | { readonly stays: string })

/** What a drain or an activate would do on one edge. */
export interface EdgePlan {
  readonly writes: readonly StateWrite[]
  readonly guards: readonly GuardWrite[]
  /** entries that can't be written apart from others */
  readonly refused: readonly ListedDestination[]
  readonly givesBack: readonly GivenBack[]
}

const disabledBefore = 'it was disabled before us'
const notApart = "it can't be written apart from others that its set lists under the same URI"

/**
 * What these holds more would have a settle do. `givesBack` is what their lift gives back, once no other hold
 * is on the entry.
 * @param holds in force
 */
export function drainOn(
  view: EdgeView,
  holds: readonly Hold[],
  asked: readonly Hold[],
): EdgePlan & { readonly already: readonly AlreadyHeld[] } {
  const keys = new Set(asked.map(holdKey))
  const others = holds.filter((each) => !keys.has(holdKey(each)))
  const { plan, writes, guards } = changeOn(view, holds, [...others, ...asked])
  const { held } = wantedOf(holds, view.list)
  const covered = [...wantedOf(asked, view.list).held.keys()]
  const isWritten = writtenBy(view, writes)
  const records = recordsIn([...view.records, ...plan.put])
  return {
    ...{ writes, guards, refused: covered.filter((entry) => plan.refused.includes(entry)) },
    already: covered
      .filter((entry) => !isWritten(entry) && !plan.refused.includes(entry))
      .map((entry) => ({
        ...nameOf(entry),
        flags: entry.flags,
        heldBy: (held.get(entry) ?? []).map(holdKey),
      })),
    givesBack: covered.map((entry): GivenBack => {
      const flags = records.get(entryKey(entry))?.flags
      if (plan.refused.includes(entry)) return { ...nameOf(entry), stays: notApart }
      if (flags === undefined || flags.startsWith('D')) return { ...nameOf(entry), stays: disabledBefore }
      return { ...nameOf(entry), shows: restoredFlags(flags) }
    }),
  }
}

/**
 * What the lift of holds would have a settle do.
 * @param holds in force, `lifted` among them
 * @param scopes what was named
 */
export function activateOn(
  view: EdgeView,
  holds: readonly Hold[],
  lifted: readonly Hold[],
  scopes: readonly Scope[],
): EdgePlan {
  const left = holds.filter((hold) => !lifted.includes(hold))
  const { plan, writes, guards } = changeOn(view, holds, left)
  const { held } = wantedOf(left, view.list)
  const lifting = wantedOf(lifted, view.list).held.keys()
  const covered = [...new Set([...lifting, ...scopes.flatMap(lookup(view.list))])]
  const isWritten = writtenBy(view, plan.writes)
  const records = recordsIn(view.records)
  return {
    ...{ writes, guards, refused: covered.filter((entry) => plan.refused.includes(entry)) },
    givesBack: covered.map((entry): GivenBack => {
      const by = held.get(entry)
      if (by) return { ...nameOf(entry), stays: `held by ${by.map(holdKey).join(', ')}` }
      if (!isDisabled(entry)) return { ...nameOf(entry), shows: entry.flags }
      if (plan.refused.includes(entry)) return { ...nameOf(entry), stays: notApart }
      const flags = records.get(entryKey(entry))?.flags
      if (!isWritten(entry) || flags === undefined) return { ...nameOf(entry), stays: disabledBefore }
      return { ...nameOf(entry), shows: restoredFlags(flags) }
    }),
  }
}

/** The calls of servers on one edge: they are counted for what is held, and for what a dry run is of. */
export type CallsThere =
  | { readonly counted: number }
  | { readonly notCounted: string; readonly ofEdge?: number }

type OfCalls = Pick<Reading, 'holds' | 'load' | 'atStake'>

/** @returns of all of them together; in `ofEdge` the calls of all media servers there */
export function callsThere(reading: OfCalls, holds: readonly Hold[], targets: readonly Whole[]): CallsThere {
  let counted = 0
  for (const target of targets) {
    const its = callsOfOne(reading, holds, target)
    if ('notCounted' in its) return its
    counted += its.counted
  }
  return { counted }
}

function callsOfOne(
  { holds: shown, load, atStake = {} }: OfCalls,
  holds: readonly Hold[],
  target: Whole,
): CallsThere {
  const counts = holds.flatMap((hold) => {
    const count = isOfTheSame(hold, target) ? shown[holdKey(hold)]?.counted.count : undefined
    return count === undefined ? [] : [believed(count)]
  })
  const own = atStake[holdKey(target)]
  if (own !== undefined) counts.push(believed(own))
  const calls = counts.flatMap((count) => (isUnknown(count) ? [] : count.calls))
  if (calls.length > 0) return { counted: Math.max(...calls) }
  const why = counts.find(isUnknown)?.unknown ?? 'no hold is on it yet, and its own calls were not counted'
  return { notCounted: why, ...(load.calls !== undefined && { ofEdge: load.calls }) }
}

type Whole = Pick<Hold, 'source' | 'id' | 'subject' | 'uris' | 'wholeInstance'>

function isOfTheSame(hold: Whole, target: Whole): boolean {
  if (!isSameSubject(hold.subject, target.subject) || hold.wholeInstance !== target.wholeInstance)
    return false
  return target.wholeInstance || target.uris.every((uri) => hold.uris.includes(uri))
}

/** What a settle writes by the later holds, and would not by the former; and its whole plan. */
function changeOn(view: EdgeView, before: readonly Hold[], after: readonly Hold[]) {
  const due = new Set(settledBy(view, before).writes.map((write) => JSON.stringify(write)))
  const plan = settledBy(view, after)
  const writes = plan.writes.filter((write) => !due.has(JSON.stringify(write)))
  return {
    plan,
    writes: writes.filter((write) => 'state' in write),
    guards: writes.filter((write) => 'held' in write),
  }
}

function settledBy({ guarded, ...view }: EdgeView, holds: readonly Hold[]): SettlePlan {
  const wanted = wantedOf(holds, view.list)
  const uris = guardsToRead(wanted, view.records)
  const guards = guarded ? new Map(uris.map((uri) => [uri, guarded.includes(uri)])) : 'none'
  return settlePlan({ ...view, wanted, guards, isLast: false })
}

function writtenBy(
  { list, opaque }: EdgeView,
  writes: SettlePlan['writes'],
): (entry: ListedDestination) => boolean {
  const addressOf = addressing(list, opaque)
  const written = new Set(writes.flatMap((write) => ('state' in write ? entryKey(write) : [])))
  return (entry) => {
    const address = addressOf(entry)
    return address !== undefined && written.has(entryKey(address))
  }
}

function recordsIn(records: readonly EdgeRecord[]): ReadonlyMap<string, EntryRecord> {
  return new Map(
    records.flatMap((record) => (record.kind === 'entry' ? [[entryKey(record), record] as const] : [])),
  )
}

function nameOf({ set, uri, duid }: Entry): Entry {
  return { set, uri, ...(duid !== undefined && { duid }) }
}

/** The no-ping mark can't be written: only a reload brings it back. */
function restoredFlags(former: Flags): Flags {
  return former.replace(/N$/, 'X') as Flags
}
