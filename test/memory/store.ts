import type { DrainRecord } from '../../functions/control/drain-record.ts'
import type { EdgeRelease } from '../../functions/control/edge-release.ts'
import { StoreConflict } from '../../functions/control/errors.ts'
import type { FormerFlags, Hold, HoldSource, Subject } from '../../functions/control/hold.ts'
import type { Round } from '../../functions/control/round.ts'
import type { CommandOutcomeRow, KeptEvent, Store } from '../../functions/use-cases/ports.ts'
import { type Faulty, faulty } from './faults.ts'

export type MemoryStore = Faulty<Store>

const holdKey = (source: HoldSource, id: string, subject: Subject) =>
  JSON.stringify(
    subject.kind === 'uri' ? [source, id, subject.uri] : [source, id, subject.instanceId, subject.launchedAt],
  )
const flagsKey = (flags: FormerFlags) =>
  JSON.stringify([flags.uri, flags.edge, flags.group, flags.duid ?? ''])

/** The store's semantics without a database: conditional writes, and copies in and out, so that no caller shares an object. */
export function createMemoryStore(): MemoryStore {
  const holds = new Map<string, Hold>()
  const drains = new Map<string, DrainRecord>()
  const former = new Map<string, FormerFlags>()
  const alarms = new Map<string, string>()
  const outcomes = new Map<string, CommandOutcomeRow>()
  const leases = new Map<string, { owner: string; until: number }>()
  const kept = new Map<string, KeptEvent>()
  const releases = new Map<string, EdgeRelease>()
  let latest: Round | undefined

  const keyOf = (hold: Hold) => holdKey(hold.source, hold.id, hold.subject)
  const stale = (hold: Hold) => (holds.get(keyOf(hold))?.order ?? '') > hold.order

  const store: Store = {
    holds: async () => structuredClone([...holds.values()].filter((hold) => !hold.lifted?.restored)),
    hold: async (source, id, subject) => structuredClone(holds.get(holdKey(source, id, subject))),
    async putHold(hold) {
      if (stale(hold)) return 'stale'
      holds.set(keyOf(hold), structuredClone(hold))
      return 'written'
    },
    async retire(hold, mark) {
      if (stale(hold) || stale(mark))
        throw new StoreConflict(`hold ${hold.id} was written later: read it again`)
      const lifted = hold.lifted ?? { at: mark.placedAt, by: mark.who, restored: true }
      holds.set(keyOf(hold), structuredClone({ ...hold, lifted }))
      holds.set(keyOf(mark), structuredClone(mark))
    },

    drain: async (id) => structuredClone(drains.get(id)),
    async putDrain(record) {
      if ((drains.get(record.id)?.version ?? 0) !== record.version - 1) return 'conflict'
      drains.set(record.id, structuredClone(record))
      return 'written'
    },

    formerFlags: async (uris) =>
      structuredClone([...former.values()].filter((flags) => uris.includes(flags.uri))),
    async recordFormerFlags(flags) {
      if (!former.has(flagsKey(flags))) former.set(flagsKey(flags), structuredClone(flags))
    },
    async dropFormerFlags(flags) {
      former.delete(flagsKey(flags))
    },

    async seeAlarm(key, order) {
      if ((alarms.get(key) ?? '') > order) return 'stale'
      alarms.set(key, order)
      return 'newest'
    },

    commandOutcome: async (commandId) => structuredClone(outcomes.get(commandId)),
    async putCommandOutcome(commandId, outcome) {
      outcomes.set(commandId, structuredClone(outcome))
    },

    async keepEvent(event) {
      kept.set(event.id, structuredClone(event))
    },
    keptEvents: async (most) =>
      structuredClone([...kept.values()].sort((a, b) => a.at - b.at).slice(0, most)),
    async dropKeptEvent({ id }) {
      kept.delete(id)
    },

    releases: async () => structuredClone([...releases.values()].filter((release) => !release.ended)),
    async putRelease(release) {
      if ((releases.get(release.edge)?.order ?? '') > release.order) return 'stale'
      releases.set(release.edge, structuredClone(release))
      return 'written'
    },

    latestRound: async () => structuredClone(latest),
    async putRound(round) {
      if (!latest || latest.startedAt <= round.startedAt) latest = structuredClone(round)
    },

    async takeLease(name, owner, now, until) {
      const lease = leases.get(name)
      if (lease && lease.owner !== owner && lease.until > now) return false
      leases.set(name, { owner, until })
      return true
    },
    async releaseLease(name, owner) {
      if (leases.get(name)?.owner === owner) leases.delete(name)
    },
    async leaseHolder(name, now) {
      const lease = leases.get(name)
      return lease && lease.until > now ? lease.owner : undefined
    },
  }
  return faulty(store)
}
