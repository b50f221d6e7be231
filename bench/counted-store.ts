import { toDrainRow } from '../functions/aws/drain-row.ts'
import { filedUnder } from '../functions/aws/dynamo-changes.ts'
import { edgesPartitions, leaseKey } from '../functions/aws/dynamo-leases.ts'
import { gzipped } from '../functions/aws/packed.ts'
import { type Change, freezeChange, holdChange, releaseChange } from '../functions/control/change.ts'
import { type Drain, drainId } from '../functions/control/drain.ts'
import type { Store } from '../functions/ports/store.ts'
import { bytes, packed, readUnits, rowBytes, sum, writeUnits } from './row-sizes.ts'

export interface Kind {
  requests: number
  /** DynamoDB's request units, transactional ones as they are billed */
  units: number
  bytes: number
}

/** By the name of the store's method. */
export interface Units {
  readonly reads: Map<string, Kind>
  readonly writes: Map<string, Kind>
}

export function noUnits(): Units {
  return { reads: new Map(), writes: new Map() }
}

export function unitsOf(kinds: ReadonlyMap<string, Kind>): number {
  return [...kinds.values()].reduce((sum, { units }) => sum + units, 0)
}

export function difference(kinds: ReadonlyMap<string, Kind>, less: ReadonlyMap<string, Kind>) {
  return Object.fromEntries(
    [...kinds].map(([name, { requests, units }]) => {
      const other = less.get(name) ?? { requests: 0, units: 0 }
      return [name, { requests: requests - other.requests, units: units - other.units }]
    }),
  )
}

/** Told before each request is done; it may take its time, or refuse. */
export type Charge = (of: 'reads' | 'writes', rows: readonly Charged[]) => Promise<void>
export interface Charged {
  readonly partition: string
  readonly units: number
  readonly packedKilobytes: number
}

type Method = keyof Store
type Found<M extends Method> = Awaited<ReturnType<Store[M]>>

const packedMethods: readonly Method[] = ['reading', 'listing', 'edgeRecords', 'inventory', 'machines']

interface Row {
  readonly partition: string
  readonly bytes: number
}

const row = (partition: string, size = rowBytes): Row => ({ partition, bytes: size })
const answered = (id: string, outcome: object) => [row(`COMMAND#${id}`, bytes(outcome)), row('COMMANDS')]
// an edge's with its head
const lease = (name: string) => row(leaseKey(name).pk, name.startsWith('/') ? rowBytes : 4 * rowBytes)

type Counting = ReturnType<typeof countingOf>

/** Counts requests, and makes a method of the store one that is counted. */
function countingOf(store: Store, units: Units, charge: Charge) {
  const count = async (of: 'reads' | 'writes', name: Method, rows: readonly Row[], transaction = false) => {
    const kind = units[of].get(name) ?? { requests: 0, units: 0, bytes: 0 }
    units[of].set(name, kind)
    kind.requests += 1
    const charged = rows.map(({ partition, bytes: size }) => {
      const each = of === 'reads' ? readUnits(size) : writeUnits(size) * (transaction ? 2 : 1)
      kind.units += each
      kind.bytes += size
      return { partition, units: each, packedKilobytes: packedMethods.includes(name) ? size / 1000 : 0 }
    })
    await charge(of, charged)
  }
  const reads =
    <M extends Method>(
      name: M,
      at: (...args: Parameters<Store[M]>) => string,
      size: (found: Found<M>) => number,
    ) =>
    async (...args: Parameters<Store[M]>): Promise<Found<M>> => {
      const method = store[name] as (...given: Parameters<Store[M]>) => Promise<Found<M>>
      const found = await method(...args)
      await count('reads', name, [row(at(...args), size(found))])
      return found
    }
  const writes =
    <M extends Method>(
      name: M,
      rowsOf: (...args: Parameters<Store[M]>) => readonly Row[],
      transaction = false,
    ) =>
    async (...args: Parameters<Store[M]>): Promise<Found<M>> => {
      await count('writes', name, rowsOf(...args), transaction)
      const method = store[name] as (...given: Parameters<Store[M]>) => Promise<Found<M>>
      return method(...args)
    }
  return { count, reads, writes }
}

