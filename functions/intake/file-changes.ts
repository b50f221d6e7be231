import { alike, type Change, type ChangeOf, type Shown, timeOf } from '../control/change.ts'
import type { DestinationUri, Flags } from '../control/destination.ts'
import type { EdgeResult } from '../control/edge-result.ts'
import type { EdgeRecord } from '../control/entry-record.ts'
import { UnexpectedAnswer } from '../control/errors.ts'
import { filedForm } from '../control/filed-change.ts'
import { coversUri, type Hold, holdKey, mayShowMore } from '../control/hold.ts'
import { type EdgeHead, type Reading, readable } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import { resultsOn, resultWithout } from '../stored/edge-results.ts'
import { onEach, tryAll } from '../stored/on-each.ts'

type Needs = Pick<Ports, 'store' | 'clock'>

/** Reading and writing for so long in one run, ms; the next minute goes on. */
const filesForMs = 10_000
/** A write that is tried again is done by then, ms. */
const writtenWithinMs = 10_000
/** So long edges have, ms; then what is known is filed without them. */
const waitsForMs = 60_000
/**
 * So long an edge that is missing then may follow, ms. What is open is read each minute: after days with an
 * edge away it would be too much to read.
 */
const followsForMs = 6 * 3_600_000

/**
 * Files what was changed, once every edge has shown what came of it. One that can't be read, or not yet, is
 * named as such, and follows when it is read within hours. A change that can't be filed keeps no other one
 * back, nor do those that only wait for an edge.
 * @throws what was thrown first, and UnexpectedAnswer for rows that can't be read, when all was done
 */
export async function fileChanges(ports: Needs): Promise<void> {
  const { store } = ports
  const { changes, unread } = await store.openChanges()
  if (changes.length > 0) await fileThem(ports, changes)
  if (unread.length > 0) throw new UnexpectedAnswer(unread.join('; '))
}

async function fileThem(ports: Needs, changes: readonly Change[]): Promise<void> {
  const { clock } = ports
  const seen = await whatIsStored(ports)
  const giveUpAt = clock.now() + filesForMs
  // Those that are on file already come last.
  const inOrder = changes.toSorted((a, b) => (a.filedAt ?? 0) - (b.filedAt ?? 0))
  await tryAll(
    inOrder.map((change) => async () => {
      if (clock.now() < giveUpAt) await fileOne(ports, change, seen)
    }),
  )
}

async function fileOne({ store, clock }: Needs, change: Change, seen: Stored): Promise<void> {
  const now = clock.now()
  const { filedAt = now } = change
  if (change.filedAt === undefined && (await hasOpenDrain({ store }, change, seen))) return
  if (now - filedAt >= followsForMs) return store.dropChange(change.id)
  const missing = missingOf(change, seen)
  if (change.filedAt !== undefined && missing.length > 0 && missing.every(isAway)) return
  const { of, found, open } = await shownSince(store, change, seen)
  const shown = alike(change.shown, found)
  const isYoung = now - timeOf(change) < waitsForMs
  const isNew = change.filedAt === undefined || found.length > 0
  if (open.length > 0 && (isYoung || !isNew)) return
  await store.fileChange(filedForm({ ...change, ...of, shown }, open))
  if (open.length > 0) await store.putShown(change.id, shown, filedAt)
}

/**
 * Of a hold that was lifted: its drain has not ended, and the sweep looks for it here, since no hold in force
 * leads to it.
 */
async function hasOpenDrain(
  { store }: Pick<Ports, 'store'>,
  change: Change,
  { holds }: Stored,
): Promise<boolean> {
  if (change.kind !== 'lifted') return false
  const id = holdKey(change.hold)
  if (holds.some((hold) => hold.source !== 'retired' && holdKey(hold) === id)) return false
  const drain = await store.drain(id)
  return drain !== undefined && drain.phase.name !== 'ended'
}

/** What is stored of edges, each part read once a run, where it is asked for. */
interface Stored {
  readonly heads: readonly EdgeHead[]
  readonly holds: readonly Hold[]
  readonly reading: (edge: string) => Promise<Reading | undefined>
  /** what it shows of a hold */
  readonly results: (edge: string) => Promise<ReturnType<typeof resultsOn> | undefined>
  readonly former: (edge: string) => Promise<FormerFlags>
}

async function whatIsStored({ store }: Pick<Ports, 'store'>): Promise<Stored> {
  const reading = once(async (edge: string) => readable(await store.reading(edge)))
  return {
    reading,
    results: once(async (edge: string) => {
      const known = await reading(edge)
      return known && resultsOn({ store }, known)
    }),
    heads: await store.edgeHeads(),
    holds: await store.holds(),
    former: once(async (edge: string) => formerFlags((await store.edgeRecords(edge)) ?? [])),
  }
}

function once<K, V>(read: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>()
  return (key) => {
    const found = known.get(key) ?? read(key)
    known.set(key, found)
    return found
  }
}

