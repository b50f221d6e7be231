import type { EdgeError } from '../control/errors.ts'
import type { Countable } from '../control/hold.ts'
import { clocksApartMs } from '../control/observation.ts'
import { type EdgeHead, hasCounted, type Reading, readable, type StoredHead } from '../control/reading.ts'
import { hasDrifted } from '../control/settled.ts'
import type { Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'
import { Boots } from './boots.ts'
import { currentHeads, knownHeads, markRemoved } from './edge-heads.ts'
import { Lease, lateMs } from './edge-lease.ts'
import { type EndCalls, endOwnShare } from './end-share.ts'
import { publishDrift } from './publish-drift.ts'
import { headOf, type Known, ownError, settleUnderLease, unreadHead, until } from './settle.ts'
import { emptiedBy, wakeDrains } from './wake-drains.ts'
import { rememberingWantedHolds, type WantedHolds } from './wanted-holds.ts'

/**
 * What came of one edge. `left`: another run has its lease, and does what is wanted; or it rests, and nothing
 * new is.
 */
export type SettleResult =
  | { readonly edge: Edge; readonly reading: Reading }
  | { readonly edge: Edge; readonly error: EdgeError }
  | { readonly edge: Edge; readonly left: true }

export type FleetNeeds = Pick<
  EdgePorts,
  'fleet' | 'store' | 'workflows' | 'clock' | 'ids' | 'config' | 'events' | 'metrics'
>

/** In RPC timeouts: for so long what can't be left out waits for a run that has the lease. */
const waitTimeouts = 6
/**
 * About what one hold costs: with it an edge that takes batches is asked some four times a second at most
 * (bench/edge-requests.ts).
 */
const restPerHoldMs = 13
/** Whoever waits for a reading waits a little longer than this (read-back.ts). */
const longestRestMs = 6500
/**
 * Longer than this nobody waits for what rests: who needs it asks again, and a function that sleeps is paid
 * for. No less than the clocks may be apart: who asks for a reading may be that far ahead.
 */
export const longestNapMs = 2000

export interface SettleOrder {
  /** epoch ms: readings that were begun earlier will not do */
  readonly notBefore?: number | undefined
  readonly endCalls?: EndCalls | undefined
  /**
   * counted besides what is held: an edge that another run has read without it, or reads, is read once more,
   * unless so much is held there that it has to rest
   */
  readonly atStake?: readonly Countable[] | undefined
  /**
   * an edge that rests is read all the same, and one that another run has once that one is done: it may ask
   * another address
   */
  readonly atOnce?: boolean
  /** only these, by id */
  readonly only?: readonly string[] | undefined
  readonly wantedHolds?: WantedHolds | undefined
}

/**
 * Settles every edge that does not know what is wanted, or whose reading is too old, each under its own
 * lease. An edge that another run has is left to it, unless the order is `atOnce`, has something at stake, or
 * ends calls there: that one looks at the counter again before it ends. Where nothing is new, an edge rests
 * between two readings; one that could not be read, in any case.
 * @returns what came of those edges
 */
export async function settleFleet(ports: FleetNeeds, order: SettleOrder = {}): Promise<SettleResult[]> {
  const edges = await ports.fleet.edges()
  const heads = await knownHeads(ports, edges)
  let results: SettleResult[] = []
  const works = [
    async () => {
      results = await settleDue(ports, edges, heads, order)
    },
    () => markRemoved(ports, edges, heads),
  ]
  await onEach(works, async (work) => work())
  return results
}

async function settleDue(
  ports: FleetNeeds,
  edges: readonly Edge[],
  heads: ReadonlyMap<string, StoredHead>,
  order: SettleOrder,
): Promise<SettleResult[]> {
  const { store, clock } = ports
  const wantedHolds = order.wantedHolds ?? rememberingWantedHolds(ports)
  const boots = new Boots(edges.flatMap(({ id }) => heads.get(id) ?? []))
  const wanted = await store.wanted()
  const isDue = (edge: Edge) => {
    const head = heads.get(edge.id)
    if (order.atOnce || shareOf(edge, order) > 0 || !head) return true
    if (order.atStake && !head.unreadable && head.removedAt === undefined) return true
    return !isKnown(head, wanted, order.notBefore) && !rests(ports, head, wanted)
  }
  const due = edges.filter((edge) => (order.only?.includes(edge.id) ?? true) && isDue(edge))
  const emptied = new Set<string>()
  const results = await onEach(due, async (edge): Promise<SettleResult> => {
    const { leasedUntil = 0, ...head } = heads.get(edge.id) ?? {}
    const isAsked = order.atStake !== undefined || order.atOnce === true
    const waits = isAsked || shareOf(edge, order) > 0
    // Whoever has it looks at the counter again when it is done: hundreds that come at once need not ask for
    // the lease.
    if (!waits && leasedUntil > clock.now() - lateMs(ports)) return { edge, left: true }
    const known = 'edge' in head ? head : undefined
    return settleEdge(ports, edge, { ...order, wantedHolds, boots, emptied, head: known, waits })
  })
  await wakeDrains(ports, emptied)
  return results
}

function shareOf({ id }: Edge, { endCalls }: SettleOrder): number {
  return endCalls?.shares[id] ?? 0
}

export interface EdgeOrder extends SettleOrder {
  readonly boots?: Boots
  readonly head?: EdgeHead | undefined
  /** done under the lease, before anything is read */
  readonly first?: (edge: Edge, lease: Lease) => Promise<void>
  /** keys of holds whose last call there was found to be over are put into it */
  readonly emptied?: Set<string>
  /** true: it waits for another run that has the lease */
  readonly waits?: boolean
}

/** The same of one edge. What can be read no more is marked so. */
export async function settleEdge(
  ports: FleetNeeds,
  edge: Edge,
  order: EdgeOrder = {},
): Promise<SettleResult> {
  const wantedHolds = order.wantedHolds ?? rememberingWantedHolds(ports)
  const boots = order.boots ?? new Boots(await currentHeads(ports))
  const mustAsk = (order.atOnce ?? false) || order.first !== undefined || shareOf(edge, order) > 0
  // Who asked may have a clock that is ahead: what is read before its time comes does not answer it.
  const notBefore = Math.min(order.notBefore ?? 0, ports.clock.now() + clocksApartMs)
  let round: Round = { ...order, edge, wantedHolds, mustAsk, notBefore }
  let last: SettleResult = { edge, left: true }
  for (;;) {
    const lease = await take(ports, edge, boots, round.waits ?? false)
    if (!lease) return last
    const result = await underLease(ports, lease, round)
    if (!('reading' in result)) return result
    const { wanted: known, askedAt } = result.reading
    // Only a later generation knows that a write which was not answered comes no more: until then a D counts
    // as ours, whoever means it.
    const isInTheAir = lease.unanswered && !round.isLast
    // Whoever found the lease taken left its change to us.
    const isOld = (await ports.store.wanted()) !== known || askedAt < notBefore
    if (!isInTheAir && !isOld) return result
    last = result
    const { first: _done, ...again } = round
    const ifInTheAir = isInTheAir && { waits: true, isLast: true }
    round = { ...again, head: headOf(result.reading), mustAsk: isInTheAir, ...ifInTheAir }
  }
}

/** @returns whether it is known already: also that it can't be read */
function isKnown(
  { wanted, askedAt, unreadable, removedAt }: EdgeHead,
  since: number,
  notBefore = 0,
): boolean {
  if (removedAt !== undefined) return false
  if (unreadable) return unreadable.at > 0 && notBefore > 0 && unreadable.at >= notBefore
  // Above the counter: that went back since, and what this one knows is something else.
  return wanted === since && askedAt >= notBefore
}

async function take(ports: FleetNeeds, edge: Edge, boots: Boots, waits: boolean): Promise<Lease | undefined> {
  const { clock, ids, config } = ports
  const owner = ids.next()
  const giveUpAt = clock.now() + waitTimeouts * config.timers.rpcTimeoutSeconds * 1000
  for (;;) {
    const lease = await Lease.take(ports, edge, owner, lateMs(ports), boots)
    if (lease || !waits || clock.now() >= giveUpAt) return lease
    await clock.sleep(250)
  }
}

interface Round extends EdgeOrder {
  readonly edge: Edge
  readonly wantedHolds: WantedHolds
  readonly mustAsk: boolean
  /** a write that is not answered now is left to whoever settles the edge next */
  readonly isLast?: boolean
}

async function underLease(ports: FleetNeeds, lease: Lease, order: Round): Promise<SettleResult> {
  const { store, clock } = ports
  const { edge, wantedHolds, first, mustAsk } = order
  let head: EdgeHead = order.head ?? { edge: edge.id, wanted: -1, askedAt: 0 }
  try {
    if (!order.head) head = (await store.edgeHeads()).find((each) => each.edge === edge.id) ?? head
    const reading = readable(await store.reading(edge.id))
    // Somebody has read it since the heads were.
    if (reading && reading.askedAt > head.askedAt) head = headOf(reading)
    const known = { head, reading, listing: await store.listing(edge.id) }
    const rested = mustAsk ? undefined : await rest(ports, known, order)
    if (rested) return rested === 'rests' ? { edge, left: true } : { edge, reading: rested }
    // Whose Kamailio answers is known before anything is done there.
    if (mustAsk) await lease.ask((own) => own.boot())
    if (first) await lease.ask((own) => first(own, lease))
    const ended = await endOwnShare(ports, lease, known, order)
    const last = await settleUnderLease(ports, lease, wantedHolds, known, {
      ended,
      atStake: order.atStake,
      twice: first !== undefined,
      onReading: async (found, before) => {
        head = headOf(found)
        for (const key of emptiedBy(found, before)) order.emptied?.add(key)
        const { holds } = await wantedHolds.now()
        await publishDrift(
          ports,
          found,
          holds.filter((hold) => hasDrifted(found, hold, before)),
        )
      },
    })
    return { edge, reading: last }
  } catch (error) {
    const own = ownError(edge.id, error)
    await store.putReading(lease.generation, { head: unreadHead(head, own, clock.now()) })
    return { edge, error: own }
  } finally {
    await lease.giveUp()
  }
}

/**
 * @returns whether its head shows that it was asked a moment ago, and knows what is wanted or could not be
 * read
 */
function rests({ clock, config }: FleetNeeds, head: EdgeHead, wanted: number): boolean {
  const { askedAt, unreadable, removedAt } = head
  const triedAt = Math.max(unreadable?.at ?? 0, head.wanted === wanted ? askedAt : 0)
  const restsUntil = triedAt + config.timers.minWaitSeconds * 1000
  return removedAt === undefined && restsUntil - clock.now() > longestNapMs
}

/**
 * @returns the reading that another run has made meanwhile, if it will do; or that the edge rests for longer
 * than a moment
 */
async function rest(
  ports: FleetNeeds,
  { head, reading }: Known,
  { wantedHolds, notBefore = 0, atStake }: Round,
): Promise<Reading | 'rests' | undefined> {
  if (head?.removedAt !== undefined) return undefined
  const { wanted } = await wantedHolds.now()
  const triedAt = head?.unreadable?.at ?? 0
  const latest = reading?.wanted === wanted ? reading : undefined
  const isCounted = hasCounted(latest, atStake)
  if (latest && isCounted && latest.askedAt >= notBefore && triedAt < latest.askedAt) return latest
  const perHolds = Math.min(longestRestMs, restPerHoldMs * Object.keys(reading?.holds ?? {}).length)
  const restMs = isCounted ? Math.max(ports.config.timers.minWaitSeconds * 1000, perHolds) : perHolds
  const restsUntil = Math.max(triedAt, latest?.askedAt ?? 0) + restMs
  const wakesAt = Math.max(restsUntil, notBefore)
  if (wakesAt - ports.clock.now() > longestNapMs) return 'rests'
  await until(ports, wanted, wakesAt)
  return undefined
}
