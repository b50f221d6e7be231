declare const verbatim: unique symbol

/**
 * A SIP URI verbatim as `dispatcher.list` shows it: Kamailio compares the whole stored string. Branded, and
 * made only by
 * {@link destinationUri}, so that `"all"` (which Kamailio reads as a whole set) can't be expressed.
 */
export type DestinationUri = string & { readonly [verbatim]: true }

/** @returns the text as a destination, or undefined when it is not a SIP URI. */
export function destinationUri(text: string): DestinationUri | undefined {
  return sipUri(text) ? (text as DestinationUri) : undefined
}

/**
 * FLAGS of `dispatcher.list`: first letter state, second letter probing (`P` probing, `N` no-ping on 6.x, `X`
 * neither).
 */
export type Flags = `${'A' | 'I' | 'D' | 'T'}${'P' | 'N' | 'X'}`

/** One entry of `dispatcher.list`. The same URI may stand in several sets, and several times in one. */
export interface ListedDestination {
  readonly set: number
  readonly uri: DestinationUri
  readonly flags: Flags
  readonly duid?: string
  /** 6.1 only: changes at every reload and restart, and at nothing else. */
  readonly iuid?: string
  /**
   * what the edge resolved the URI's DNS name to when it loaded the list, canonical; absent for an address,
   * SRV, or a name kept unresolved
   */
  readonly address?: string
}

export interface SipUri {
  /** lower case; IPv6 canonical, without brackets */
  readonly host: string
  readonly port?: number
  readonly transport?: string
}

/**
 * The same results, computed once per text: a settle compares every listed URI with every hold, which at
 * 1,000 destinations and 500 drains is half a million comparisons per edge. All is forgotten when it is full,
 * so it can't grow.
 */
function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>()
  return (text) => {
    const known = results.get(text)
    if (known !== undefined) return known
    const result = compute(text)
    if (results.size >= 20_000) results.clear()
    results.set(text, result)
    return result
  }
}

/** Parses the parts of a SIP URI that name a machine. @returns undefined when it is not a SIP URI. */
export const sipUri: (text: string) => SipUri | undefined = remembered(parsed)

function parsed(text: string): SipUri | undefined {
  const match =
    /^(sips?):(?:[^@<>"\s]*@)?(\[[^\]\s]+\]|[^:;?@<>"[\]\s]+)(?::(\d{1,5}))?((?:;[^?\s<>"]*)?)(?:\?\S*)?$/i.exec(
      text,
    )
  if (!match) return undefined
  const [, scheme = '', rawHost = '', port, parameters = ''] = match
  const host = canonicalHost(rawHost)
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65535) return undefined
  const named = /;transport=([a-z]+)/i.exec(parameters)?.[1]?.toLowerCase()
  // Kamailio sends sips over TLS also where it has transport=tcp.
  const overTls = scheme.toLowerCase() === 'sips' && (named === undefined || named === 'tcp')
  const transport = overTls ? 'tls' : named
  return { host, ...(port && { port: Number(port) }), ...(transport && { transport }) }
}

/**
 * One text per machine, port and transport, however the URI spells them (no port: 5060, or 5061 with TLS; no
 * transport: UDP).
 */
export const destinationKey: (uri: DestinationUri) => string = remembered((uri) => {
  const parts = sipUri(uri)
  if (!parts) return uri
  const transport = parts.transport ?? 'udp'
  return `${parts.host}:${portOf(parts)};${transport}`
})

/**
 * What a machine may be told by: the URI's host and, of a DNS name, the address that the edge resolved it to.
 */
export function hostsOf({ uri, address }: Pick<ListedDestination, 'uri' | 'address'>): string[] {
  const host = sipUri(uri)?.host
  return [...(host === undefined ? [] : [host]), ...(address === undefined ? [] : [address])]
}

/** The port that the URI means, written or not. */
export function portOf(parts: SipUri): number {
  return parts.port ?? (parts.transport === 'tls' ? 5061 : 5060)
}

/**
 * How a machine's destination is commonly written, to ask for calls of one that no list names.
 * @param hosts addresses and names
 */
export function usualUris(hosts: readonly string[]): DestinationUri[] {
  return hosts
    .map((host) => (host.includes(':') ? `[${host}]` : host))
    .flatMap((host) => [destinationUri(`sip:${host}`), destinationUri(`sip:${host}:5060`)])
    .filter((uri) => uri !== undefined)
}

export function sameDestination(a: DestinationUri, b: DestinationUri): boolean {
  return a === b || destinationKey(a) === destinationKey(b)
}

/**
 * States that we write, from a fixed list: Kamailio reads only the first letters, so `drain` would parse as
 * `d`.
 */
export type WritableState = 'a' | 'ap' | 'i' | 'ip' | 'd' | 'dp' | 't' | 'tp'

/**
 * Lower case, and one spelling for each IPv6 address.
 * @returns undefined when it can be neither a name nor an address.
 */
export const canonicalHost: (host: string) => string | undefined = remembered((host) => {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (!bare.includes(':'))
    return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/.test(bare) ? bare.replace(/\.$/, '') : undefined
  try {
    return new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
})