/** Edges that it does not name yet, those that were removed since among them. */
function missingOf(change: Change, { heads }: Stored): EdgeHead[] {
  const known = new Set(change.shown.flatMap(({ edges }) => edges))
  return heads.filter(
    ({ edge, removedAt }) => !known.has(edge) && (removedAt === undefined || removedAt >= timeOf(change)),
  )
}

function isAway({ unreadable, removedAt }: EdgeHead): boolean {
  return unreadable !== undefined && removedAt === undefined
}

const removed = { outcome: 'pending', detail: 'it was removed before it was read', entries: [] } as const

/** @returns the change with what its hold covers by now, and the edges that it has not named yet */
async function shownSince(
  store: Ports['store'],
  change: Change,
  seen: Stored,
): Promise<{ of: ChangeOf; found: readonly EdgeResult[]; open: readonly Shown[] }> {
  if (!('hold' in change) || change.kind === 'superseded') return { of: change, found: [], open: [] }
  const { source, id, subject, order } = change.hold
  const now = change.kind === 'placed' ? await store.hold(source, id, subject) : undefined
  const current = now?.order === order || now?.lifted ? now : change.hold
  const isHeldByAnother = heldByAnother(current, seen.holds)
  const results = await onEach(missingOf(change, seen), async (head) => {
    if (head.removedAt !== undefined) return { head, result: { edge: head.edge, ...removed } }
    const result = isAway(head)
      ? undefined
      : await resultSince(change, current, head.edge, seen, isHeldByAnother)
    return { head, result }
  })
  const { uris } = current
  return {
    of: { kind: change.kind, hold: { ...change.hold, uris } },
    found: results.flatMap(({ result }) => result ?? []),
    open: alike(
      [],
      results.flatMap(({ head, result }) => (result ? [] : resultWithout(head))),
    ),
  }
}

/** @returns undefined where its reading may be from before the change */
async function resultSince(
  { kind, id, hold }: Extract<Change, { readonly hold: Hold }>,
  current: Hold,
  edge: string,
  seen: Stored,
  isHeldByAnother: (uri: DestinationUri) => boolean,
): Promise<EdgeResult | undefined> {
  const reading = await seen.reading(edge)
  const resultFor = await seen.results(edge)
  if (!reading || !resultFor) return undefined
  if (kind !== 'placed') {
    const writtenAt = (hold.lifted?.at ?? timeOf({ id })) + writtenWithinMs
    if (reading.askedAt < writtenAt) return undefined
    const result = await resultFor(hold)
    return kind === 'retired' ? asItWas(result) : result
  }
  if (!knows(reading, current)) return undefined
  const { lifted, ...placed } = current
  const result = await resultFor(placed)
  const isOver = lifted && result.entries.some(({ after }) => !after.startsWith('D'))
  if (isOver)
    return { edge, outcome: 'pending', detail: 'it was lifted before it was read back here', entries: [] }
  return withFormer(result, await seen.former(edge), isHeldByAnother)
}

/** A mark takes over from the hold of its drain: nothing is written. */
function asItWas({ outcome, ...result }: EdgeResult): EdgeResult {
  const entries = result.entries.map((entry) => ({ ...entry, before: entry.after }))
  return { ...result, entries, outcome: outcome === 'applied' ? 'already' : outcome }
}

/** Whether it knows all that a hold covers that was placed. */
function knows(reading: Reading, hold: Hold): boolean {
  const { placedAt, shownAt = 0, lifted } = hold
  if (lifted) return reading.askedAt >= lifted.at
  if (mayShowMore(hold) && shownAt === 0) return false
  return (
    reading.holds[holdKey(hold)] !== undefined &&
    reading.askedAt >= Math.max(placedAt, shownAt) + writtenWithinMs
  )
}

/** A later reading finds it disabled already: what it showed before is on record, unless another holds it. */
function withFormer(
  result: EdgeResult,
  former: FormerFlags,
  isHeldByAnother: (uri: DestinationUri) => boolean,
): EdgeResult {
  const entries = result.entries.map((entry) => {
    const before = former.get(`${entry.set} ${entry.uri}`)
    if (before === undefined || !entry.before.startsWith('D')) return entry
    return isHeldByAnother(entry.uri) ? entry : { ...entry, before }
  })
  const isChanged = entries.some(({ before, after }) => before !== after)
  return { ...result, entries, ...(isChanged && result.outcome === 'already' && { outcome: 'applied' }) }
}

/** By set and URI. What was shown has no duid: of twins, which are named alike, the first one's. */
type FormerFlags = ReadonlyMap<string, Flags>

function formerFlags(records: readonly EdgeRecord[]): FormerFlags {
  const named = records.flatMap((record): [string, Flags][] =>
    record.kind === 'entry' ? [[`${record.set} ${record.uri}`, record.flags]] : [],
  )
  return new Map(named.toReversed())
}

/** Whether another hold had it before this one. */
function heldByAnother(hold: Hold, holds: readonly Hold[]): (uri: DestinationUri) => boolean {
  const isBefore = (other: Hold) => other.placedAt < hold.placedAt && holdKey(other) !== holdKey(hold)
  return once((uri) => holds.some((other) => isBefore(other) && coversUri(uri, other)))
}
