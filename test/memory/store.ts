import {
  type Change,
  freezeChange,
  holdChange,
  releaseChange,
  supersededChange,
} from '../../functions/control/change.ts'
import type { WaitingDrain } from '../../functions/control/clearance.ts'
import { type Drain, drainId } from '../../functions/control/drain.ts'
import type { EdgeRelease } from '../../functions/control/edge-release.ts'
import type { EdgeRecord } from '../../functions/control/entry-record.ts'
import { StoreConflict } from '../../functions/control/errors.ts'
import type { Freeze } from '../../functions/control/freeze.ts'
import type { Hold, HoldName, HoldSource, SeenRequest, Subject } from '../../functions/control/hold.ts'
import type { Inventory } from '../../functions/control/instance-life.ts'
import {
  type EdgeHead,
  type Listing,
  type MachinesReading,
  notReadYet,
  type Reading,
} from '../../functions/control/reading.ts'
import type { KeptEvent } from '../../functions/ports/events.ts'
import type { Store } from '../../functions/ports/store.ts'
import { memoryChanges } from './changes.ts'
import { type Faulty, faulty } from './faults.ts'
import { frozen } from './frozen.ts'
import { memoryOutcomes } from './outcomes.ts'

export type MemoryStore = Faulty<Store>

function holdKey(source: HoldSource, id: string, subject: Subject): string {
  return JSON.stringify([source, id, subject.kind === 'uri' ? subject.uri : subject.instanceId])
}

function notRead(edge: string): EdgeHead {
  const unreadable = { since: 0, at: 0, reason: notReadYet, passes: true }
  return { edge, wanted: -1, askedAt: 0, unreadable }
}

/** @param generationOf a lease's by its name */
function memoryWaiting(
  holds: Pick<ReturnType<typeof memoryHolds>['port'], 'putHold'> & {
    readonly isStale: (hold: Hold) => boolean
    readonly isKnown: (hold: Hold) => boolean
    readonly ends: (order: string | undefined, hold: Hold) => void
  },
  generationOf: (lease: string) => number | undefined,
  opens: (change: Change) => void,
  keeps: (event: KeptEvent) => void,
) {
  const rows = new Map<string, WaitingDrain>()
  let freeze: Freeze | undefined
  const keyOf = ({ hold }: { readonly hold: HoldName }) => `${hold.source}/${hold.id}`
  const isStale = (hold: Hold) =>
    (rows.get(keyOf({ hold }))?.hold.order ?? '') > hold.order || holds.isStale(hold) || holds.isKnown(hold)
  const waits = (waiting: WaitingDrain) => {
    const known = rows.get(keyOf(waiting))
    return known !== undefined && known.hold.order <= waiting.hold.order
  }
  return {
    waiting: async () => ({ drains: [...rows.values()], unread: [] }),
    waitingFor: async (hold) => rows.get(keyOf({ hold })),
    isStale: async (hold) => isStale(hold),
    async putWaiting(waiting, over) {
      const known = rows.get(keyOf(waiting))?.hold.order
      const isExpected = over
        ? known === over.waiting.hold.order
        : (known ?? waiting.hold.order) === waiting.hold.order
      if (!isExpected || isStale(waiting.hold)) return 'stale'
      if (over) {
        opens(supersededChange(over.waiting, over.superseded))
        keeps(over.event)
      }
      rows.set(keyOf(waiting), frozen(waiting))
      return 'written'
    },
    async markOverdue(waiting) {
      if (rows.get(keyOf(waiting))?.hold.order !== waiting.hold.order) return
      rows.set(keyOf(waiting), frozen({ ...waiting, overduePublished: true }))
    },
    async dropWaiting(waiting, superseded, event) {
      if (!waits(waiting)) return false
      opens(supersededChange(waiting, superseded))
      keeps(event)
      holds.ends(superseded.order, waiting.hold)
      return rows.delete(keyOf(waiting))
    },
    async placeWaiting(waiting, { name, generation }, { at, replaces } = {}) {
      if (generationOf(name) !== generation) return 'lost'
      if (!waits(waiting) || holds.isStale(waiting.hold)) return 'stale'
      rows.delete(keyOf(waiting))
      return holds.putHold({ ...waiting.hold, ...(replaces && { replaces }) }, undefined, at)
    },
    freeze: async () => freeze,
    async putFreeze(next) {
      if ((freeze?.order ?? '') > next.order) return 'stale'
      freeze = frozen(next)
      opens(freezeChange(next))
      return 'written'
    },
  } satisfies Partial<Store>
}

