import { type DestinationUri, destinationKey, portOf, type SipUri, sipUri } from './destination.ts'
import { AmbiguousDestination, InvalidDestinationName, UnknownDestination } from './errors.ts'
import { belongsTo, coversUri, type ListedName } from './hold.ts'

/** `i-` and 8 or 17 hex digits. */
export function isInstanceId(text: string): boolean {
  return /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(text)
}

/**
 * An instance's whole set: every listed URI whose host is exactly one of its addresses, whose duid is its id,
 * or that its tag names; and of the URIs that are `known`, which no list need show, those with its address or
 * in its tag. @returns verbatim URIs, each once; empty when there is none.
 */
export function instanceDestinations(
  instance: {
    readonly instanceId: string
    readonly addresses: readonly string[]
    readonly taggedDestinations: readonly string[]
  },
  listed: readonly ListedName[],
  known: readonly DestinationUri[] = [],
): DestinationUri[] {
  const { instanceId, addresses } = instance
  const matches = instance.taggedDestinations.flatMap((name) => matcher(name) ?? [])
  const isTagged: Matcher = (uri, address) => matches.some((isNamed) => isNamed(uri, address))
  const tagged = listed.filter(({ uri, address }) => isTagged(uri, address))
  const uris = [...new Set([...urisOf(tagged), ...known.filter((uri) => isTagged(uri))])]
  const subject = { kind: 'instance', instanceId, launchedAt: 0 } as const
  const scope = { uris, addresses, wholeInstance: true, subject }
  const its = listed.filter((entry) => belongsTo(entry, scope))
  return [...new Set([...urisOf(its), ...known.filter((uri) => coversUri(uri, scope))])]
}

/**
 * The one destination that a person names: `10.0.1.20`, `sip:10.0.1.20`, with port or transport, IPv6 with or
 * without brackets, a DNS name, or a duid.
 * @param known URIs that it may mean, too, although no edge lists them
 * @returns its verbatim spellings over all edges, at least one
 * @throws InvalidDestinationName, UnknownDestination, or AmbiguousDestination that lists the candidates.
 */
export function namedDestination(
  name: string,
  listed: readonly ListedName[],
  known: readonly DestinationUri[] = [],
): DestinationUri[] {
  const matches = matcher(name)
  const byDuid = listed.filter((entry) => entry.duid === name)
  if (!matches && byDuid.length === 0)
    throw new InvalidDestinationName(
      `"${name}" is neither a SIP URI, a host, an address nor a listed duid; name it as dispatcher.list shows it`,
    )
  const all = [...urisOf(listed), ...known]
  const verbatim = all.filter((uri) => uri.toLowerCase() === name.toLowerCase())
  const byName = listed.filter(({ uri, address }) => matches?.(uri, address))
  const found =
    verbatim.length > 0
      ? verbatim
      : [...urisOf(byDuid), ...urisOf(byName), ...known.filter((uri) => matches?.(uri))]
  const keys = new Set(found.map(destinationKey))
  if (keys.size > 1)
    throw new AmbiguousDestination(
      `"${name}" matches ${keys.size} destinations: ${[...new Set(found)].join(', ')}; name one of them in full`,
    )
  if (keys.size === 0) throw new UnknownDestination(`no edge lists a destination that "${name}" names`)
  const [key] = keys
  return [...new Set(all.filter((uri) => destinationKey(uri) === key))]
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

/** @param address what an edge resolved the URI's name to */
type Matcher = (uri: DestinationUri, address?: string) => boolean

function matcher(name: string): Matcher | undefined {
  const wanted = partsOfName(name)
  if (!wanted) return undefined
  return (uri, address) => {
    const parts = sipUri(uri)
    return (
      parts !== undefined &&
      (parts.host === wanted.host || address === wanted.host) &&
      (wanted.port === undefined || portOf(parts) === wanted.port) &&
      (wanted.transport === undefined || (parts.transport ?? 'udp') === wanted.transport)
    )
  }
}

function urisOf(entries: readonly ListedName[]): DestinationUri[] {
  return entries.map(({ uri }) => uri)
}
