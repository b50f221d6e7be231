import type { DestinationUri, Flags, ListedDestination } from './destination.ts'
import { belongsTo } from './hold.ts'
import { type EdgeOutcome, isDisabled, type Scope } from './plan.ts'

/** One entry that is held, was held, or was written, as a settle found it at first and as it left it. */
export interface SettledEntry {
  readonly group: number
  readonly uri: DestinationUri
  readonly duid?: string
  readonly iuid?: string
  readonly address?: string
  /** absent: it came into the list meanwhile */
  readonly before?: Flags
  readonly after: Flags
  /** why it is not as wanted: it can't be written apart from others, or the edge refused the write */
  readonly refused?: string
  /** epoch ms: when a settle last found it open while it was held */
  readonly openAt?: number
}

/** What a settle found on one edge. Times are epoch ms. */
export interface Settled {
  readonly edge: string
  /** it knows every change up to this value */
  readonly wanted: number
  readonly askedAt: number
  readonly answeredAt: number
  readonly boot: string
  readonly entries: readonly SettledEntry[]
  /** URIs that the drain guard has; absent where the edge has none */
  readonly guarded?: readonly DestinationUri[]
  /** a write that was not answered, or refused: the next settle goes on */
  readonly problem?: string
}

/** What a settle came to for one hold on one edge. */
export interface HoldOutcome {
  readonly outcome: EdgeOutcome
  readonly detail?: string
  readonly guarded: boolean
  readonly entries: readonly SettledEntry[]
}

/** What a settle came to for the entries of one hold, placed or lifted. */
export function outcomeOf(settled: Settled, hold: Scope): HoldOutcome {
  const entries = settled.entries.filter((entry) => belongsTo(entry, hold))
  const uris = new Set([...hold.uris, ...entries.map(({ uri }) => uri)])
  const guarded = settled.guarded !== undefined && [...uris].every((uri) => settled.guarded?.includes(uri))
  const refused = entries.find((entry) => entry.refused !== undefined)?.refused
  if (refused !== undefined) return { outcome: 'refused', detail: refused, guarded, entries }
  if (entries.length === 0) return { outcome: 'unlisted', guarded, entries }
  const changed = entries.some(({ before, after }) => before !== after)
  return { outcome: changed ? 'applied' : 'already', guarded, entries }
}

/** Whether both show the same entries, all disabled, under the same identities: nothing in flight undid what was read back. */
export function isConfirmed(first: readonly SettledEntry[], later: readonly ListedDestination[]): boolean {
  const names = (entries: readonly Pick<ListedDestination, 'group' | 'uri' | 'duid' | 'iuid'>[]) =>
    entries
      .map(({ group, uri, duid = '', iuid = '' }) => `${group} ${uri} ${duid} ${iuid}`)
      .sort()
      .join('\n')
  const disabled = first.every(({ after }) => after.startsWith('D')) && later.every(isDisabled)
  return disabled && names(first) === names(later)
}
