import type { DestinationUri, Flags, ListedDestination, WritableState } from './destination.ts'
import { belongsTo, type Hold, type Subject } from './hold.ts'

/**
 * What came of a command on one edge. `pending`: nobody has read it back yet. `unreachable`: neither done nor
 * failed. Either is settled later.
 */
export type EdgeOutcome = 'applied' | 'already' | 'unlisted' | 'pending' | 'unreachable' | 'refused'

/** Whether some edge has anything of what the command was about. */
export function isOnSomeEdge(results: readonly { readonly outcome: EdgeOutcome }[]): boolean {
  return results.some(({ outcome }) => outcome !== 'unlisted')
}

/** One write to one entry; `duid` only where the set lists the URI more than once. */
export interface StateWrite {
  readonly group: number
  readonly uri: DestinationUri
  readonly duid?: string
  readonly state: WritableState
}

export type Scope = Pick<Hold, 'uris' | 'addresses' | 'wholeInstance'> & { readonly subject?: Subject }

export function isDisabled(entry: ListedDestination): boolean {
  return entry.flags.startsWith('D')
}

/** The entries that a hold or drain speaks of, in every set. */
export function entriesOf(scope: Scope, listed: readonly ListedDestination[]): ListedDestination[] {
  return listed.filter((entry) => belongsTo(entry, scope))
}

/**
 * Where one edge must be written so that none of the scope's entries takes new calls. `refused` are entries
 * that stand in their set more than once without distinct duids: `set_state` reaches only the first, so
 * nothing is claimed for them.
 */
export function disablePlan(
  scope: Scope,
  listed: readonly ListedDestination[],
): { readonly writes: readonly StateWrite[]; readonly refused: readonly ListedDestination[] } {
  const open = entriesOf(scope, listed).filter((entry) => !isDisabled(entry))
  return addressed(open, listed, () => 'd')
}

/**
 * `set_state` text for former flags. The no-ping mark (6.x) can't be written: only a reload brings it back.
 */
export function restoredState(former: Flags | undefined, probes: boolean): WritableState {
  if (former === undefined) return probes ? 'ap' : 'a'
  const states = { A: ['a', 'ap'], I: ['i', 'ip'], T: ['t', 'tp'], D: ['d', 'dp'] } as const
  const letter = former.charAt(0)
  const pair = letter === 'I' || letter === 'T' || letter === 'D' ? states[letter] : states.A
  return former.endsWith('P') ? pair[1] : pair[0]
}

function addressed(
  entries: readonly ListedDestination[],
  listed: readonly ListedDestination[],
  stateOf: (entry: ListedDestination) => WritableState,
): { writes: StateWrite[]; refused: ListedDestination[] } {
  const writes: StateWrite[] = []
  const refused: ListedDestination[] = []
  for (const entry of entries) {
    const inSet = listed.filter((other) => other.group === entry.group)
    const twins = inSet.filter((other) => other.uri.toLowerCase() === entry.uri.toLowerCase())
    const base = { group: entry.group, uri: entry.uri, state: stateOf(entry) }
    if (twins.length === 1) writes.push(base)
    else if (entry.duid && inSet.filter((other) => other.duid === entry.duid).length === 1)
      writes.push({ ...base, duid: entry.duid })
    else refused.push(entry)
  }
  return { writes, refused }
}
