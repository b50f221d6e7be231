import type { DestinationUri, ListedDestination } from './destination.ts'
import type { Hold } from './hold.ts'
import { lookup } from './listing.ts'

/** What the holds in force ask of one edge. */
export interface Wanted {
  /** entries that are to show `D`, and by whose hold */
  readonly held: ReadonlyMap<ListedDestination, readonly Hold[]>
  /** URIs that the drain guard is to have, and by whose hold */
  readonly guards: ReadonlyMap<DestinationUri, readonly Hold[]>
}

/**
 * What the holds cover on an edge that lists this.
 *
 * A destination is a URI with every set that holds it: where one entry of a URI is held (by its duid, for
 * example), the others are too. The guard, which knows URIs only, keeps them out anyway. A URI that a hold
 * names is guarded also where it is not listed: a reload that lists it does not open it.
 * @param holds with addresses as resolved; lifted ones ask for nothing
 */
export function wantedOf(holds: readonly Hold[], list: readonly ListedDestination[]): Wanted {
  const find = lookup(list)
  const byUri = Map.groupBy(list, (entry) => entry.uri)
  const held = new Map<ListedDestination, Hold[]>()
  const guards = new Map<DestinationUri, Hold[]>()
  for (const hold of holds) {
    if (hold.lifted) continue
    const uris = new Set([...hold.uris, ...find(hold).map((entry) => entry.uri)])
    for (const uri of uris) {
      add(guards, uri, hold)
      for (const entry of byUri.get(uri) ?? []) add(held, entry, hold)
    }
  }
  return { held, guards }
}

function add<K>(holders: Map<K, Hold[]>, key: K, hold: Hold): void {
  const known = holders.get(key)
  if (known) known.push(hold)
  else holders.set(key, [hold])
}
