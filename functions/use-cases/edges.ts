import type { DestinationUri, Flags, ListedDestination } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import { type EdgeOutcome, entriesOf, type Scope } from '../control/plan.ts'
import { isConfirmed, outcomeOf } from '../control/settled.ts'
import type { Edge, Ports } from './ports.ts'
import type { SettleResult } from './settle.ts'

/** What one edge lists, or why that can't be said. */
export type Readout =
  | {
      readonly edge: Edge
      readonly listed: readonly ListedDestination[]
    }
  | { readonly edge: Edge; readonly error: EdgeError }

/** What came of a command on one edge, for outcomes and events: never more than the destinations it is about. */
export interface EdgeResult {
  readonly edge: string
  readonly outcome: EdgeOutcome
  readonly detail?: string
  /** false: it has no drain guard, so that a reload opens the destination until the next round */
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

/** All edges at once, up to 64; the work itself turns an edge's failure into a value. */
export function onEveryEdge<T>(edges: readonly Edge[], work: (edge: Edge) => Promise<T>): Promise<T[]> {
  return together(edges, work)
}

/** What is thrown is thrown when none of the others is at work any more: whoever comes next finds no write under way. */
async function together<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += 64)
    for (const settled of await Promise.allSettled(items.slice(start, start + 64).map(work))) {
      if (settled.status === 'rejected') throw settled.reason
      results.push(settled.value)
    }
  return results
}

export function readLists(edges: readonly Edge[]): Promise<Readout[]> {
  return onEveryEdge(edges, async (edge) => {
    try {
      return { edge, listed: (await edge.list()).destinations }
    } catch (error) {
      return { edge, error: asEdgeError(error) }
    }
  })
}

/** Anything but an `EdgeError` is a defect of ours, not an edge's answer: it is thrown on. */
export function asEdgeError(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error
  throw error
}

/** What each edge calls itself, for the record; an edge that doesn't say is no reason to stop. */
export async function versions(edges: readonly Edge[]): Promise<Readonly<Record<string, string>>> {
  const said = await onEveryEdge(edges, async (edge) => {
    try {
      return [edge.id, (await edge.facts()).version] as const
    } catch (error) {
      return [edge.id, `unknown: ${asEdgeError(error).message}`] as const
    }
  })
  return Object.fromEntries(said)
}

export function allListed(readouts: readonly Readout[]): ListedDestination[] {
  return readouts.flatMap((readout) => ('listed' in readout ? readout.listed : []))
}

export function unreadable(readouts: readonly Readout[]): string[] {
  return readouts.flatMap((readout) => ('error' in readout ? readout.error.message : []))
}

export function failure(edge: Edge, error: EdgeError): EdgeResult {
  const comesBack = ['unreachable', 'busy', 'throttled', 'stale'].includes(error.fault)
  const outcome = comesBack ? 'unreachable' : 'refused'
  return { edge: edge.id, outcome, detail: error.message, entries: [] }
}

/** What a settle came to for one hold on one edge. */
export function resultFor(result: SettleResult, hold: Scope): EdgeResult {
  const { edge } = result
  if ('error' in result) return failure(edge, result.error)
  const { outcome, detail, guarded, entries } = outcomeOf(result.settled, hold)
  const shown = entries.map(({ group, uri, before, after }) => ({
    group,
    uri,
    before: before ?? after,
    after,
  }))
  return {
    edge: edge.id,
    outcome,
    ...(detail !== undefined && { detail: detail.slice(0, 1000) }),
    guarded,
    ...shownEntries(shown),
  }
}

/**
 * The second read-back, `readBackGapSeconds` after the first one. @returns whether every edge that was settled shows the scope disabled
 * both times, under the same identities, and no edge is left out.
 */
export async function confirmEverywhere(
  ports: Pick<Ports, 'clock' | 'config'>,
  scope: Scope,
  first: readonly SettleResult[],
): Promise<boolean> {
  if (first.some((result) => 'error' in result || outcomeOf(result.settled, scope).outcome === 'refused'))
    return false
  await ports.clock.sleep(ports.config.timers.readBackGapSeconds * 1000)
  const second = await readLists(first.map(({ edge }) => edge))
  return second.every((readout, index) => {
    const before = first[index]
    if (!before || 'error' in before || !('listed' in readout)) return false
    return isConfirmed(outcomeOf(before.settled, scope).entries, entriesOf(scope, readout.listed))
  })
}
