import { alike, type Change, type ChangeOf, type Shown, timeOf } from '../control/change.ts'
import type { EdgeResult } from '../control/edge-result.ts'
import type { EdgeRecord } from '../control/entry-record.ts'
import { filedForm } from '../control/filed-change.ts'
import { belongsTo, type Hold, holdKey, mayShowMore } from '../control/hold.ts'
import { type EdgeHead, type Reading, readable } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import { resultsOn, resultWithout } from '../stored/edge-results.ts'
import { inTurn, onEach } from '../stored/on-each.ts'

type Needs = Pick<Ports, 'store' | 'clock'>

/** Reading and writing for so long in one run, ms; the next minute goes on. */
const filesForMs = 10_000
/** A write that is tried again is done by then, ms. */
const writtenWithinMs = 10_000
/** So long edges have, ms; then what is known is filed without them. */
const waitsForMs = 60_000

/**
 * Files what was changed, once every edge has shown what came of it. One that can't be read, or not yet, is
 * named as such, and follows when it is read. A change that can't be filed keeps no other one back.
 */
export async function fileChanges(ports: Needs): Promise<void> {
  const { store, clock } = ports
  const giveUpAt = clock.now() + filesForMs
  const changes = await store.openChanges()
  if (changes.length === 0) return
  const seen = await whatIsStored(ports)
  await inTurn(
    changes.map((change) => async () => {
      if (clock.now() < giveUpAt) await fileOne(ports, change, seen)
    }),
  )
}

async function fileOne({ store, clock }: Needs, change: Change, seen: Stored): Promise<void> {
  const { of, found, open } = await shownSince(store, change, seen)
  const shown = alike(change.shown, found)
  const isYoung = clock.now() - timeOf(change) < waitsForMs
  const isNew = !change.filed || found.length > 0
  if (open.length > 0 && (isYoung || !isNew)) return
  await store.fileChange(filedForm({ ...change, ...of, shown }, open))
  if (open.length > 0) await store.putShown(change.id, shown, true)
}

/** What is stored of edges, each part read once a run, where it is asked for. */
interface Stored {
  readonly heads: readonly EdgeHead[]
  readonly holds: readonly Hold[]
  readonly reading: (edge: string) => Promise<Reading | undefined>
  readonly records: (edge: string) => Promise<readonly EdgeRecord[]>
}

async function whatIsStored({ store }: Pick<Ports, 'store'>): Promise<Stored> {
  return {
    heads: (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined),
    holds: await store.holds(),
    reading: once(async (edge) => readable(await store.reading(edge))),
    records: once(async (edge) => (await store.edgeRecords(edge)) ?? []),
  }
}

function once<T>(read: (edge: string) => Promise<T>): (edge: string) => Promise<T> {
  const known = new Map<string, Promise<T>>()
  return (edge) => {
    const found = known.get(edge) ?? read(edge)
    known.set(edge, found)
    return found
  }
}

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
  const known = new Set(change.shown.flatMap(({ edges }) => edges))
  const missing = seen.heads.filter(({ edge }) => !known.has(edge))
  const results = await onEach(missing, async (head) => {
    const result = head.unreadable ? undefined : await resultSince(store, change, current, head.edge, seen)
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
  store: Ports['store'],
  { kind, id, hold }: Extract<Change, { readonly hold: Hold }>,
  current: Hold,
  edge: string,
  seen: Stored,
): Promise<EdgeResult | undefined> {
  const reading = await seen.reading(edge)
  if (!reading) return undefined
  if (kind !== 'placed') {
    const writtenAt = (hold.lifted?.at ?? timeOf({ id })) + writtenWithinMs
    if (reading.askedAt < writtenAt) return undefined
    const result = await resultsOn({ store }, reading)(hold)
    return kind === 'retired' ? asItWas(result) : result
  }
  if (!knows(reading, current)) return undefined
  const { lifted, ...placed } = current
  const result = await resultsOn({ store }, reading)(placed)
  const isOver = lifted && result.entries.some(({ after }) => !after.startsWith('D'))
  if (isOver)
    return { edge, outcome: 'pending', detail: 'it was lifted before it was read back here', entries: [] }
  return withFormer(result, await seen.records(edge), placed, seen.holds)
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
  records: readonly EdgeRecord[],
  hold: Hold,
  holds: readonly Hold[],
): EdgeResult {
  const others = holds.filter((other) => holdKey(other) !== holdKey(hold) && other.placedAt < hold.placedAt)
  const entries = result.entries.map((entry) => {
    // What was shown has no duid: of twins, which are named alike, the first one's.
    const record = records.find(
      (one) => one.kind === 'entry' && one.set === entry.set && one.uri === entry.uri,
    )
    if (record?.kind !== 'entry' || !entry.before.startsWith('D')) return entry
    return others.some((other) => belongsTo(entry, other)) ? entry : { ...entry, before: record.flags }
  })
  const isChanged = entries.some(({ before, after }) => before !== after)
  return { ...result, entries, ...(isChanged && result.outcome === 'already' && { outcome: 'applied' }) }
}
