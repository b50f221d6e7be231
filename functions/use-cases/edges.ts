import type { DestinationUri, Flags, ListedDestination } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import { lookup } from '../control/listing.ts'
import {
  disablePlan,
  type EdgeOutcome,
  formerOf,
  isConfirmed,
  isDisabled,
  type Scope,
  type StateWrite,
} from '../control/plan.ts'
import type { Edge, EdgeWrite, Ports } from './ports.ts'

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

/** The lease that a reload of this edge holds, so that it never runs together with our own writes. */
export function reloadLease(edge: Edge): string {
  return `reload/${edge.id}`
}

type Disabled = EdgeResult & { readonly listed: readonly ListedDestination[] }

/** Disables every entry of the scope on one edge and reads it back: see {@link disableTogether}. */
export async function disableOnEdge(
  ports: Pick<Ports, 'store' | 'clock'>,
  edge: Edge,
  scope: Scope,
): Promise<Disabled> {
  const [result] = await disableTogether(ports, edge, [scope])
  if (!result) throw new Error('a scope was given and no result came')
  return result
}

/**
 * Disables every entry of the scopes on one edge and reads it back. All of them share a few requests, and the list is read twice. What
 * each entry showed before goes on record first. The drain guard is set before the state: from the first write on the edge selects the
 * destination no more. A write that is refused is the outcome of its own scope, and of no other.
 */
export async function disableTogether(
  ports: Pick<Ports, 'store' | 'clock'>,
  edge: Edge,
  scopes: readonly Scope[],
): Promise<Disabled[]> {
  try {
    const before = (await edge.list()).destinations
    const find = lookup(before)
    const holder = await ports.store.leaseHolder(reloadLease(edge), ports.clock.now())
    if (holder) throw new EdgeError(edge.id, 'busy', 'it is being reloaded by us; the next step writes')
    const plans = await together(scopes, async (scope) => {
      const entries = find(scope)
      const uris = [...new Set([...scope.uris, ...entries.map((entry) => entry.uri)])]
      await recordFormer(ports, edge, entries, uris)
      return { scope, uris, ...disablePlan(scope, before) }
    })
    const written = await writeAll(edge, plans)
    const listed = plans.some(({ writes }) => writes.length > 0) ? (await edge.list()).destinations : before
    const findAfter = listed === before ? find : lookup(listed)
    return plans.map(({ scope, refused }, index) => {
      const { error, guarded = false } = written[index] ?? {}
      if (error) return { ...failure(edge, error), listed: [] }
      return { ...outcomeOf(edge, find(scope), findAfter(scope), refused), guarded, listed }
    })
  } catch (error) {
    const failed = { ...failure(edge, asEdgeError(error)), listed: [] }
    return scopes.map(() => failed)
  }
}

interface Plan {
  readonly uris: readonly DestinationUri[]
  readonly writes: readonly StateWrite[]
}

/**
 * The guards of all plans, then their states, then the guards read back.
 * @returns for each plan whether the guard now holds each of its URIs, or the first of its errors
 */
async function writeAll(
  edge: Edge,
  plans: readonly Plan[],
): Promise<{ readonly error?: EdgeError; readonly guarded?: boolean }[]> {
  const uris = plans.flatMap((plan) => plan.uris)
  const guards = uris.map((uri) => ({ uri, held: true }))
  const answers = await writeSome(edge, [...guards, ...plans.flatMap(({ writes }) => writes)])
  const guardErrors = answers.splice(0, guards.length)
  const held = uris.length > 0 ? [...(await edge.readGuards(uris))] : []
  return plans.map(({ uris: { length: guarded }, writes }) => {
    const shown = held.splice(0, guarded)
    const all = [...guardErrors.splice(0, guarded), ...answers.splice(0, writes.length), ...shown]
    const error = all.find((answer) => answer instanceof EdgeError)
    return error ? { error } : { guarded: shown.every((answer) => answer === true) }
  })
}

