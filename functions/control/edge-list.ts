import { canonicalHost, type ListedDestination } from './destination.ts'

/** An entry of an edge's list that can't be read as a destination: it belongs to nobody, and nothing is written to it. */
export interface OpaqueEntry {
  /** absent where not even the set can be read */
  readonly group?: number
  /** its URI as listed, or all of it; 200 characters at most */
  readonly text: string
  readonly duid?: string
}

/** What one edge lists. */
export interface EdgeList {
  readonly destinations: readonly ListedDestination[]
  readonly opaque: readonly OpaqueEntry[]
}

/**
 * Whether an entry that can't be read may be one of an instance: it shows one of its addresses or names, or its id. Such an edge can't be
 * said not to list it. IPv6 has too many spellings to search for: any opaque IPv6 address may be one.
 */
export function mayBelong(
  { group, text, duid }: OpaqueEntry,
  names: { readonly addresses: readonly string[]; readonly instanceId?: string | undefined },
): boolean {
  // A whole set that can't be read holds anything.
  if (group === undefined) return true
  const shown = text.toLowerCase()
  const hosts = names.addresses.map((address) => canonicalHost(address) ?? address.toLowerCase())
  return (
    hosts.some((host) => (host.includes(':') ? shown.includes('[') : shown.includes(host))) ||
    (names.instanceId !== undefined && (duid === names.instanceId || shown.includes(names.instanceId)))
  )
}
