import type { DestinationUri, Flags, ListedDestination } from './destination.ts'
import type { EdgeOutcome } from './edge-result.ts'
import { entryKey, recordKey } from './entry-record.ts'
import { belongsTo, type Hold, type Scope } from './hold.ts'
import type { Lookup } from './listing.ts'
import { calmGapMs, type SettlePlan, type SettleView } from './settle-plan.ts'

/** One entry that is held, was held, or was written, as a settle found it at first and as it left it. */
export interface SettledEntry {
  readonly set: number
  readonly uri: DestinationUri
  readonly duid?: string
  readonly iuid?: string
  readonly address?: string
  /** absent: it came into the list meanwhile */
  readonly before?: Flags
  readonly after: Flags
  /** why it is not as wanted: it can't be written apart from others, or the edge refused the write */
  readonly refused?: string
  /**
   * what it showed at first when the counter's value became known, where an earlier reading of that value
   * found it
   */
  readonly was?: Flags
  /** epoch ms: answered then, a first reading showed it disabled under this identity, and so did all since */
  readonly since?: number
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
  /** a write that was not answered, or refused, or left for want of time: the next settle goes on */
  readonly problem?: string
}

/** What a settle came to for one hold on one edge. */
export interface HoldOutcome {
  readonly outcome: EdgeOutcome
  readonly detail?: string
  readonly guarded: boolean
  readonly entries: readonly SettledEntry[]
}

/** How the entries of a hold are found, where many holds are asked for. */
export interface FindEntries {
  /** in the reading */
  readonly settled?: Lookup<SettledEntry>
  /** in what the edge lists: an entry that it lists and that nothing was done to is as it was */
  readonly listed?: Lookup
}

/** What a settle came to for the entries of one hold, placed or lifted. */
export function outcomeOf(
  settled: Settled,
  hold: Scope & Pick<Partial<Hold>, 'lifted'>,
  find: FindEntries = {},
): HoldOutcome {
  const own = find.settled?.(hold) ?? settled.entries.filter((entry) => belongsTo(entry, hold))
  const done = own.map((entry) => ({ ...entry, ...(entry.was !== undefined && { before: entry.was }) }))
  const entries = done.length > 0 ? done : untouched(find.listed?.(hold) ?? [])
  const uris = new Set([...hold.uris, ...entries.map(({ uri }) => uri)])
  const guarded = settled.guarded !== undefined && [...uris].every((uri) => settled.guarded?.includes(uri))
  const refused = entries.find((entry) => entry.refused !== undefined)?.refused
  if (refused !== undefined) return { outcome: 'refused', detail: refused, guarded, entries }
  const shut = hold.lifted && entries.find((entry) => isShut(settled, entry))
  if (shut)
    return {
      outcome: 'refused',
      detail: `${shut.uri} is still guarded: ${settled.problem}`,
      guarded,
      entries,
    }
  if (entries.length === 0) return { outcome: 'unlisted', guarded, entries }
  const changed = entries.some(({ before, after }) => before !== after)
  return { outcome: changed ? 'applied' : 'already', guarded, entries }
}

function untouched(listed: readonly ListedDestination[]): SettledEntry[] {
  return listed.map(({ set, uri, flags }) => ({ set, uri, before: flags, after: flags }))
}

/** Its state was given back, and the guard, which could not be, keeps calls from it. */
function isShut({ guarded, problem }: Settled, { uri, after }: SettledEntry): boolean {
  return problem !== undefined && !after.startsWith('D') && (guarded?.includes(uri) ?? false)
}

/**
 * Whether two readings, {@link calmGapMs} apart, show all of it disabled under the same identities: nothing
 * in flight undid what was read back.
 */
export function isConfirmed(settled: Settled, hold: Scope): boolean {
  const { outcome, entries } = outcomeOf(settled, hold)
  const isCalm = ({ after, since }: SettledEntry) =>
    after.startsWith('D') && since !== undefined && settled.askedAt - since >= calmGapMs
  return outcome !== 'refused' && entries.every(isCalm)
}

