import type { DestinationUri, ListedDestination } from './destination.ts'
import type { OpaqueEntry } from './edge-list.ts'
import {
  type EdgeRecord,
  type EntryRecord,
  entryKey,
  type GuardRecord,
  identityOf,
  noLife,
  recordKey,
} from './entry-record.ts'
import { addressing, isDisabled, restoredState, type StateWrite } from './plan.ts'
import type { Wanted } from './wanted.ts'

/** Marks a URI in the drain guard's table, or unmarks it. */
export interface GuardWrite {
  readonly uri: DestinationUri
  readonly held: boolean
}

/**
 * Sets the state of one entry, by duid where its set lists the URI more than once; or marks a URI in the
 * drain guard's table, or unmarks it.
 */
export type EdgeWrite = StateWrite | GuardWrite

/** One edge as a settle finds it, under its lease. Times are epoch ms. */
export interface SettleView {
  readonly wanted: Wanted
  /** every entry, with duids and addresses: a short list has neither */
  readonly list: readonly ListedDestination[]
  /**
   * what the list has besides, and can't be read: nothing is written to it, and no record goes because of it
   */
  readonly opaque: readonly OpaqueEntry[]
  /**
   * what the guard answered, at least for {@link guardsToRead}; one that is missing is not known. `none`: the
   * edge has no guard.
   */
  readonly guards: ReadonlyMap<DestinationUri, boolean> | 'none'
  readonly records: readonly EdgeRecord[]
  /** see {@link identityOf} */
  readonly boot: string
  /** the lease's: the list was asked under it, so that nothing of a lower one can arrive any more */
  readonly generation: number
  /**
   * a write of this generation, to a state or the guard, was not answered: it may still arrive until a later
   * generation asks
   */
  readonly unanswered: boolean
  /** what is planned now is not written: a later settle plans it again */
  readonly isLast: boolean
  /** when the first of these answers was asked for, and when the last one came */
  readonly askedAt: number
  readonly answeredAt: number
}

/** What a settle does next, in this order. */
export interface SettlePlan {
  readonly put: readonly EdgeRecord[]
  /** in this order, after the records are put; a batch keeps it */
  readonly writes: readonly EdgeWrite[]
  readonly drop: readonly EdgeRecord[]
  /**
   * Entries whose state is not as wanted and can't be written apart: their set lists the URI more than once
   * without distinct duids, and `set_state` reaches only the first. The guard protects them.
   */
  readonly refused: readonly ListedDestination[]
  /** this reading shows all that can be written as wanted */
  readonly settled: boolean
}

/**
 * How long one reading has to be after another, ms: a reload of 8,000 entries undoes a state 0.4 s after it
 * was read back (6.1.5).
 */
export const calmGapMs = 2_000

/** The URIs whose guard matters, to be read with the list. */
export function guardsToRead(wanted: Wanted, records: readonly EdgeRecord[]): DestinationUri[] {
  const marked = records.flatMap((record) => (record.kind === 'guard' ? record.uri : []))
  return [...new Set([...wanted.guards.keys(), ...marked])]
}

/**
 * Brings one edge to what is wanted: held entries `D` and in the guard; others that show our `D`, their
 * record; everything else, whatever it shows. Disabling is guard first, then state. Giving back is state
 * first, then guard.
 */
export function settlePlan(view: SettleView): SettlePlan {
  const known = new Map(view.records.map((record) => [recordKey(record), record]))
  const guards = guardSteps(view, known)
  const touched = new Set(guards.flatMap(({ write }) => (write ? write.uri : [])))
  const { steps, refused } = entrySteps(view, known, touched)
  const next = new Map(
    [...guards, ...steps].flatMap(({ after }) => (after ? [[recordKey(after), after]] : [])),
  )
  const states = steps.flatMap(({ write }) => write ?? [])
  const marks = guards.flatMap(({ write }) => write ?? [])
  const writes = [
    ...marks.filter(({ held }) => held),
    ...states.filter(({ state }) => state === 'd'),
    ...states.filter(({ state }) => state !== 'd'),
    ...marks.filter(({ held }) => !held),
  ]
  return {
    put: [...next.values()].filter((record) => record !== known.get(recordKey(record))),
    writes,
    drop: view.records.filter((record) => !next.has(recordKey(record))),
    refused,
    settled: writes.length === 0,
  }
}

/**
 * What one entry or guard comes to: its record from now on, and what is written. Without `after` nothing
 * stays on record.
 */
interface Step<Record, Write> {
  readonly after?: Record | undefined
  readonly write?: Write
}

type Known = ReadonlyMap<string, EdgeRecord>

function guardSteps({ guards, wanted, ...view }: SettleView, known: Known): Step<GuardRecord, GuardWrite>[] {
  // An edge that answers as if it had none, once, may have one all the same.
  if (guards === 'none') return view.records.flatMap((after) => (after.kind === 'guard' ? [{ after }] : []))
  return guardsToRead(wanted, view.records).map((uri) => {
    const before = known.get(recordKey({ kind: 'guard', uri }))
    const plain: GuardRecord = { kind: 'guard', uri }
    const shown = guards.get(uri)
    const held = wanted.guards.has(uri)
    if (shown !== held) return { after: keep(before, plain), write: { uri, held } }
    const after = held ? plain : calmed(plain, before, view)
    return { after: after && keep(before, after) }
  })
}

