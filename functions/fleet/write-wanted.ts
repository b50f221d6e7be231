import { batchLimits } from '../contracts/rpc.ts'
import type { DestinationUri, ListedDestination } from '../control/destination.ts'
import type { EdgeList } from '../control/edge-list.ts'
import { type EdgeRecord, recordKey } from '../control/entry-record.ts'
import { EdgeError, faultsOfTheWay, neverAnswered } from '../control/errors.ts'
import type { Hold } from '../control/hold.ts'
import {
  type EdgeWrite,
  guardsToRead,
  type SettlePlan,
  type SettleView,
  settlePlan,
} from '../control/settle-plan.ts'
import { wantedOf } from '../control/wanted.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { type Lease, lost } from './edge-lease.ts'
import { requestsAtOnce, slices } from './slices.ts'

/** A plan that is not done after so many looks is the next settle's. */
const looksAtMost = 4
/** In RPC timeouts: within so many what is asked or written together is answered. */
const sliceTimeouts = 3
/**
 * In RPC timeouts: what follows the last writes, which is its boot, its list, guards (3), and a count (3).
 */
const readBackTimeouts = 8

/** An edge as it was left. */
export interface Brought {
  readonly list: EdgeList
  readonly view: SettleView
  /** what it listed before anything was written */
  readonly first: readonly ListedDestination[]
  readonly plan: SettlePlan
  readonly records: readonly EdgeRecord[]
  /** records that went meanwhile: they hold when an entry was found open */
  readonly gone: readonly EdgeRecord[]
  readonly problem?: string | undefined
}

export interface Wants {
  readonly holds: readonly Hold[]
  /** of the edge, as it was answered just now */
  readonly bootTime: string
  readonly takesBatches: boolean
}

/** Reads, does what is planned, and reads back, until nothing is left to do or it does not come about. */
export async function writeWanted(
  ports: Pick<EdgePorts, 'store' | 'clock'>,
  lease: Lease,
  { holds, bootTime, takesBatches }: Wants,
): Promise<Brought> {
  const { store } = ports
  const { id } = lease.edge
  let records = (await store.edgeRecords(id)) ?? []
  let first: readonly ListedDestination[] | undefined
  let problem: string | undefined
  const gone: EdgeRecord[] = []
  for (let look = 1; ; look += 1) {
    // Its boot time first: a list that is younger than it shows a new life at the next look.
    const boot = look === 1 ? bootTime : (await lease.ask((edge) => edge.boot())).bootTime
    const { list, unread, ...seen } = await read(ports, lease, { holds, records, boot, takesBatches })
    const view: SettleView = { ...seen.view, isLast: look === looksAtMost || !lease.hasTime() }
    first ??= list.destinations
    const plan = settlePlan(view)
    const next = after(records, plan)
    if (plan.put.length + plan.drop.length > 0) {
      if ((await store.putEdgeRecords(id, lease.generation, next)) === 'lost') throw lost(lease.edge)
    }
    records = next
    gone.push(...plan.drop)
    if (plan.writes.length === 0 || view.isLast)
      return { list, view, first, plan, records, gone, problem: problem ?? unread }
    problem = await send(lease, plan.writes, { view, takesBatches })
  }
}

interface Asked {
  readonly holds: readonly Hold[]
  readonly records: readonly EdgeRecord[]
  readonly boot: string
  readonly takesBatches: boolean
}

interface Read {
  readonly list: EdgeList
  readonly view: Omit<SettleView, 'isLast'>
  /** why not all guards were read */
  readonly unread: string | undefined
}

async function read(
  { clock }: Pick<EdgePorts, 'clock'>,
  lease: Lease,
  { holds, records, boot, takesBatches }: Asked,
): Promise<Read> {
  const askedAt = clock.now()
  const list = await lease.ask((edge) => edge.list())
  const wanted = wantedOf(holds, list.destinations)
  const uris = guardsToRead(wanted, records)
  const { guards, left } = await readGuards(lease, uris, takesBatches)
  return {
    list,
    view: {
      ...{ wanted, list: list.destinations, opaque: list.opaque, guards, records, boot },
      ...{ generation: lease.generation, unanswered: lease.unanswered },
      ...{ askedAt, answeredAt: clock.now() },
    },
    unread: left > 0 ? tooSlow(left, uris.length, 'guards') : undefined,
  }
}

