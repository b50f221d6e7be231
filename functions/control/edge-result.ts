import type { DestinationUri, Flags } from './destination.ts'

/**
 * What came of a command on one edge. `pending`: nobody has read it back yet. `unreachable`: neither done nor
 * failed. Either is settled later.
 */
export type EdgeOutcome = 'applied' | 'already' | 'unlisted' | 'pending' | 'unreachable' | 'refused'

/** Whether some edge has anything of what the command was about. */
export function isOnSomeEdge(results: readonly { readonly outcome: EdgeOutcome }[]): boolean {
  return results.some(({ outcome }) => outcome !== 'unlisted')
}

/**
 * What came of a change on one edge, for outcomes and events: never more than the destinations it is about.
 */
export interface EdgeResult {
  readonly edge: string
  readonly outcome: EdgeOutcome
  readonly detail?: string
  /**
   * false: it has no drain guard, so that a reload opens the destination until it is settled again; absent:
   * it was not read since
   */
  readonly guarded?: boolean
  readonly entries: readonly ShownEntry[]
  /** entries that are left out: an event or a row takes only so much */
  readonly more?: number
}

/** Whether the edge was read since the change: nothing that comes later tells more of it. */
export function wasRead({ guarded }: Pick<EdgeResult, 'guarded'>): boolean {
  return guarded !== undefined
}

export interface ShownEntry {
  readonly set: number
  readonly uri: DestinationUri
  readonly before: Flags
  readonly after: Flags
}
