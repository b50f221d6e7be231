import { canonicalHost, destinationKey, hostsOf, type ListedDestination } from './destination.ts'
import { belongsTo, type ListedName, type Scope } from './hold.ts'

/** @returns the entries of one list that a hold or drain speaks of, in the order listed. */
export type Lookup<Entry extends ListedName = ListedDestination> = (scope: Scope) => Entry[]

/**
 * Finds the same as {@link import('./plan.ts').entriesOf}, from an index that is made once: a settle asks for
 * each hold, and 500 holds against each of 1,000 entries are half a million comparisons for one edge.
 */
export function lookup<Entry extends ListedName>(listed: readonly Entry[]): Lookup<Entry> {
  const positions = new Map(listed.map((entry, index) => [entry, index] as const))
  const byKey = Map.groupBy(listed, (entry) => destinationKey(entry.uri))
  const byHost = groupByHost(listed)
  const byDuid = Map.groupBy(listed, (entry) => entry.duid)
  return (scope) => {
    const { uris, addresses, subject } = scope
    const candidates = new Set([
      ...uris.flatMap((uri) => byKey.get(destinationKey(uri)) ?? []),
      ...addresses.flatMap((address) => byHost.get(canonicalHost(address) ?? address) ?? []),
      ...(subject?.kind === 'instance' ? (byDuid.get(subject.instanceId) ?? []) : []),
    ])
    const found = [...candidates].filter((entry) => belongsTo(entry, scope))
    return found.sort((a, b) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0))
  }
}

function groupByHost<Entry extends ListedName>(
  listed: readonly Entry[],
): ReadonlyMap<string, readonly Entry[]> {
  const named = listed.flatMap((entry) => hostsOf(entry).map((host) => ({ host, entry })))
  const grouped = Map.groupBy(named, ({ host }) => host)
  return new Map([...grouped].map(([host, found]) => [host, found.map(({ entry }) => entry)]))
}
