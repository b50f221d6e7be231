import { describeEdge, totalCalls } from '../control/edge-facts.ts'
import { asEdgeError, DispatcherControlError, EdgeError, UnexpectedAnswer } from '../control/errors.ts'
import { type Countable, type Hold, holdKey, isResolved } from '../control/hold.ts'
import { mayHideUris, remember, withBegun } from '../control/list-memory.ts'
import { replacedAt } from '../control/observation.ts'
import type {
  CallCount,
  EdgeHead,
  HoldReading,
  Listing,
  Reading,
  Unknown,
  UnreadRow,
} from '../control/reading.ts'
import { calmGapMs } from '../control/settle-plan.ts'
import { settledEntries, sinceTheChange, sinceWhen } from '../control/settled.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { countCalls, wasSilent } from './count-calls.ts'
import { type Lease, lost } from './edge-lease.ts'
import type { WantedHolds } from './wanted-holds.ts'
import { writeWanted } from './write-wanted.ts'

export type SettleNeeds = Pick<EdgePorts, 'store' | 'clock' | 'config'>

/** What was stored of an edge before. */
export interface Known {
  readonly head?: EdgeHead | undefined
  readonly reading?: Reading | undefined
  readonly listing?: Listing | UnreadRow | undefined
}

export interface Found {
  readonly reading: Reading
  readonly listing: Listing
  /** a second reading, a little later, ends a record, or confirms what is disabled */
  readonly calms: boolean
}

export interface Rounds {
  readonly ended: Reading['ended']
  /** counted besides what is held */
  readonly atStake?: readonly Countable[] | undefined
  /** it is read a second time in any case */
  readonly twice: boolean
  /** called with each reading once it is stored, and of the one before */
  readonly onReading: (reading: Reading, before: Reading | undefined) => Promise<void>
}

/**
 * In RPC timeouts: a pause, what the edge is (2), its list and guards (2), what calls began to, a count (3),
 * its boot.
 */
const readingTimeouts = 10
/** So often a counter that rose has an edge settled anew before anything is counted there. */
const roundsAtMost = 3

/**
 * Settles one edge under its lease: brings it to what is wanted, reads it back, and counts the calls of what
 * is held. What was disabled or given back is read a second time, {@link calmGapMs} later. All of it is
 * stored as it is found.
 * @returns the last reading. @throws EdgeError
 */
export async function settleUnderLease(
  ports: SettleNeeds,
  lease: Lease,
  wantedHolds: WantedHolds,
  known: Known,
  { ended, atStake, twice, onReading }: Rounds,
): Promise<Reading> {
  const { store, clock } = ports
  let before = known
  let confirms: number | undefined
  for (;;) {
    const found = await bring(ports, lease, wantedHolds, before, { ended, atStake })
    await keep(ports, lease, found, before)
    const last = found.reading
    await onReading(last, before.reading)
    before = { head: headOf(last), ...found }
    // A reading that its lease ends would claim that the edge can't be read.
    if (!lease.hasTime(readingTimeouts)) return last
    const isNew = (await store.wanted()) !== last.wanted
    if (!isNew && (confirms === last.wanted || !(found.calms || twice))) return last
    // What is wanted meanwhile does not wait for the second reading, and has one of its own.
    if (!isNew) await until(ports, last.wanted, clock.now() + calmGapMs)
    confirms = isNew ? undefined : last.wanted
  }
}

/** Waits until the counter rises, or the time has come (epoch ms). @returns whether the time has come */
export async function until({ store, clock }: SettleNeeds, wanted: number, at: number): Promise<boolean> {
  while (clock.now() < at) {
    if ((await store.wanted()) !== wanted) return false
    await clock.sleep(Math.min(calmGapMs / 4, at - clock.now()))
  }
  return true
}

export function headOf({ edge, wanted, askedAt, description: { bootId } }: Reading): EdgeHead {
  return { edge, wanted, askedAt, ...(bootId !== undefined && { bootId }) }
}

async function keep({ store }: SettleNeeds, lease: Lease, found: Found, before: Known): Promise<void> {
  const { reading, listing } = found
  const isNew = JSON.stringify(listing) !== JSON.stringify(before.listing)
  const written = await store.putReading(lease.generation, {
    head: headOf(reading),
    reading,
    ...(isNew && { listing }),
  })
  if (written === 'lost') throw lost(lease.edge)
}

/** These come back by themselves. */
const passing: readonly EdgeError['fault'][] = ['unreachable', 'busy', 'throttled', 'stale']

/** The head of an edge that could not be read. */
export function unreadHead(head: EdgeHead, { fault, what }: EdgeError, now: number): EdgeHead {
  const { removedAt: _, unreadable, ...known } = head
  return {
    ...known,
    unreadable: {
      since: unreadable?.since ?? now,
      at: now,
      reason: what,
      passes: passing.includes(fault),
    },
  }
}

/** What is wrong with one edge, or with what is stored of it, keeps no other from being settled. */
export function ownError(edge: string, error: unknown): EdgeError {
  if (!(error instanceof DispatcherControlError) || error instanceof EdgeError) return asEdgeError(error)
  const fault = error instanceof UnexpectedAnswer ? 'unreadable-row' : 'busy'
  return new EdgeError(edge, fault, `${error.name}: ${error.message}`, { cause: error })
}