function memoryHolds(opens: (change: Change) => void) {
  const holds = new Map<string, Hold>()
  const seen = new Map<string, SeenRequest>()
  const endedFor = new Map<string, Map<string, Hold>>()
  const keyOf = (hold: Hold) => holdKey(hold.source, hold.id, hold.subject)
  const stale = (hold: Hold) => {
    const known = holds.get(keyOf(hold))
    if (!known) return false
    return (
      known.order > hold.order || (known.order === hold.order && known.lifted !== undefined && !hold.lifted)
    )
  }
  const ends = (order: string | undefined, hold: Hold) => {
    if (order === undefined) return
    const its = endedFor.get(order) ?? new Map<string, Hold>()
    endedFor.set(order, its.set(`${hold.lifted !== undefined} ${keyOf(hold)}`, frozen(hold)))
  }
  const isStale = (hold: Hold) =>
    stale(hold) || (!hold.lifted && (seen.get(`${hold.source}/${hold.id}`)?.order ?? '') > hold.order)
  const port = {
    holds: async () => [...holds.values()].filter((hold) => !hold.lifted),
    hold: async (source, id, subject) => holds.get(holdKey(source, id, subject)),
    async putHold(hold: Hold, over?: Hold, beganAt?: number) {
      const known = holds.get(keyOf(hold))
      const isFilled =
        over && known && String([known.addresses, known.uris]) !== String([over.addresses, over.uris])
      if (isFilled || isStale(hold)) return 'stale'
      holds.set(keyOf(hold), frozen(hold))
      if (!over) opens(holdChange(hold, beganAt))
      if (!over && hold.lifted?.sender) ends(hold.order, hold)
      return 'written'
    },
    async retire(lifted, mark) {
      if (stale(lifted) || stale(mark))
        throw new StoreConflict(`hold ${lifted.id} was written later: read it again`)
      holds.set(keyOf(lifted), frozen(lifted))
      holds.set(keyOf(mark), frozen(mark))
      opens(holdChange(mark))
    },
    endedFor: async (order) => [...(endedFor.get(order)?.values() ?? [])],
    async seeRequest(of, order, intent) {
      const key = `${of.source}/${of.id}`
      const newest = seen.get(key)
      if (newest && newest.order > order) return newest.intent
      seen.set(key, { order, intent })
      return 'newest'
    },
    async seenRequest(of) {
      return seen.get(`${of.source}/${of.id}`)
    },
  } satisfies Partial<Store>
  const isKnown = (hold: Hold) => holds.get(keyOf(hold))?.order === hold.order
  return { port, isStale, isKnown, ends }
}

