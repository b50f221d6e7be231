import type { DestinationUri, Flags } from '../control/destination.ts'
import type { EdgeOutcome, Scope } from '../control/plan.ts'
import type { EdgeHead, Reading } from '../control/reading.ts'
import { outcomeOf } from '../control/settled.ts'

/** What came of a change on one edge, for outcomes and events: never more than the destinations it is about. */
export interface EdgeResult {
  readonly edge: string
  readonly outcome: EdgeOutcome
  readonly detail?: string
  /** false: it has no drain guard, so that a reload opens the destination until it is settled again */
  readonly guarded?: boolean
  readonly entries: readonly ShownEntry[]
  /** entries that are left out: an event or a row takes only so much */
  readonly more?: number
}

export interface ShownEntry {
  readonly group: number
  readonly uri: DestinationUri
  readonly before: Flags
  readonly after: Flags
}

/** Of one edge; on 50 edges these are some 120 KB, of the 256 KB that an event may have. */
const mostEntries = 20

/** Those that changed first. */
export function shownEntries(entries: readonly ShownEntry[]): Pick<EdgeResult, 'entries' | 'more'> {
  if (entries.length <= mostEntries) return { entries }
  const changed = entries.filter(({ before, after }) => before !== after)
  const others = entries.filter(({ before, after }) => before === after)
  return { entries: [...changed, ...others].slice(0, mostEntries), more: entries.length - mostEntries }
}

/** What a settle came to for one hold on one edge. */
export function resultOf(reading: Reading, hold: Scope): EdgeResult {
  const { outcome, detail, guarded, entries } = outcomeOf(reading, hold)
  const shown = entries.map(({ group, uri, before, after }) => ({
    group,
    uri,
    before: before ?? after,
    after,
  }))
  return {
    edge: reading.edge,
    outcome,
    ...(detail !== undefined && { detail: detail.slice(0, 1000) }),
    guarded,
    ...shownEntries(shown),
  }
}

/** The same of an edge that nobody has read since the change. */
export function pendingOn(edge: string): EdgeResult {
  return {
    edge,
    outcome: 'pending',
    detail: 'it was not read back in time; that is published when it is',
    entries: [],
  }
}

/** The same of an edge that could not be read. */
export function resultWithout({ edge, unreadable }: EdgeHead): EdgeResult {
  if (!unreadable) return pendingOn(edge)
  const { passes, reason } = unreadable
  return { edge, outcome: passes ? 'unreachable' : 'refused', detail: reason, entries: [] }
}