function tooSlow(left: number, of: number, what: string): string {
  return `it answers too slowly: ${left} of ${of} ${what} are left to the next settle`
}

/**
 * @returns what was answered, and how many were not asked for: theirs is unknown where the time is needed to
 * write and read back
 */
async function readGuards(
  lease: Lease,
  uris: readonly DestinationUri[],
  takesBatches: boolean,
): Promise<{ readonly guards: SettleView['guards']; readonly left: number }> {
  const guards = new Map<DestinationUri, boolean>()
  let left = uris.length
  for (const slice of slices(uris, () => 1, takesBatches ? 4 * batchLimits.requests : 3 * requestsAtOnce)) {
    if (left < uris.length && !lease.hasTime(2 * sliceTimeouts + readBackTimeouts)) break
    const shown = await lease.ask((edge) => edge.readGuards(slice))
    // A URI that is refused by itself keeps no other from being settled: its guard stays unknown.
    const failed = shown.find((one) => one instanceof EdgeError && one.fault !== 'refused')
    if (failed) throw failed
    if (shown.includes('no-guard')) return { guards: 'none', left: 0 }
    for (const [index, uri] of slice.entries()) {
      const one = shown[index]
      if (typeof one === 'boolean') guards.set(uri, one)
    }
    left -= slice.length
  }
  return { guards, left }
}

/** In order, and what the lease leaves no time for not at all. @returns the first thing that went wrong */
async function send(
  lease: Lease,
  writes: readonly EdgeWrite[],
  { view, takesBatches }: { readonly view: SettleView; readonly takesBatches: boolean },
): Promise<string | undefined> {
  let problem: string | undefined
  let left = writes.length
  for (const slice of together(unreadGuardsLast(writes, view), takesBatches)) {
    if (left < writes.length && !lease.hasTime(sliceTimeouts + readBackTimeouts))
      return problem ?? tooSlow(left, writes.length, 'writes')
    const answers = await lease.ask((edge) => edge.write(slice))
    const errors = answers.filter((answer) => answer instanceof EdgeError)
    if (errors.some(({ fault }) => neverAnswered.includes(fault))) lease.unanswered = true
    problem ??= errors[0]?.message
    if (errors.some(({ fault }) => faultsOfTheWay.includes(fault))) return problem
    left -= slice.length
  }
  return problem
}

/** A guard that was not read may be as wanted already: no state waits for it. */
function unreadGuardsLast(writes: readonly EdgeWrite[], { guards }: SettleView): EdgeWrite[] {
  const isUnread = (write: EdgeWrite) => 'held' in write && guards !== 'none' && !guards.has(write.uri)
  return [...writes.filter((write) => !isUnread(write)), ...writes.filter(isUnread)]
}

/**
 * Neighbours that are answered within {@link sliceTimeouts}: a batch, which may be too long for one; or three
 * times what goes at once.
 */
function together(writes: readonly EdgeWrite[], takesBatches: boolean): EdgeWrite[][] {
  if (takesBatches) return slices(writes, () => 1, batchLimits.requests)
  const atOnce: EdgeWrite[][] = []
  for (const write of writes) {
    const last = atOnce.at(-1)
    const [first] = last ?? []
    if (last && first && last.length < requestsAtOnce && methodOf(first) === methodOf(write)) last.push(write)
    else atOnce.push([write])
  }
  return slices(atOnce, () => 1, sliceTimeouts).map((slice) => slice.flat())
}

/** Different ones go one after the other. */
function methodOf(write: EdgeWrite): string {
  if ('held' in write) return write.held ? 'hold' : 'release'
  return write.duid === undefined ? 'by URI' : 'by duid'
}

function after(records: readonly EdgeRecord[], { put, drop }: SettlePlan): EdgeRecord[] {
  const gone = new Set(drop.map(recordKey))
  const next = new Map(
    records.filter((record) => !gone.has(recordKey(record))).map((record) => [recordKey(record), record]),
  )
  for (const record of put) next.set(recordKey(record), record)
  return [...next.values()]
}