function countedHolds({ reads, writes }: Counting) {
  return {
    holds: reads('holds', () => 'HOLDS', sum),
    hold: reads('hold', (source, id) => `HOLD#${source}#${id}`, bytes),
    // the row and its copy; a change, unless something is filled in
    putHold: writes(
      'putHold',
      (hold, over) => [
        ...[row(`HOLD#${hold.id}`, bytes(hold)), row('HOLDS', bytes(hold))],
        ...(over ? [] : [opening(holdChange(hold))]),
      ],
      true,
    ),
    retire: writes(
      'retire',
      (hold, mark) => [
        ...[hold, mark].flatMap((each) => [row(`HOLD#${each.id}`, bytes(each)), row('HOLDS', bytes(each))]),
        opening(holdChange(mark)),
      ],
      true,
    ),
  } satisfies Partial<Store>
}

function countedEdges(store: Store, { count, reads, writes }: Counting) {
  return {
    // a put that is refused where the counter is there, and the addition
    raiseWanted: writes('raiseWanted', () => [row('WANTED'), row('WANTED')]),
    wanted: reads(
      'wanted',
      () => 'WANTED',
      () => rowBytes,
    ),
    async takeEdge(...order) {
      const generation = await store.takeEdge(...order)
      await count('reads', 'takeEdge', [lease(order[0])])
      // One that is taken is only read.
      if (generation !== undefined) await count('writes', 'takeEdge', [lease(order[0])])
      return generation
    },
    raiseGeneration: writes('raiseGeneration', (edge) => [lease(edge)]),
    async extendEdge(edge, generation, until) {
      await count('writes', 'extendEdge', [lease(edge)])
      return store.extendEdge(edge, generation, until)
    },
    async giveUpEdge(edge, generation, until) {
      await count('writes', 'giveUpEdge', [lease(edge)])
      await store.giveUpEdge(edge, generation, until)
    },
    edgeRecords: reads('edgeRecords', (edge) => `EDGE#${edge}`, packed),
    putEdgeRecords: writes(
      'putEdgeRecords',
      // with the check of the lease
      (edge, _, records) => [
        row(`EDGE#${edge}`, rowBytes + gzipped('RECORDS', records).gzip.length),
        lease(edge),
      ],
      true,
    ),
  } satisfies Partial<Store>
}

/** Of a page of rows, and what comes with it. */
const sumOf =
  <K extends string>(key: K) =>
  (page: Readonly<Record<K, readonly unknown[]>>) =>
    sum(page[key])

const opening = (change: Change) => row('CHANGES', bytes(change))

function countedChanges({ reads, writes }: Counting) {
  return {
    putChange: writes('putChange', (change) => [opening(change)]),
    openChanges: reads('openChanges', () => 'CHANGES', sumOf('changes')),
    putShown: writes('putShown', (_, shown) => [row('CHANGES', 2 * rowBytes + bytes(shown))]),
    fileChange: writes('fileChange', (filed) => [
      ...filedUnder(filed).map((of) => row(`CHANGES#${JSON.stringify(of)}`, bytes(filed))),
      ...(filed.complete ? [row('CHANGES', 2 * rowBytes + bytes(filed.shown))] : []),
    ]),
    dropChange: writes('dropChange', () => [row('CHANGES', 2 * rowBytes)]),
    changes: reads('changes', (of) => `CHANGES#${JSON.stringify(of)}`, sumOf('changes')),
  } satisfies Partial<Store>
}

function countedOutcomes({ reads, writes }: Counting) {
  return {
    commandOutcome: reads('commandOutcome', (id) => `COMMAND#${id}`, bytes),
    commandAsked: reads('commandAsked', (id) => `COMMAND#${id}`, bytes),
    putCommandOutcome: writes(
      'putCommandOutcome',
      (id, outcome, asks) => [...answered(id, outcome), row(`COMMAND#${id}`, bytes(asks))],
      true,
    ),
    putRefusal: writes('putRefusal', answered, true),
    commands: reads('commands', (day) => `COMMANDS#${day}`, sumOf('commands')),
    commandPlan: reads('commandPlan', (id) => `COMMAND#${id}`, bytes),
    putCommandPlan: writes('putCommandPlan', (id, plan) => [row(`COMMAND#${id}`, bytes(plan))]),
    useCommandPlan: writes('useCommandPlan', (id) => [row(`COMMAND#${id}`)]),
    pendingOutcomes: reads('pendingOutcomes', () => 'PENDING', sumOf('outcomes')),
    putPendingOutcome: writes('putPendingOutcome', (pending) => [row('PENDING', bytes(pending))]),
    dropPendingOutcome: writes('dropPendingOutcome', () => [row('PENDING')]),
  } satisfies Partial<Store>
}

