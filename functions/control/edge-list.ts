import { canonicalHost, type ListedDestination, sipUri } from './destination.ts'
import type { ListedName } from './hold.ts'
import { isInstanceId } from './resolve.ts'

/**
 * An entry of an edge's list that can't be read as a destination: it belongs to nobody, and nothing is
 * written to it.
 */
export interface OpaqueEntry {
  /** absent where not even the set can be read */
  readonly set?: number
  /** its URI as listed, or all of it; 200 characters at most */
  readonly text: string
  /** what the edge resolved its host to, canonical */
  readonly address?: string
  readonly duid?: string
}

/** What one edge lists. */
export interface EdgeList {
  readonly destinations: readonly ListedDestination[]
  readonly opaque: readonly OpaqueEntry[]
}

/**
 * Whether an entry that can't be read may be one of an instance: it shows one of its addresses or names, or
 * its id. Of such an edge nobody can claim that it does not list it. IPv6 has too many spellings to search
 * for: any opaque IPv6 address may be one.
 */
export function mayBelong(
  { set, text, address, duid }: OpaqueEntry,
  names: { readonly addresses: readonly string[]; readonly instanceId?: string | undefined },
): boolean {
  // A whole set that can't be read holds anything.
  if (set === undefined) return true
  const shown = text.toLowerCase()
  const hosts = names.addresses.map((name) => canonicalHost(name) ?? name.toLowerCase())
  if (address !== undefined && hosts.includes(address)) return true
  return (
    hosts.some((host) => (host.includes(':') ? shown.includes('[') : isShown(host, shown))) ||
    (names.instanceId !== undefined && (duid === names.instanceId || isShown(names.instanceId, shown)))
  )
}

/**
 * Whether it names a machine by a DNS name that the edge has no address for: what {@link isUnresolved} finds
 * of one that can be read.
 */
export function isHidden({ text, address, duid }: OpaqueEntry, staticNames: readonly string[]): boolean {
  const host = canonicalHost(/^\s*sips?:(?:[^@]*@)?([^:;?>\s]*)/i.exec(text)?.[1] ?? '')
  if (host === undefined || address !== undefined || !/[a-z]/.test(host) || host.endsWith('.invalid'))
    return false
  return (
    !staticNames.some((name) => canonicalHost(name) === host) && !(duid !== undefined && isInstanceId(duid))
  )
}

/** As a whole: `10.0.0.2` is not in `10.0.0.20`, nor `a.example` in `media-a.example`. */
function isShown(name: string, text: string): boolean {
  return text.split(/[^a-z0-9._-]+/).includes(name)
}

/**
 * Whether an entry is listed by a DNS name that the edge has no address for: it keeps the name unresolved
 * (flag 16, SRV). Nobody can tell whose it is, unless its duid is an instance's id or the settings name it as
 * somebody else's.
 */
export function isUnresolved({ uri, address, duid }: ListedName, staticNames: readonly string[]): boolean {
  const host = sipUri(uri)?.host ?? ''
  if (address !== undefined || host.includes(':') || /^[\d.]+$/.test(host)) return false
  const named = staticNames.some((name) => canonicalHost(name) === host)
  return !named && !(duid !== undefined && isInstanceId(duid))
}