function memoryEdges() {
  let wanted = 0
  const edges = new Map<string, { generation: number; until: number; owner?: string }>()
  const records = new Map<string, readonly EdgeRecord[]>()
  const heads = new Map<string, EdgeHead>()
  const readings = new Map<string, Reading>()
  const listings = new Map<string, Listing>()
  const generationOf = (lease: string) => edges.get(lease)?.generation
  const port = {
    raiseWanted: async () => {
      wanted += 1
      return wanted
    },
    wanted: async () => wanted,
    async takeEdge(edge, owner, now, until) {
      const lease = edges.get(edge) ?? { generation: 0, until: 0 }
      if (lease.until > now) return undefined
      const generation = lease.generation + 1
      edges.set(edge, { generation, until, owner })
      return generation
    },
    async raiseGeneration(edge, generation, above) {
      const lease = edges.get(edge)
      if (lease?.generation !== generation) return undefined
      edges.set(edge, { ...lease, generation: above + 1 })
      return above + 1
    },
    async extendEdge(edge, generation, until) {
      const lease = edges.get(edge)
      if (lease?.generation !== generation) return 'lost'
      edges.set(edge, { ...lease, until })
      return 'written'
    },
    async giveUpEdge(edge, generation, until) {
      if (edges.get(edge)?.generation === generation) edges.set(edge, { generation, until })
    },
    edgeRecords: async (edge) => records.get(edge),
    async putEdgeRecords(edge, generation, next) {
      if (edges.get(edge)?.generation !== generation) return 'lost'
      records.set(edge, frozen(next))
      return 'written'
    },
    edgeHeads: async () => {
      const names = [...edges.keys(), ...heads.keys()].filter((name) => !name.startsWith('/'))
      const known = [...new Set(names)].sort().map((edge) => {
        const { until = 0 } = edges.get(edge) ?? {}
        return { ...(heads.get(edge) ?? notRead(edge)), ...(until > 0 && { leasedUntil: until }) }
      })
      return known
    },
    async addEdgeHead(head) {
      if (!heads.has(head.edge) && !edges.has(head.edge)) heads.set(head.edge, frozen(head))
    },
    reading: async (edge) => readings.get(edge),
    listing: async (edge) => listings.get(edge),
    async putReading(generation, { head, reading, listing }) {
      if (edges.get(head.edge)?.generation !== generation) return 'lost'
      heads.set(head.edge, frozen(head))
      if (reading) readings.set(head.edge, frozen(reading))
      if (listing) listings.set(head.edge, frozen(listing))
      return 'written'
    },
  } satisfies Partial<Store>
  return { port, generationOf }
}

function memoryInventory() {
  let inventory: Inventory | undefined
  let machines: MachinesReading | undefined
  return {
    inventory: async () => inventory,
    inventoryAskedAt: async () => inventory?.askedAt,
    async putInventory(next) {
      if (!inventory || inventory.askedAt <= next.askedAt) inventory = frozen(next)
    },
    machines: async () => machines,
    async putMachines(reading) {
      if (!machines || machines.askedAt <= reading.askedAt) machines = frozen(reading)
    },
  } satisfies Partial<Store>
}

/**
 * The store's semantics without a database: conditional writes, and copies in and out, so that no caller
 * shares an object.
 */
export function createMemoryStore(now: () => number = () => 0): MemoryStore {
  const drains = new Map<string, Drain>()
  const kept = new Map<string, KeptEvent>()
  const releases = new Map<string, EdgeRelease>()

  const keeps = (event: KeptEvent) => {
    kept.set(event.id, frozen(event))
  }

  const changes = memoryChanges()
  const holds = memoryHolds(changes.opens)
  const edges = memoryEdges()
  const putDrain = (drain: Drain) => {
    const id = drainId(drain)
    if ((drains.get(id)?.version ?? 0) !== drain.version - 1) return 'conflict'
    drains.set(id, frozen(drain))
    return 'written'
  }
  const store: Store = {
    ...holds.port,
    ...edges.port,
    ...memoryWaiting({ ...holds.port, ...holds }, edges.generationOf, changes.opens, keeps),
    ...changes.port,
    ...memoryInventory(),
    ...memoryOutcomes(now),

    drain: async (id) => drains.get(id),
    putDrain: async (drain) => putDrain(drain),
    async beginDrain(drain) {
      const { source, id, subject, order } = drain.hold
      const hold = await holds.port.hold(source, id, subject)
      return hold && !hold.lifted && hold.order === order ? putDrain(drain) : 'conflict'
    },

    keepEvent: async (event) => keeps(event),
    keptEvents: async (most) => ({
      events: [...kept.values()].sort((a, b) => a.at - b.at).slice(0, most),
      unread: [],
    }),
    async dropKeptEvent({ id }) {
      kept.delete(id)
    },

    releases: async () => [...releases.values()].filter((release) => !release.ended),
    async putRelease(release) {
      if ((releases.get(release.edge)?.order ?? '') > release.order) return 'stale'
      releases.set(release.edge, frozen(release))
      changes.opens(releaseChange(release))
      return 'written'
    },
  }
  return faulty(store)
}
