import type { DestinationUri, Flags, ListedDestination, WritableState } from './destination.ts'
import type { OpaqueEntry } from './edge-list.ts'
import { belongsTo, coversUri, isSameSubject, type Scope } from './hold.ts'

/** One write to one entry; `duid` only where the set lists the URI more than once. */
export interface StateWrite {
  readonly set: number
  readonly uri: DestinationUri
  readonly duid?: string
  readonly state: WritableState
}

export function isDisabled(entry: ListedDestination): boolean {
  return entry.flags.startsWith('D')
}

/** The entries that a hold or drain speaks of, in every set. */
export function entriesOf(scope: Scope, listed: readonly ListedDestination[]): ListedDestination[] {
  return listed.filter((entry) => belongsTo(entry, scope))
}

/**
 * @returns whether a hold covers the target, or an entry of it, or a URI of it that may be listed no more; of
 * a whole instance perhaps nothing is listed yet
 */
export function speaksOf(
  target: Scope,
  listed: readonly ListedDestination[],
): (hold: Required<Scope>) => boolean {
  const { uris, wholeInstance, subject } = target
  const entries = entriesOf(target, listed)
  return (hold) => {
    const isWhole = wholeInstance || hold.wholeInstance
    if (isWhole && subject?.kind === 'instance' && isSameSubject(subject, hold.subject)) return true
    return entries.some((entry) => belongsTo(entry, hold)) || uris.some((uri) => coversUri(uri, hold))
  }
}

/**
 * @returns how one entry is written apart from all others, or undefined where it can't be: it stands in its
 * set more than once without distinct duids, and `set_state` reaches only the first
 */
export function addressing(
  list: readonly ListedDestination[],
  opaque: readonly OpaqueEntry[] = [],
): (entry: ListedDestination) => Omit<StateWrite, 'state'> | undefined {
  const unread = opaque.map(({ set, text, duid }) => ({ set, uri: text, duid }))
  // Kamailio compares URIs without case, duids with it.
  const byUri = Map.groupBy([...list, ...unread], ({ set, uri }) => `${set} ${uri.toLowerCase()}`)
  const byDuid = Map.groupBy([...list, ...unread], ({ set, duid }) => `${set} ${duid}`)
  return ({ set, uri, duid }) => {
    if (byUri.get(`${set} ${uri.toLowerCase()}`)?.length === 1) return { set, uri }
    if (duid !== undefined && byDuid.get(`${set} ${duid}`)?.length === 1) return { set, uri, duid }
    return undefined
  }
}

/**
 * `set_state` text for former flags. The no-ping mark (6.x) can't be written: only a reload brings it back.
 */
export function restoredState(former: Flags): WritableState {
  const states = { A: ['a', 'ap'], I: ['i', 'ip'], T: ['t', 'tp'], D: ['d', 'dp'] } as const
  const letter = former.charAt(0)
  const pair = letter === 'I' || letter === 'T' || letter === 'D' ? states[letter] : states.A
  return former.endsWith('P') ? pair[1] : pair[0]
}