async function writeSome(
  edge: Edge,
  writes: readonly EdgeWrite[],
): Promise<('done' | 'no-guard' | EdgeError)[]> {
  return writes.length > 0 ? [...(await edge.write(writes))] : []
}

async function recordFormer(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  edge: Edge,
  entries: readonly ListedDestination[],
  uris: readonly DestinationUri[],
): Promise<void> {
  if (entries.length === 0) return
  const former = (await store.formerFlags(uris)).filter((row) => row.edge === edge.id)
  for (const entry of entries) {
    if (formerOf(entry, former)) continue
    await store.recordFormerFlags({
      edge: edge.id,
      group: entry.group,
      uri: entry.uri,
      ...(entry.duid !== undefined && { duid: entry.duid }),
      flags: entry.flags,
      recordedAt: clock.now(),
    })
  }
}

/** @throws EdgeError, the first of those that were refused */
export async function write(edge: Edge, writes: readonly EdgeWrite[]): Promise<void> {
  const error = (await writeSome(edge, writes)).find((answer) => answer instanceof EdgeError)
  if (error) throw error
}

function outcomeOf(
  edge: Edge,
  old: readonly ListedDestination[],
  now: readonly ListedDestination[],
  refused: readonly ListedDestination[],
): EdgeResult {
  const entries = now.map((entry, index) => ({
    group: entry.group,
    uri: entry.uri,
    before:
      old.find((o) => o.group === entry.group && o.uri === entry.uri && o.duid === entry.duid)?.flags ??
      old[index]?.flags ??
      entry.flags,
    after: entry.flags,
  }))
  const result = (outcome: EdgeOutcome, detail?: string): EdgeResult => ({
    edge: edge.id,
    outcome,
    ...(detail !== undefined && { detail: detail.slice(0, 1000) }),
    ...shownEntries(entries),
  })
  if (refused.length > 0) {
    const places = refused.map((entry) => `${entry.uri} in group ${entry.group}`)
    return result(
      'refused',
      `listed more than once without distinct duids: ${[...new Set(places)].join(', ')}`,
    )
  }
  if (now.length === 0) return result('unlisted')
  if (!now.every(isDisabled))
    return result('refused', 'the list still shows it open after set_state answered Ok')
  return result(old.every(isDisabled) ? 'already' : 'applied')
}

export function failure(edge: Edge, error: EdgeError): EdgeResult {
  const comesBack = ['unreachable', 'busy', 'throttled'].includes(error.fault)
  const outcome = comesBack ? 'unreachable' : 'refused'
  return { edge: edge.id, outcome, detail: error.message, entries: [] }
}

/** Disables the scope on every edge. The result names every edge. */
export function disableEverywhere(
  ports: Pick<Ports, 'store' | 'clock' | 'fleet'>,
  scope: Scope,
  edges: readonly Edge[],
): Promise<Disabled[]> {
  return onEveryEdge(edges, (edge) => disableOnEdge(ports, edge, scope))
}

/**
 * The second read-back, `readBackGapSeconds` after the first one. @returns whether every edge that could be read shows
 * the scope disabled both times, with the same IUID, and no edge is left out.
 */
export async function confirmEverywhere(
  ports: Pick<Ports, 'clock' | 'config'>,
  scope: Scope,
  edges: readonly Edge[],
  first: readonly {
    readonly edge: string
    readonly outcome: EdgeOutcome
    readonly listed: readonly ListedDestination[]
  }[],
): Promise<boolean> {
  await ports.clock.sleep(ports.config.timers.readBackGapSeconds * 1000)
  const second = await readLists(edges)
  return second.every((readout) => {
    const before = first.find((result) => result.edge === readout.edge.id)
    if (!before || !('listed' in readout)) return false
    const readable =
      before.outcome === 'applied' || before.outcome === 'already' || before.outcome === 'unlisted'
    return readable && isConfirmed(scope, before.listed, readout.listed)
  })
}
