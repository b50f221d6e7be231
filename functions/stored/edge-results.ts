import type { EdgeOutcome, EdgeResult, ShownEntry } from '../control/edge-result.ts'
import { type Lookup, lookup } from '../control/listing.ts'
import { type EdgeHead, type Reading, readable } from '../control/reading.ts'
import { type FindEntries, outcomeOf } from '../control/settled.ts'
import type { Ports } from '../ports/ports.ts'

/** Of one edge; on 50 edges these are some 120 KB, of the 256 KB that an event may have. */
const mostEntries = 20

/** Those that changed first. */
export function shownEntries(entries: readonly ShownEntry[]): Pick<EdgeResult, 'entries' | 'more'> {
  if (entries.length <= mostEntries) return { entries }
  const changed = entries.filter(({ before, after }) => before !== after)
  const others = entries.filter(({ before, after }) => before === after)
  return { entries: [...changed, ...others].slice(0, mostEntries), more: entries.length - mostEntries }
}

/** What a settle came to for one hold on one edge, placed or lifted, as far as its reading tells. */
export function resultOf(
  reading: Reading,
  hold: Parameters<typeof outcomeOf>[1],
  find?: FindEntries,
): EdgeResult {
  const { outcome, detail, guarded, entries } = outcomeOf(reading, hold, find)
  const shown = entries.map(({ set, uri, before, after }) => ({
    set,
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

/**
 * The same for many holds, also of what is listed and was never touched there, of which a reading has
 * nothing. Reading and listing are indexed once: 500 holds on 50 edges with 500 entries each are too many
 * comparisons.
 */
export function resultsOn(
  { store }: Pick<Ports, 'store'>,
  reading: Reading,
): (hold: Parameters<typeof outcomeOf>[1]) => Promise<EdgeResult> {
  const settled = lookup(reading.entries)
  let listing: ReturnType<typeof store.listing> | undefined
  let listed: Lookup | undefined
  return async (hold) => {
    const result = resultOf(reading, hold, { settled })
    if (result.outcome !== 'unlisted') return result
    listing ??= store.listing(reading.edge)
    const known = readable(await listing)
    listed ??= lookup(known?.listed ?? [])
    return resultOf(reading, hold, { settled, listed })
  }
}

/** The worst first. */
const outcomes: readonly EdgeOutcome[] = [
  'refused',
  'unreachable',
  'pending',
  'applied',
  'already',
  'unlisted',
]

/** What came of several holds: each edge once, by what is worst there. */
export function together(results: readonly EdgeResult[]): EdgeResult[] {
  return [...Map.groupBy(results, ({ edge }) => edge).values()].flatMap((of) => {
    const [worst] = of.toSorted((a, b) => outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome))
    if (!worst) return []
    const all = new Map(of.flatMap(({ entries }) => entries.map((one) => [`${one.set} ${one.uri}`, one])))
    const shown = shownEntries([...all.values()])
    const more = (shown.more ?? 0) + Math.max(...of.map((result) => result.more ?? 0))
    return [{ ...worst, ...shown, ...(more > 0 && { more }) }]
  })
}

/** What is published of an edge that nobody has read since the change. */
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
