import {
  canonicalHost,
  type DestinationUri,
  hostsOf,
  type ListedDestination,
  sameDestination,
  usualUris,
} from './destination.ts'
import type { Hold } from './hold.ts'

/**
 * URIs that some edge has listed within the longest call's time. A call is counted under the URI that its destination had in the list when it
 * began, also when the list names it otherwise now, or no more.
 */
export interface ListMemory {
  /** epoch ms: what was listed before is not known */
  readonly since: number
  readonly listed: readonly LastListed[]
}

export interface LastListed {
  readonly uri: DestinationUri
  /** epoch ms: when some edge listed it last */
  readonly at: number
  /** what that edge resolved its name to */
  readonly address?: string
}

/**
 * @param listed what the edges list now
 * @param complete whether every edge could be read: what one that is away has listed meanwhile is not known, and nothing is forgotten
 */
export function remember(
  before: ListMemory | undefined,
  listed: readonly ListedDestination[],
  now: number,
  { longestCallSeconds, complete }: { readonly longestCallSeconds: number; readonly complete: boolean },
): ListMemory {
  const last = new Map<DestinationUri, LastListed>()
  for (const known of before?.listed ?? []) {
    if (!complete) last.set(known.uri, { ...known, at: now })
    else if (now - known.at <= longestCallSeconds * 1000) last.set(known.uri, known)
  }
  for (const { uri, address } of listed)
    last.set(uri, { uri, at: now, ...(address !== undefined && { address }) })
  return { since: before?.since ?? now, listed: [...last.values()] }
}

/** Whether it says nothing of some time in which a call that is up may have begun. */
export function isYoung({ since }: ListMemory, now: number, longestCallSeconds: number): boolean {
  return now - since <= longestCallSeconds * 1000
}

/**
 * Under what else calls of a hold may be counted, besides its own URIs and what is listed for it now: what was listed for it, and how its
 * destinations are usually written.
 * @param usual whether the usual spellings are worth asking for: while the memory is young, and before a drain ends
 */
export function otherSpellings(hold: Hold, { listed }: ListMemory, usual: boolean): DestinationUri[] {
  const addresses = hold.addresses.map((address) => canonicalHost(address) ?? address)
  const isIts = (known: LastListed) =>
    hold.wholeInstance
      ? hostsOf(known).some((host) => addresses.includes(host))
      : hold.uris.some((own) => sameDestination(own, known.uri))
  const remembered = listed.filter(isIts).map(({ uri }) => uri)
  const spelled = usual && hold.wholeInstance ? usualUris(hold.addresses) : []
  return [...new Set([...remembered, ...spelled])].filter((uri) => !hold.uris.includes(uri))
}