/** @returns the entries with how long each has been disabled, by the reading before */
export function sinceWhen(
  entries: readonly SettledEntry[],
  { boot, answeredAt }: Pick<Settled, 'boot' | 'answeredAt'>,
  before: Settled | undefined,
): SettledEntry[] {
  const lifeOf = (entry: SettledEntry) => `${entryKey(entry)} ${entry.iuid ?? ''}`
  const known = new Map(before?.boot === boot ? before.entries.map((entry) => [lifeOf(entry), entry]) : [])
  return entries.map((entry) => {
    if (!entry.after.startsWith('D')) return entry
    const last = entry.before?.startsWith('D') ? known.get(lifeOf(entry)) : undefined
    return { ...entry, since: last?.since ?? answeredAt }
  })
}

/**
 * Whoever asks what came of a change may see its second reading only: that finds nothing to do, and nothing
 * on record of what was given back.
 * @param before the reading before; only one of the same counter's value counts
 * @returns the entries of both, with what the first reading of this value found
 */
export function sinceTheChange(
  entries: readonly SettledEntry[],
  wanted: number,
  list: readonly ListedDestination[],
  before: Settled | undefined,
): SettledEntry[] {
  if (before?.wanted !== wanted) return [...entries]
  const shown = ({ was, before: flags }: SettledEntry) => was ?? flags
  const earlier = new Map(before.entries.map((entry) => [entryKey(entry), entry]))
  const listed = new Map(list.map((entry) => [entryKey(entry), entry.flags]))
  const own = new Set(entries.map(entryKey))
  const gone = before.entries.flatMap((entry): SettledEntry[] => {
    const flags = listed.get(entryKey(entry))
    if (flags === undefined || own.has(entryKey(entry))) return []
    const { since: _, refused: __, ...rest } = entry
    const was = shown(entry)
    return [{ ...rest, ...(was !== undefined && { was }), before: flags, after: flags }]
  })
  return [
    ...entries.map((entry) => {
      const last = earlier.get(entryKey(entry))
      const was = last && shown(last)
      return was === undefined ? entry : { ...entry, was }
    }),
    ...gone,
  ]
}

/**
 * Whether this reading found open what the one before showed disabled, of something that was held by then:
 * somebody else did that.
 */
export function hasDrifted(settled: Settled, hold: Hold, before: Settled | undefined): boolean {
  if (!before || hold.placedAt > before.askedAt) return false
  const open = settled.entries.filter((entry) => entry.before !== undefined && !entry.before.startsWith('D'))
  if (open.length === 0) return false
  const isDisabled = ({ after }: SettledEntry) => after.startsWith('D')
  const known = Map.groupBy(before.entries, entryKey)
  return open.some(
    (entry) =>
      // One of twins may stay open for good.
      known.get(entryKey(entry))?.every(isDisabled) && belongsTo(entry, hold),
  )
}

/**
 * @param first what the edge listed when the settle began
 * @param problem why writes that are left did not come about
 * @returns what is held, was held or was written, as it was found and as it was left
 */
export function settledEntries(
  { wanted, list, records }: SettleView,
  first: readonly ListedDestination[],
  { refused, writes }: SettlePlan,
  problem: string | undefined,
): SettledEntry[] {
  const before = new Map(first.map((entry) => [entryKey(entry), entry.flags]))
  const known = new Map(records.map((record) => [recordKey(record), record]))
  const open = new Set(writes.flatMap((one) => ('state' in one ? [`${one.set} ${one.uri}`] : [])))
  const whyNotWritten = (entry: ListedDestination) => {
    const { set, uri } = entry
    if (refused.includes(entry)) return `listed more than once without distinct duids: ${uri} in set ${set}`
    if (open.has(`${set} ${uri}`))
      return problem ?? 'the list still shows it otherwise after set_state answered Ok'
    return undefined
  }
  return list.flatMap((entry): SettledEntry[] => {
    const key = entryKey(entry)
    const own = known.get(key)
    if (!wanted.held.has(entry) && !own) return []
    const { set, uri, duid, iuid, address, flags } = entry
    const shown = before.get(key)
    const why = whyNotWritten(entry)
    return [
      {
        set,
        uri,
        ...(duid !== undefined && { duid }),
        ...(iuid !== undefined && { iuid }),
        ...(address !== undefined && { address }),
        ...(shown !== undefined && { before: shown }),
        after: flags,
        ...(why !== undefined && { refused: why }),
      },
    ]
  })
}
