import { type DestinationUri, destinationKey, hostsOf, portOf, type SipUri, sipUri } from './destination.ts'
import { AmbiguousDestination, InvalidDestinationName, UnknownDestination } from './errors.ts'
import { belongsTo, type ListedName } from './hold.ts'

/** `i-` and 8 or 17 hex digits. */
export function isInstanceId(text: string): boolean {
  return /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(text)
}

/**
 * An instance's whole set: every listed URI whose host is exactly one of its addresses, whose duid is its id,
 * or that its tag names. @returns verbatim URIs, each once; empty when nothing is listed.
 */
export function instanceDestinations(
  instance: {
    readonly instanceId: string
    readonly addresses: readonly string[]
    readonly taggedDestinations: readonly string[]
  },
  listed: readonly ListedName[],
): DestinationUri[] {
  const { instanceId, addresses } = instance
  const matches = instance.taggedDestinations.flatMap((name) => matcher(name) ?? [])
  const uris = distinct(listed.filter((entry) => matches.some((isNamed) => isNamed(entry))))
  const subject = { kind: 'instance', instanceId, launchedAt: 0 } as const
  return distinct(
    listed.filter((entry) => belongsTo(entry, { uris, addresses, wholeInstance: true, subject })),
  )
}

/**
 * The one destination that a person names: `10.0.1.20`, `sip:10.0.1.20`, with port or transport, IPv6 with or
 * without brackets, a DNS name, or a duid. @returns its verbatim spellings over all edges, at least one.
 * @throws InvalidDestinationName, UnknownDestination, or AmbiguousDestination that lists the candidates.
 */
export function namedDestination(name: string, listed: readonly ListedName[]): DestinationUri[] {
  const matches = matcher(name)
  const byDuid = listed.filter((entry) => entry.duid === name)
  if (!matches && byDuid.length === 0)
    throw new InvalidDestinationName(
      `"${name}" is neither a SIP URI, a host, an address nor a listed duid; name it as dispatcher.list shows it`,
    )
  const verbatim = listed.filter((entry) => entry.uri.toLowerCase() === name.toLowerCase())
  const found =
    verbatim.length > 0 ? verbatim : [...byDuid, ...(matches ? listed.filter((entry) => matches(entry)) : [])]
  const keys = new Set(found.map((entry) => destinationKey(entry.uri)))
  if (keys.size > 1)
    throw new AmbiguousDestination(
      `"${name}" matches ${keys.size} destinations: ${distinct(found).join(', ')}; name one of them in full`,
    )
  if (keys.size === 0) throw new UnknownDestination(`no edge lists a destination that "${name}" names`)
  const [key] = keys
  return distinct(listed.filter((entry) => destinationKey(entry.uri) === key))
}

/**
 * Whose an address is, of the instances that have it: two VPCs may use the same addresses, so one of our
 * groups comes before any other.
 * @returns undefined where that leaves none, or several
 */
export function ownerOf<Instance extends { readonly group?: string }>(
  found: readonly Instance[],
  groups: readonly string[],
): Instance | undefined {
  const ours = found.filter(({ group }) => group !== undefined && groups.includes(group))
  const [owner, ...others] = ours.length > 0 ? ours : found
  return others.length > 0 ? undefined : owner
}

/** What a person's name for a destination says of it. */
export function partsOfName(name: string): SipUri | undefined {
  const bareIpv6 = /^[0-9a-f:.]+$/i.test(name) && name.split(':').length > 2
  return sipUri(name) ?? sipUri(bareIpv6 ? `sip:[${name}]` : `sip:${name}`)
}

function matcher(name: string): ((entry: ListedName) => boolean) | undefined {
  const wanted = partsOfName(name)
  if (!wanted) return undefined
  return (entry) => {
    const parts = sipUri(entry.uri)
    return (
      parts !== undefined &&
      hostsOf(entry).includes(wanted.host) &&
      (wanted.port === undefined || portOf(parts) === wanted.port) &&
      (wanted.transport === undefined || (parts.transport ?? 'udp') === wanted.transport)
    )
  }
}

function distinct(entries: readonly ListedName[]): DestinationUri[] {
  return [...new Set(entries.map((entry) => entry.uri))]
}