/**
 * One reading: what is wanted is done, then the calls are counted. While the counter rises, what is new is
 * done first.
 */
async function bring(
  ports: SettleNeeds,
  lease: Lease,
  wantedHolds: WantedHolds,
  known: Known,
  { ended = {}, atStake = [] }: Pick<Rounds, 'ended' | 'atStake'>,
): Promise<Found> {
  const { clock, config, store } = ports
  const askedAt = clock.now()
  const facts = await lease.ask((edge) => edge.facts())
  let asked = await wantedHolds.now()
  const { batch: takesBatches } = facts
  let done = await writeWanted(ports, lease, { holds: asked.holds, bootTime: facts.bootTime, takesBatches })
  const { first } = done
  for (
    let round = 1;
    round < roundsAtMost && lease.hasTime(readingTimeouts) && (await store.wanted()) !== asked.wanted;
    round += 1
  ) {
    asked = await wantedHolds.now()
    // It may have been restarted since, and be on record under its new life.
    const { bootTime } = await lease.ask((edge) => edge.boot())
    // What the edge showed before this run wrote anything is what was found.
    const again = await writeWanted(ports, lease, { holds: asked.holds, bootTime, takesBatches })
    done = { ...again, first: done.first, gone: [...done.gone, ...again.gone] }
  }
  const { edge } = lease
  const { list, view, records } = done
  const counted = asked.holds.filter((hold) => hold.source !== 'retired' && isResolved(hold))
  const shown = remember(known.listing, edge.id, list, clock.now(), config.timers.longestCallSeconds)
  const asking = { counted, before: known.reading, now: clock.now() }
  const listing = facts.counters ? await withUnreadUris(lease, shown, asking) : shown
  const answeredAt = clock.now()
  const description = describeEdge(edge, facts, list)
  const replaced = replacedAt(description, answeredAt, known.reading)
  const found = settledEntries(view, first, done.plan, done.problem)
  const dated = sinceWhen(found, { boot: facts.bootTime, answeredAt }, known.reading)
  const entries = sinceTheChange(dated, asked.wanted, list.destinations, known.reading)
  const { holds: subjects, bootTime } = await lease.ask((each) =>
    countCalls(ports, {
      ...{ edge: each, holds: withStakes(counted, atStake), listing, entries, before: known.reading },
      records: [...records, ...done.gone],
      takesBatches,
    }),
  )
  if (bootTime !== facts.bootTime)
    throw new EdgeError(edge.id, 'unreachable', 'it restarted while it was read')
  const { holds, atStake: stakes } = parted(subjects, counted)
  const isHeld = (key: string) => holds[key] !== undefined
  const kept = Object.entries(ended).filter(([key]) => isHeld(key))
  const reading: Reading = {
    ...{ edge: edge.id, wanted: asked.wanted, askedAt, answeredAt, boot: facts.bootTime },
    uptimeSeconds: facts.uptimeSeconds,
    ...(replaced !== undefined && { replacedAt: replaced }),
    restoresDialogs: edge.restoresDialogs,
    ...{ description, entries, holds },
    load: { calls: totalCalls(facts) },
    ...(view.guards !== 'none' && {
      guarded: [...view.guards].flatMap(([uri, held]) => (held ? [uri] : [])),
    }),
    ...(done.problem !== undefined && { problem: done.problem }),
    ...(kept.length > 0 && { ended: Object.fromEntries(kept) }),
    ...(stakes && { atStake: stakes }),
  }
  const isYoung = ({ since }: (typeof entries)[number]) => since !== undefined && askedAt - since < calmGapMs
  const calms = records.some(({ calmSince }) => calmSince !== undefined) || entries.some(isYoung)
  return { reading, listing, calms }
}

/** What is held is counted first. */
function withStakes(counted: readonly Hold[], atStake: readonly Countable[]): readonly Countable[] {
  const held = new Set(counted.map(holdKey))
  return [...counted, ...atStake.filter((each) => isResolved(each) && !held.has(holdKey(each)))]
}

/** What a dry run has at stake is none of the holds. */
function parted(
  subjects: Readonly<Record<string, HoldReading>>,
  counted: readonly Hold[],
): Pick<Reading, 'holds' | 'atStake'> {
  const held = new Set(counted.map(holdKey))
  const all = Object.entries(subjects)
  const stakes = all
    .filter(([key]) => !held.has(key))
    .map(([key, { counted: its }]): [string, CallCount | Unknown] => [key, its.count])
  return {
    holds: Object.fromEntries(all.filter(([key]) => held.has(key))),
    ...(stakes.length > 0 && { atStake: Object.fromEntries(stakes) }),
  }
}

/** Remembers also what came and went between two readings, where calls began to it. @throws EdgeError */
async function withUnreadUris(
  lease: Lease,
  listing: Listing,
  asked: { readonly counted: readonly Hold[]; readonly before: Reading | undefined; readonly now: number },
): Promise<Listing> {
  const { counted, before, now } = asked
  const isHiding = counted.some((hold) => {
    const isNew = before?.holds[holdKey(hold)] === undefined
    return mayHideUris(hold, listing, { isNew, silent: wasSilent(before, hold), now })
  })
  const begun = isHiding ? await lease.ask((edge) => edge.begunUris()) : undefined
  return begun ? withBegun(listing, begun, counted, now) : listing
}