/** Of every entry, and of records whose entry is listed no more. */
function entrySteps(
  view: SettleView,
  known: Known,
  touched: ReadonlySet<DestinationUri>,
): { steps: Step<EntryRecord, StateWrite>[]; refused: ListedDestination[] } {
  const addressOf = addressing(view.list, view.opaque)
  const refused: ListedDestination[] = []
  const steps = view.list.map((entry): Step<EntryRecord, StateWrite> => {
    const before = recordOf(entry, known)
    const { after, write } = view.wanted.held.has(entry)
      ? heldStep(entry, before, view)
      : freeStep(entry, before, view, touched.has(entry.uri))
    const address = addressOf(entry)
    // Its record may be its twin's: nothing is concluded from either until one of them is gone.
    if (!address) {
      if (write) refused.push(entry)
      return { after: before }
    }
    return { after: after && keep(before, after), ...(write && { write: { ...address, state: write } }) }
  })
  const listed = new Set(view.list.map(entryKey))
  const unlisted = view.records.flatMap((after) =>
    after.kind === 'entry' && !listed.has(entryKey(after)) && mayComeBack(after, view) ? [{ after }] : [],
  )
  return { steps: [...steps, ...unlisted], refused }
}

/** Whether an entry that the list does not show may be in it all the same, or be written yet. */
function mayComeBack(record: EntryRecord, view: SettleView): boolean {
  const hidden = view.opaque.some(
    ({ set, text }) => set === undefined || (set === record.set && text === record.uri),
  )
  return hidden || mayArrive(record, view)
}

function heldStep(
  entry: ListedDestination,
  before: EntryRecord | undefined,
  view: SettleView,
): Step<EntryRecord, StateWrite['state']> {
  const shown = readOf(entry, view)
  if (!isDisabled(entry)) return { after: openStep(shown, before, view), write: 'd' }
  const open = before?.openAt !== undefined && { openAt: before.openAt }
  if (!before || isItsOwn(before, shown)) return { after: { ...shown, ...open } }
  return {
    after: { ...shown, ...open, flags: before.flags, ...(mayArrive(before, view) && { sent: before.sent }) },
  }
}

/** @returns the record of an entry that was found open: whether a `D` of ours follows this reading */
function openStep(shown: EntryRecord, before: EntryRecord | undefined, view: SettleView): EntryRecord {
  const open = { ...shown, openAt: view.answeredAt }
  if (!view.isLast) return { ...open, sent: view.generation }
  return before && mayArrive(before, view)
    ? { ...open, sent: view.generation }
    : { ...open, identity: noLife }
}

/** @param touched whether its guard is being written: then this reading is no calm one */
function freeStep(
  entry: ListedDestination,
  before: EntryRecord | undefined,
  view: SettleView,
  touched: boolean,
): Step<EntryRecord, StateWrite['state']> {
  if (!before) return {}
  const shown = readOf(entry, view)
  const flags = isDisabled(entry) && isItsOwn(before, shown) ? entry.flags : before.flags
  if (isDisabled(entry) && !flags.startsWith('D')) {
    const { calmSince, sent, ...rest } = before
    const after = { ...rest, identity: shown.identity, ...(mayArrive(before, view) && { sent }) }
    return { after, write: restoredState(flags) }
  }
  if (mayArrive(before, view)) return { after: before }
  const after = { ...shown, flags }
  return { after: touched ? after : calmed(after, before, view) }
}

/**
 * Whether a `D` is not ours: the entry was read back under another identity, or found open, and we have not
 * sent a `D` since. A reload between a reading and its write can't be told from that. Before 6.1 no reload
 * shows: its `D` counts as ours.
 */
function isItsOwn(before: EntryRecord, shown: EntryRecord): boolean {
  return before.identity !== shown.identity && before.sent === undefined
}

/**
 * Whether a `D` of ours may still arrive. One of an earlier generation can't: this reading was asked for
 * under the next.
 */
function mayArrive(record: EntryRecord, { generation, unanswered }: SettleView): boolean {
  return unanswered && record.sent === generation
}

/**
 * As wanted in this reading: gone from the record when it was so in one at least the gap before, and nothing
 * of ours can arrive.
 */
function calmed<Record extends EdgeRecord>(
  record: Record,
  before: EdgeRecord | undefined,
  { unanswered, askedAt, answeredAt }: Pick<SettleView, 'unanswered' | 'askedAt' | 'answeredAt'>,
): Record | undefined {
  if (unanswered) return record
  const calmSince = before?.calmSince ?? answeredAt
  return askedAt - calmSince >= calmGapMs ? undefined : { ...record, calmSince }
}

function readOf(entry: ListedDestination, { boot }: SettleView): EntryRecord {
  const { set, uri, duid, flags } = entry
  return {
    kind: 'entry',
    set,
    uri,
    ...(duid !== undefined && { duid }),
    flags,
    identity: identityOf(boot, entry),
  }
}

function recordOf(entry: ListedDestination, known: Known): EntryRecord | undefined {
  const found = known.get(entryKey(entry))
  return found?.kind === 'entry' ? found : undefined
}

/** @returns the record that is there where nothing has changed, so that it is not put again */
function keep<Record extends EdgeRecord>(before: EdgeRecord | undefined, after: Record): Record {
  return before !== undefined && fieldsOf(before) === fieldsOf(after) ? (before as Record) : after
}

function fieldsOf(record: EdgeRecord): string {
  if (record.kind === 'guard') return String(record.calmSince)
  return [record.flags, record.identity, record.sent, record.openAt, record.calmSince].join()
}
