import type { ListedDestination } from '../control/destination.ts'
import type { EdgeList } from '../control/edge-list.ts'
import { type EdgeRecord, entryKey, recordKey } from '../control/entry-record.ts'
import { DispatcherControlError, EdgeError } from '../control/errors.ts'
import type { Hold } from '../control/hold.ts'
import {
  calmGapMs,
  guardsToRead,
  type SettlePlan,
  type SettleView,
  settlePlan,
} from '../control/settle-plan.ts'
import type { Settled, SettledEntry } from '../control/settled.ts'
import { wantedOf } from '../control/wanted.ts'
import { Lease, lost } from './edge-lease.ts'
import { asEdgeError, onEveryEdge } from './edges.ts'
import type { Edge, EdgeWrite, Ports } from './ports.ts'

export type SettleNeeds = Pick<Ports, 'store' | 'clock' | 'ids' | 'config'>

/** What came of one edge: what was found and done, or why nothing is known. `list`: as it was read last, where this run read it. */
export type SettleResult =
  | { readonly edge: Edge; readonly settled: Settled; readonly list?: EdgeList }
  | { readonly edge: Edge; readonly error: EdgeError }

/** In RPC timeouts: a run takes four readings (boot, list) and three writes at the most. */
const leaseTimeouts = 12
/** In RPC timeouts: for so long it waits for a run that has the lease; what is not known then comes with a later settle. */
const waitTimeouts = 6
/** A plan that is not done after so many looks is the next settle's. */
const looksAtMost = 4

/**
 * Brings edges to what is wanted of them, each under its lease, and tells what was found. Where another run has the lease, what that
 * one finds does, if it knows of the change `since`.
 * @param since a value of the counter: only what knows it will do
 */
export async function settle(
  ports: SettleNeeds,
  edges: readonly Edge[],
  since: number,
): Promise<SettleResult[]> {
  return onEveryEdge(edges, (edge) => settleEdge(ports, edge, since))
}

export interface SettleOptions {
  /** done under the lease, before anything is read */
  readonly first?: (edge: Edge) => Promise<void>
  /** false: it does not wait for another run that has the lease */
  readonly waits?: boolean
}

/** The same of one edge. */
export async function settleEdge(
  ports: SettleNeeds,
  edge: Edge,
  since: number,
  { first, waits = true }: SettleOptions = {},
): Promise<SettleResult> {
  const { store, clock, ids, config } = ports
  const leaseMs = leaseTimeouts * config.timers.rpcTimeoutSeconds * 1000
  const owner = ids.next()
  const giveUpAt = clock.now() + waitTimeouts * config.timers.rpcTimeoutSeconds * 1000
  for (let isFirst = true; ; isFirst = false) {
    const now = clock.now()
    // Whoever has waited is answered by what it waited for, also where the lease is free by now.
    const known = isFirst || first ? undefined : await store.settled(edge.id)
    if (known && known.wanted >= since) return { edge, settled: known }
    const generation = await store.takeEdge(edge.id, owner, now - lateMs(ports), now + leaseMs)
    if (generation !== undefined)
      return underLease(ports, edge, new Lease(ports, edge, generation, now + leaseMs), first)
    if (now >= giveUpAt || !waits)
      return {
        edge,
        error: new EdgeError(edge.id, 'busy', 'another run settles it and does not come to an end'),
      }
    await clock.sleep(250)
  }
}

/** After a lease that was not given up: a request of its holder may still be on its way to an edge without a fence. */
function lateMs({ config }: Pick<Ports, 'config'>): number {
  return config.timers.rpcTimeoutSeconds * 1000 + 2000
}

async function underLease(
  ports: SettleNeeds,
  edge: Edge,
  lease: Lease,
  first: ((edge: Edge) => Promise<void>) | undefined,
): Promise<SettleResult> {
  const { store } = ports
  try {
    if (first) await lease.ask(first)
    let found: Brought | undefined
    for (;;) {
      const wanted = await store.wanted()
      const holds = await store.holds()
      const now = await bring(ports, lease, { wanted, holds, edgeId: edge.id })
      if ((await store.putSettled(lease.generation, now.settled)) === 'lost') throw lost(edge)
      const isFirst = found === undefined || found.settled.wanted !== wanted
      if (isFirst) found = now
      const { settled, list } = found ?? now
      if (!lease.hasTime()) return { edge, settled, list }
      if ((await store.wanted()) !== wanted) continue
      if (!isFirst || !now.calms) return { edge, settled, list }
      // What was given back goes from the record once a second reading shows it so; what is wanted meanwhile does not wait for that.
      for (let slept = 0; slept < calmGapMs && (await store.wanted()) === wanted; slept += calmGapMs / 4)
        await ports.clock.sleep(calmGapMs / 4)
    }
  } catch (error) {
    return { edge, error: ownError(edge, error) }
  } finally {
    await lease.giveUp()
  }
}

/** What is wrong with one edge, or with what is stored of it, keeps no other from being settled. */
function ownError(edge: Edge, error: unknown): EdgeError {
  if (!(error instanceof DispatcherControlError) || error instanceof EdgeError) return asEdgeError(error)
  return new EdgeError(edge.id, 'busy', `${error.name}: ${error.message}`, { cause: error })
}

interface Brought {
  readonly settled: Settled
  readonly list: EdgeList
  /** a second reading, a little later, ends a record */
  readonly calms: boolean
}

