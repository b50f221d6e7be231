import type { Flags, ListedDestination } from '../../functions/control/destination.ts'
import type { EdgeRecord, EntryRecord, GuardRecord } from '../../functions/control/entry-record.ts'
import type { Hold } from '../../functions/control/hold.ts'
import { guardsToRead, type SettleView, settlePlan } from '../../functions/control/settle-plan.ts'
import { wantedOf } from '../../functions/control/wanted.ts'
import { hold, listed, machine } from './samples.ts'

export const held = [hold()]
export const free: Hold[] = []
export const guard: GuardRecord = { kind: 'guard', uri: machine.uri }
export const set = { uri: machine.uri, held: true }
export const unset = { uri: machine.uri, held: false }
export const state = (to: string, more = {}) => ({ set: 1, uri: machine.uri, ...more, state: to })

/** The server as a 6.1 lists it. */
export const shows = (flags: Flags, iuid = 'x', more: Partial<ListedDestination> = {}) =>
  listed(machine.uri, { flags, iuid, ...more })

export const recorded = (flags: Flags, more: Partial<EntryRecord> = {}): EntryRecord => ({
  kind: 'entry',
  set: 1,
  uri: machine.uri,
  flags,
  identity: 'monday x',
  ...more,
})

/**
 * A settle of generation 7 reads at 100 s; nothing is unanswered, and the guard holds what has a guard
 * record.
 */
export function view(
  holds: readonly Hold[],
  list: ListedDestination[],
  changes: Partial<SettleView> = {},
): SettleView {
  const records = changes.records ?? []
  const marked = records.flatMap(({ kind, uri }) => (kind === 'guard' ? uri : []))
  const wanted = wantedOf(holds, list)
  return {
    wanted,
    list,
    opaque: [],
    guards: new Map(guardsToRead(wanted, records).map((uri) => [uri, marked.includes(uri)])),
    records,
    boot: 'monday',
    generation: 7,
    unanswered: false,
    isLast: false,
    askedAt: 100_000,
    answeredAt: 100_100,
    ...changes,
  }
}

/** What such a settle comes to. */
export function plan(holds: readonly Hold[], list: ListedDestination[], changes: Partial<SettleView> = {}) {
  return settlePlan(view(holds, list, changes))
}

export const nothing = { put: [], writes: [], drop: [], refused: [], settled: true }
/** Without the guard's own record. */
export const entriesOf = (records: readonly EdgeRecord[]) => records.filter(({ kind }) => kind === 'entry')