function countedReadings(store: Store, { count, reads, writes }: Counting) {
  return {
    async edgeHeads() {
      const heads = await store.edgeHeads()
      const sizes = edgesPartitions.map((pk) =>
        row(pk, sum(heads.filter(({ edge }) => leaseKey(edge).pk === pk).map((head) => [head, 'its lease']))),
      )
      await count('reads', 'edgeHeads', sizes)
      return heads
    },
    addEdgeHead: writes('addEdgeHead', (head) => [row(leaseKey(head.edge).pk, bytes(head))]),
    reading: reads('reading', (edge) => `EDGE#${edge}`, packed),
    listing: reads('listing', (edge) => `EDGE#${edge}`, packed),
    putReading: writes(
      'putReading',
      (_, { head, reading, listing }) => [
        // with the lease
        row(leaseKey(head.edge).pk, rowBytes + bytes(head)),
        ...[reading, listing].flatMap((part) => (part ? [row(`EDGE#${head.edge}`, packed(part))] : [])),
      ],
      true,
    ),
    inventory: reads('inventory', () => 'INVENTORY', packed),
    inventoryAskedAt: reads(
      'inventoryAskedAt',
      () => 'INVENTORY',
      () => rowBytes,
    ),
    putInventory: writes(
      'putInventory',
      (inventory) => [row('INVENTORY'), row('INVENTORY', packed(inventory))],
      true,
    ),
    machines: reads('machines', () => 'MACHINES', packed),
    putMachines: writes('putMachines', (reading) => [row('MACHINES', packed(reading))]),
  } satisfies Partial<Store>
}

const drainRowOf = (drain: Drain) => row(`DRAIN#${drainId(drain)}`, bytes(toDrainRow(drain)))

/**
 * The same store; every call is counted as the requests that `functions/aws/dynamo-store.ts` makes of it.
 * `raiseWanted` is two, `takeEdge` a read and a write.
 */
export function countedStore(store: Store, units: Units, charge: Charge = async () => undefined): Store {
  const counting = countingOf(store, units, charge)
  const { reads, writes } = counting
  return {
    ...countedHolds(counting),
    ...countedEdges(store, counting),
    ...countedReadings(store, counting),
    ...countedChanges(counting),
    ...countedOutcomes(counting),
    waiting: reads('waiting', () => 'WAITING', sumOf('drains')),
    waitingFor: reads('waitingFor', () => 'WAITING', bytes),
    putWaiting: writes('putWaiting', (waiting) => [row('WAITING', bytes(waiting))], true),
    markOverdue: writes('markOverdue', (waiting) => [row('WAITING', bytes(waiting))]),
    isStale: writes('isStale', ({ id }) => [row('WAITING'), row(`HOLD#${id}`), row(`OPERATOR#${id}`)], true),
    dropWaiting: writes('dropWaiting', () => [row('WAITING')]),
    endedFor: reads('endedFor', (order) => `ENDED#${order}`, sum),
    placeWaiting: writes(
      'placeWaiting',
      ({ hold }) => [
        ...[row(`HOLD#${hold.id}`, bytes(hold)), row('HOLDS', bytes(hold)), row('WAITING')],
        opening(holdChange(hold)),
      ],
      true,
    ),
    freeze: reads('freeze', () => 'FREEZE', bytes),
    putFreeze: writes('putFreeze', (freeze) => [row('FREEZE'), opening(freezeChange(freeze))], true),
    drain: reads('drain', (id) => `DRAIN#${id}`, bytes),
    putDrain: writes('putDrain', (drain) => [drainRowOf(drain)]),
    beginDrain: writes('beginDrain', (drain) => [drainRowOf(drain), row(`HOLD#${drain.hold.id}`)], true),
    seeRequest: writes('seeRequest', ({ source, id }) => [row(`${source.toUpperCase()}#${id}`)]),
    seenRequest: reads('seenRequest', ({ source, id }) => `${source.toUpperCase()}#${id}`, bytes),
    keepEvent: writes('keepEvent', (kept) => [row('EVENTS', bytes(kept))]),
    keptEvents: reads('keptEvents', () => 'EVENTS', sumOf('events')),
    dropKeptEvent: writes('dropKeptEvent', (kept) => [row('EVENTS', bytes(kept))]),
    releases: reads('releases', () => 'RELEASES', sum),
    putRelease: writes(
      'putRelease',
      (release) => [row('RELEASES', bytes(release)), opening(releaseChange(release))],
      true,
    ),
  }
}