interface Asked {
  readonly edgeId: string
  readonly wanted: number
  readonly holds: readonly Hold[]
}

interface Read {
  readonly list: EdgeList
  readonly view: SettleView
}

/** Reads, does what is planned, and reads back, until nothing is left to do or it does not come about. */
async function bring(ports: SettleNeeds, lease: Lease, asked: Asked): Promise<Brought> {
  const { store } = ports
  const beginsAt = ports.clock.now()
  let records = (await store.edgeRecords(asked.edgeId)) ?? []
  let first: readonly ListedDestination[] | undefined
  let problem: string | undefined
  for (let look = 1; ; look += 1) {
    const { list, view } = await read(ports, lease, asked.holds, records)
    first ??= list.destinations
    const plan = settlePlan(view)
    const next = after(records, plan)
    if (plan.put.length + plan.drop.length > 0) {
      if ((await store.putEdgeRecords(asked.edgeId, lease.generation, next)) === 'lost')
        throw lost({ id: asked.edgeId })
    }
    records = next
    if (plan.writes.length === 0 || look === looksAtMost || !lease.hasTime())
      return {
        list,
        calms: records.some(({ calmSince }) => calmSince !== undefined),
        settled: {
          edge: asked.edgeId,
          wanted: asked.wanted,
          askedAt: beginsAt,
          answeredAt: ports.clock.now(),
          boot: view.boot,
          entries: entriesOf(view, first, plan, problem),
          ...(view.guards !== 'none' && {
            guarded: [...view.guards].flatMap(([uri, held]) => (held ? [uri] : [])),
          }),
          ...(problem !== undefined && { problem }),
        },
      }
    problem = await write(lease, plan.writes)
  }
}

async function read(
  ports: SettleNeeds,
  lease: Lease,
  holds: readonly Hold[],
  records: readonly EdgeRecord[],
): Promise<Read> {
  const askedAt = ports.clock.now()
  // Its boot time first: a list that is younger than it shows a new life at the next look.
  const { bootTime } = await lease.ask((edge) => edge.boot())
  const list = await lease.ask((edge) => edge.list())
  const wanted = wantedOf(holds, list.destinations)
  const uris = guardsToRead(wanted, records)
  const shown = uris.length > 0 ? await lease.ask((edge) => edge.readGuards(uris)) : []
  const hasNone = shown.includes('no-guard')
  // A URI that is refused by itself keeps no other from being settled: its guard stays unknown.
  const failed = shown.find((one) => one instanceof EdgeError && one.fault !== 'refused')
  if (failed) throw failed
  const guards = hasNone
    ? ('none' as const)
    : new Map(
        uris.flatMap((uri, index) =>
          typeof shown[index] === 'boolean' ? [[uri, shown[index]] as const] : [],
        ),
      )
  return {
    list,
    view: {
      wanted,
      list: list.destinations,
      opaque: list.opaque,
      guards,
      records,
      boot: bootTime,
      generation: lease.generation,
      unanswered: lease.unanswered,
      askedAt,
      answeredAt: ports.clock.now(),
    },
  }
}

/** @returns the first thing that went wrong */
async function write(lease: Lease, writes: readonly EdgeWrite[]): Promise<string | undefined> {
  const answers = await lease.ask((edge) => edge.write(writes))
  const errors = answers.filter((answer) => answer instanceof EdgeError)
  if (errors.some(({ fault }) => neverAnswered.includes(fault))) lease.unanswered = true
  return errors[0]?.message
}

/** What may still be done, or has been. */
const neverAnswered: readonly EdgeError['fault'][] = ['unreachable', 'malformed']

function after(records: readonly EdgeRecord[], { put, drop }: SettlePlan): EdgeRecord[] {
  const gone = new Set(drop.map(recordKey))
  const next = new Map(
    records.filter((record) => !gone.has(recordKey(record))).map((record) => [recordKey(record), record]),
  )
  for (const record of put) next.set(recordKey(record), record)
  return [...next.values()]
}

function entriesOf(
  { wanted, list, records }: SettleView,
  first: readonly ListedDestination[],
  { refused, writes }: SettlePlan,
  problem: string | undefined,
): SettledEntry[] {
  const before = new Map(first.map((entry) => [entryKey(entry), entry.flags]))
  const known = new Map(records.map((record) => [recordKey(record), record]))
  const open = new Set(writes.flatMap((one) => ('state' in one ? [`${one.group} ${one.uri}`] : [])))
  return list.flatMap((entry): SettledEntry[] => {
    const key = entryKey(entry)
    const own = known.get(key)
    if (!wanted.held.has(entry) && !own) return []
    const { group, uri, duid, iuid, address, flags } = entry
    const shown = before.get(key)
    const why = refused.includes(entry)
      ? `listed more than once without distinct duids: ${uri} in group ${group}`
      : open.has(`${group} ${uri}`)
        ? (problem ?? 'the list still shows it otherwise after set_state answered Ok')
        : undefined
    return [
      {
        group,
        uri,
        ...(duid !== undefined && { duid }),
        ...(iuid !== undefined && { iuid }),
        ...(address !== undefined && { address }),
        ...(shown !== undefined && { before: shown }),
        after: flags,
        ...(why !== undefined && { refused: why }),
        ...(own?.kind === 'entry' && own.openAt !== undefined && { openAt: own.openAt }),
      },
    ]
  })
}
