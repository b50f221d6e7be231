import {
  canonicalHost,
  type DestinationUri,
  type ListedDestination,
  sipUri,
  usualUris,
} from './destination.ts'
import type { EdgeList, OpaqueEntry } from './edge-list.ts'
import type { Countable, Hold, ListedName } from './hold.ts'
import type { Lookup } from './listing.ts'
import { type Listing, readable, type UnreadRow } from './reading.ts'

/** A URI that has left an edge's list. */
export interface LastListed {
  readonly uri: DestinationUri
  /** epoch ms: it was listed until then at the latest */
  readonly at: number
  /** what the edge resolved its name to */
  readonly address?: string
  readonly duid?: string
}

/**
 * An entry that can't be read, and epoch ms: it was listed until then at the latest; absent while it is
 * listed.
 */
export interface KnownOpaque extends OpaqueEntry {
  readonly at?: number
}

/**
 * What one edge lists, and what it has listed within the longest call's time: a call is counted under the URI
 * that its destination had in the list when it began, also when the list names it otherwise now, or no more.
 */
export function remember(
  stored: Listing | UnreadRow | undefined,
  edge: string,
  { destinations: listed, opaque }: EdgeList,
  now: number,
  longestCallSeconds: number,
): Listing {
  const before = readable(stored)
  const isRecent = (at: number) => now - at <= longestCallSeconds * 1000
  const isListed = new Set(listed.map(nameOf))
  // It may have been there until just now, also where the edge could not be read for a while.
  const left = (before?.listed ?? []).map(({ uri, address, duid }) => ({
    uri,
    at: now,
    ...(address !== undefined && { address }),
    ...(duid !== undefined && { duid }),
  }))
  const former = new Map(
    [...(before?.former ?? []), ...left]
      .filter((known) => !isListed.has(nameOf(known)) && isRecent(known.at))
      .map((known) => [nameOf(known), known]),
  )
  const lostAt = stored && !before ? now : before?.lostAt
  const isShown = new Set(opaque.map(shownAs))
  const unread: readonly KnownOpaque[] = [
    ...opaque,
    ...(before?.opaque ?? [])
      .map((entry) => ({ ...entry, at: entry.at ?? now }))
      .filter((entry) => !isShown.has(shownAs(entry)) && isRecent(entry.at)),
  ]
  const loadedAt = isSameLoad(before?.listed, listed) ? (before?.loadedAt ?? now) : now
  return {
    ...{ edge, since: before?.since ?? now, listed, former: [...former.values()] },
    ...(unread.length > 0 && { opaque: unread }),
    ...(lostAt !== undefined && isRecent(lostAt) && { lostAt }),
    ...(listed.every(({ iuid }) => iuid !== undefined) && { loadedAt }),
  }
}

/** An entry's IUID changes with each load. */
function isSameLoad(
  before: readonly ListedDestination[] | undefined,
  listed: readonly ListedDestination[],
): boolean {
  const known = new Set(before?.map(({ iuid }) => iuid))
  return known.size === listed.length && listed.every(({ iuid }) => known.has(iuid))
}

/** Calls that were sent to an entry before a load took it out are up, and counted, by then. */
const loadSettlesMs = 60_000

/**
 * Whether the edge may have listed a URI of this hold's machine that no reading has seen: one that came and
 * went with two loads between two readings. Where loads can't be seen, one may have at any time, which counts
 * once the hold's drain could end.
 * @param isNew no reading has the hold yet @param silent its last count on this edge was 0
 */
export function mayHideUris(
  { wholeInstance, addresses }: Pick<Hold, 'wholeInstance' | 'addresses'>,
  { loadedAt }: Pick<Listing, 'loadedAt'>,
  { isNew, silent, now }: { readonly isNew: boolean; readonly silent: boolean; readonly now: number },
): boolean {
  if (!wholeInstance || addresses.length === 0) return false
  return isNew || (loadedAt === undefined ? silent : now - loadedAt <= loadSettlesMs)
}

/**
 * What calls have begun to was listed when they began: of the machines that are held it is remembered, though
 * no reading has seen it listed.
 */
export function withBegun(
  listing: Listing,
  begun: readonly DestinationUri[],
  holds: readonly Pick<Hold, 'wholeInstance' | 'addresses'>[],
  now: number,
): Listing {
  const known = new Set([...listing.listed, ...listing.former].map(({ uri }) => uri))
  const theirs = new Set(
    holds.flatMap(({ wholeInstance, addresses }) => (wholeInstance ? addresses.map(canonicalHost) : [])),
  )
  const found = begun.filter((uri) => !known.has(uri) && theirs.has(sipUri(uri)?.host))
  if (found.length === 0) return listing
  return { ...listing, former: [...listing.former, ...found.map((uri) => ({ uri, at: now }))] }
}

/** A name may lead to another machine later, and be listed with another's duid. */
function nameOf({ uri, address = '', duid = '' }: ListedName): string {
  return `${uri} ${address} ${duid}`
}

function shownAs({ set, text, address, duid }: OpaqueEntry): string {
  return JSON.stringify([set, text, address, duid])
}

/** Whether it knows nothing of some time in which a call that is up may have begun. */
export function isYoung({ since }: Pick<Listing, 'since'>, now: number, longestCallSeconds: number): boolean {
  return now - since <= longestCallSeconds * 1000
}

/**
 * Under what else calls of a hold may be counted, besides its own URIs: what is listed for it now, what was,
 * and how its destinations are usually written.
 * @param known finds the entries of a hold in what an edge lists and has listed
 * @param usual whether the usual spellings are worth asking for: while the memory is young, and before a
 * drain ends
 */
export function otherSpellings(hold: Countable, known: Lookup<ListedName>, usual: boolean): DestinationUri[] {
  const entries = known(hold)
  const listed = entries.map(({ uri }) => uri)
  const spelled = usual && hold.wholeInstance ? usualSpellings(hold, listed) : []
  // A name may be shared, each port another machine's.
  const isAnothers = (uri: DestinationUri) =>
    known({ uris: [uri], addresses: [], wholeInstance: false }).some((entry) => !entries.includes(entry))
  const others = new Set([...listed, ...spelled.filter((uri) => !isAnothers(uri))])
  return [...others].filter((uri) => !hold.uris.includes(uri))
}

/** Of its addresses, and of the names that its URIs lead to. */
function usualSpellings(
  { addresses, uris, formerUris = [] }: Countable,
  listed: readonly DestinationUri[],
): DestinationUri[] {
  const named = [...uris, ...formerUris, ...listed].flatMap((uri) => sipUri(uri)?.host ?? [])
  return usualUris([...new Set([...addresses, ...named])])
}
