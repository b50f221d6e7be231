import { describe, expect, it } from 'vitest'
import type { Flags, ListedDestination } from '../../functions/control/destination.ts'
import type { EdgeRecord, EntryRecord, GuardRecord } from '../../functions/control/entry-record.ts'
import type { Hold } from '../../functions/control/hold.ts'
import { guardsToRead, type SettleView, settlePlan } from '../../functions/control/settle-plan.ts'
import { wantedOf } from '../../functions/control/wanted.ts'
import { hold, listed, machine } from './samples.ts'

const held = [hold()]
const free: Hold[] = []
const guard: GuardRecord = { kind: 'guard', uri: machine.uri }
const set = { uri: machine.uri, held: true }
const unset = { uri: machine.uri, held: false }
const state = (to: string, more = {}) => ({ group: 1, uri: machine.uri, ...more, state: to })

/** The server as a 6.1 lists it. */
const shows = (flags: Flags, iuid = 'x', more: Partial<ListedDestination> = {}) =>
  listed(machine.uri, { flags, iuid, ...more })

const recorded = (flags: Flags, more: Partial<EntryRecord> = {}): EntryRecord => ({
  kind: 'entry',
  group: 1,
  uri: machine.uri,
  flags,
  identity: 'monday x',
  ...more,
})

/** A settle of generation 7 reads at 100 s; nothing is unanswered, and the guard holds what has a guard record. */
function plan(holds: readonly Hold[], list: ListedDestination[], changes: Partial<SettleView> = {}) {
  const records = changes.records ?? []
  const marked = records.flatMap(({ kind, uri }) => (kind === 'guard' ? uri : []))
  const wanted = wantedOf(holds, list)
  return settlePlan({
    wanted,
    list,
    guards: new Map(guardsToRead(wanted, records).map((uri) => [uri, marked.includes(uri)])),
    records,
    boot: 'monday',
    generation: 7,
    unanswered: false,
    askedAt: 100_000,
    answeredAt: 100_100,
    ...changes,
  })
}

const nothing = { put: [], writes: [], drop: [], refused: [], settled: true }
/** Without the guard's own record. */
const entriesOf = (records: readonly EdgeRecord[]) => records.filter(({ kind }) => kind === 'entry')

describe('disabling', () => {
  it('what it showed goes on record with the generation, then the guard is set, then the state', () => {
    expect(plan(held, [shows('AP')])).toEqual({
      put: [guard, recorded('AP', { sent: 7 })],
      writes: [set, state('d')],
      drop: [],
      refused: [],
      settled: false,
    })
  })

  it('reaches every set, verbatim as listed', () => {
    const other = listed('SIP:10.0.1.20;transport=udp', { group: 4 })
    expect(plan(held, [shows('AX'), other]).writes).toEqual([
      set,
      { uri: other.uri, held: true },
      state('d'),
      { group: 4, uri: other.uri, state: 'd' },
    ])
  })

  it('at rest nothing is written and nothing is put', () => {
    const records = [guard, recorded('AP')]
    expect(plan(held, [shows('DX')], { records })).toEqual(nothing)
  })

  it('read back, its record says that no write is on its way', () => {
    const records = [guard, recorded('AP', { sent: 7 })]
    expect(plan(held, [shows('DX')], { records })).toEqual({ ...nothing, put: [recorded('AP')] })
  })

  it('a guard that is gone after a restart, or was not read, is set again', () => {
    const records = [guard, recorded('AP')]
    for (const guards of [new Map([[machine.uri, false]]), new Map<typeof machine.uri, boolean>()])
      expect(plan(held, [shows('DX')], { records, guards })).toMatchObject({ writes: [set], settled: false })
  })

  it('an edge without a guard gets states only', () => {
    const { put, writes } = plan(held, [shows('AX')], { guards: 'none' })
    expect({ put, writes }).toEqual({ put: [recorded('AX', { sent: 7 })], writes: [state('d')] })
  })

  it('what drifted is disabled again, and what it showed then is given back', () => {
    const records = [guard, recorded('AP')]
    const { put, writes } = plan(held, [shows('IP', 'y')], { records })
    expect({ put, writes }).toEqual({
      put: [recorded('IP', { identity: 'monday y', sent: 7 })],
      writes: [state('d')],
    })
  })

  it('R3: an entry that is D already gets the guard, and its record says D', () => {
    const { put, writes, settled } = plan(held, [shows('DP')])
    expect({ put, writes, settled }).toEqual({
      put: [guard, recorded('DP')],
      writes: [set],
      settled: false,
    })
  })
})

describe('giving back', () => {
  it('state first, then guard; the record is put with the generation before that', () => {
    const records = [guard, recorded('IP')]
    expect(plan(free, [shows('DX')], { records })).toEqual({
      put: [recorded('IP', { sent: 7 })],
      writes: [state('ip'), unset],
      drop: [],
      refused: [],
      settled: false,
    })
  })

  it.each([
    ['AX', 'a'],
    ['AP', 'ap'],
    ['AN', 'a'],
    ['IX', 'i'],
    ['IP', 'ip'],
    ['TX', 't'],
    ['TP', 'tp'],
  ] as const)('R5: %s comes back as %s, whatever else the edge lists', (former, to) => {
    const others = [listed('sip:10.0.1.21', { flags: 'AP' }), listed('sip:10.0.1.22', { flags: 'AX' })]
    const { writes } = plan(free, [shows('DX'), ...others], { records: [guard, recorded(former)] })
    expect(writes).toEqual([state(to), unset])
  })

  it('R1: what somebody else had disabled before the hold stays, and its record goes', () => {
    const since = { calmSince: 98_000 }
    const records = [recorded('DX', since)]
    expect(plan(free, [shows('DX')], { records })).toEqual({ ...nothing, drop: records })
  })

  it('R2: no record, no restore', () => {
    expect(plan(free, [shows('DX')])).toEqual(nothing)
  })

  it('R11: what was disabled while its drain ended is given back, to whoever has the address now', () => {
    const { writes } = plan(free, [shows('DX')], { records: [guard, recorded('AP', { sent: 5 })] })
    expect(writes).toEqual([state('ap'), unset])
  })

  it('a record speaks only for an entry that shows D', () => {
    expect(plan(free, [shows('IX')], { records: [recorded('AP')] }).writes).toEqual([])
  })

  it('while another hold is in force nothing is given back', () => {
    const alarm = hold({ source: 'alarm', id: 'cpu' })
    expect(plan([alarm], [shows('DX')], { records: [guard, recorded('AP')] })).toEqual(nothing)
  })

  it('disabling one and giving back another: guard, d, former state, guard', () => {
    const other = listed('sip:10.0.1.21', { flags: 'AX' })
    const records = [guard, recorded('AX')]
    expect(plan([hold({ uris: [other.uri] })], [shows('DX'), other], { records }).writes).toEqual([
      { uri: other.uri, held: true },
      { group: 1, uri: other.uri, state: 'd' },
      state('a'),
      unset,
    ])
  })
})

describe('whose D it is', () => {
  it('R13: a D under a new identity is the list’s own intention, and stays when the hold is lifted', () => {
    const records = [guard, recorded('AP')]
    const during = plan(held, [shows('DX', 'y')], { records })
    expect(during).toEqual({ ...nothing, put: [recorded('DX', { identity: 'monday y' })] })
    const after = plan(free, [shows('DX', 'y')], { records: [guard, ...during.put] })
    expect(after.writes).toEqual([unset])
  })

  it('R13: a D that came with a reload after the hold was lifted stays, too', () => {
    const records = [guard, recorded('AP')]
    expect(plan(free, [shows('DX', 'y')], { records }).writes).toEqual([unset])
  })

  it('R12: of what was recorded before the edge was away nothing is used when it shows something newer', () => {
    const records = [recorded('AP', { identity: 'sunday q', sent: 2 })]
    expect(entriesOf(plan(held, [shows('IX')], { records }).put)).toEqual([recorded('IX', { sent: 7 })])
    const old = [recorded('AP', { identity: 'sunday q' })]
    expect(entriesOf(plan(held, [shows('DX')], { records: old }).put)).toEqual([recorded('DX')])
  })

  it('a restart changes the identity also before 6.1; a reload there does not', () => {
    const entry = listed(machine.uri, { flags: 'DX' })
    const records = [recorded('AP', { identity: 'monday ' })]
    expect(plan(free, [entry], { records, boot: 'tuesday' }).writes).toEqual([])
    expect(plan(free, [entry], { records }).writes).toEqual([state('ap')])
  })

  it('`sent`: after a state write that no reading has settled, a D under a new identity is ours', () => {
    const records = [guard, recorded('AP', { sent: 6 })]
    const during = plan(held, [shows('DX', 'y')], { records })
    expect(during.put).toEqual([recorded('AP', { identity: 'monday y' })])
    expect(plan(free, [shows('DX', 'y')], { records }).writes).toEqual([state('ap'), unset])
  })

  it('`unanswered`: within its generation a write may still arrive, however often the edge is read', () => {
    const records = [guard, recorded('AP', { sent: 7 })]
    const unanswered = true
    expect(plan(held, [shows('DX')], { records, unanswered })).toEqual(nothing)
    const open = plan(free, [shows('AP')], { records: [records[1] ?? guard], unanswered })
    expect(open).toEqual(nothing)
  })

  it('`unanswered`: a later generation judges its first reading before it takes the write for ended', () => {
    const records = [guard, recorded('AP', { sent: 6 })]
    const first = plan(held, [shows('DX', 'y')], { records, unanswered: true })
    expect(first.put).toEqual([recorded('AP', { identity: 'monday y' })])
  })
})

describe('a record goes', () => {
  const calm = { calmSince: 100_100 }

  it('`calm`: not at the first reading that shows state and guard as wanted', () => {
    const records = [guard, recorded('AP', { sent: 7 })]
    const guards = new Map([[machine.uri, false]])
    expect(plan(free, [shows('AP')], { records, guards })).toEqual({
      ...nothing,
      put: [{ ...guard, ...calm }, recorded('AP', calm)],
    })
  })

  it.each([
    [102_099, 0],
    [102_100, 2],
  ])('`calm`: by a reading asked for at %i ms of one answered at 100,100, %i go', (askedAt, count) => {
    const records = [{ ...guard, ...calm }, recorded('AP', calm)]
    const guards = new Map([[machine.uri, false]])
    const { drop, put } = plan(free, [shows('AP')], { records, guards, askedAt, answeredAt: 109_000 })
    expect([drop.length, put.length]).toEqual([count, 0])
  })

  it('not while its guard is set, though the state is as wanted', () => {
    const records = [{ ...guard, ...calm }, recorded('AP', calm)]
    const guards = new Map([[machine.uri, true]])
    const { drop, put, writes } = plan(free, [shows('AP')], { records, guards, askedAt: 109_000 })
    expect({ drop, put, writes }).toEqual({ drop: [], put: [guard, recorded('AP')], writes: [unset] })
  })

  it('not while a write of this generation is unanswered: the guard of a URI without a record is never read again', () => {
    const records = [{ ...guard, ...calm }]
    const guards = new Map([[machine.uri, false]])
    const asked = { records, guards, askedAt: 109_000 }
    expect(plan(free, [], { ...asked, unanswered: true }).drop).toEqual([])
    expect(plan(free, [], asked).drop).toEqual(records)
  })

  it('a D in between is given back again, and the time begins anew', () => {
    const records = [recorded('AP', calm)]
    const { put, writes } = plan(free, [shows('DX')], { records, askedAt: 109_000 })
    expect({ put, writes }).toEqual({ put: [recorded('AP', { sent: 7 })], writes: [state('ap')] })
  })

  it('a hold in between ends the calm', () => {
    const records = [{ ...guard, ...calm }, recorded('DX', calm)]
    const guards = new Map([[machine.uri, true]])
    expect(plan(held, [shows('DX')], { records, guards }).put).toEqual([guard, recorded('DX')])
  })

  it('when its entry has left a readable list, unless a write to it may still arrive', () => {
    const other = [listed('sip:10.0.1.2')]
    const records = [recorded('AP', { sent: 7 })]
    expect(plan(held, other, { records }).drop).toEqual(records)
    expect(plan(free, other, { records, unanswered: true }).drop).toEqual([])
    expect(plan(free, other, { records: [recorded('AP', { sent: 6 })], unanswered: true }).drop).toHaveLength(
      1,
    )
  })

  it('its guard stays while a hold names the URI, and is taken away with the last of them', () => {
    const other = [listed('sip:10.0.1.2')]
    expect(plan(held, other, { records: [guard] })).toEqual(nothing)
    expect(plan(free, other, { records: [guard] }).writes).toEqual([unset])
  })
})

describe('entries that can’t be written apart', () => {
  const twins = [shows('AX', 'x'), shows('AX', 'y')]

  it('are refused; the guard still protects them', () => {
    expect(plan(held, twins)).toMatchObject({ writes: [set], put: [guard], refused: twins })
    expect(plan(held, twins, { records: [guard] })).toMatchObject({ writes: [], settled: true })
  })

  it('distinct duids tell them apart, and their records', () => {
    const [a, b] = [shows('AX', 'x', { duid: 'a' }), shows('IP', 'y', { duid: 'b' })]
    const { put, writes, refused } = plan(held, [a, b])
    expect({ writes, refused }).toEqual({
      writes: [set, state('d', { duid: 'a' }), state('d', { duid: 'b' })],
      refused: [],
    })
    const disabled = [
      { ...b, flags: 'DX' as const },
      { ...a, flags: 'DX' as const },
    ]
    expect(plan(free, disabled, { records: put }).writes).toEqual([
      state('ip', { duid: 'b' }),
      state('a', { duid: 'a' }),
      unset,
    ])
  })

  it('a duid that another entry of the set has, or a URI that differs only in case, tells nothing apart', () => {
    const stranger = listed('sip:10.0.1.99', { duid: 'a' })
    const list = [shows('AX', 'x', { duid: 'a' }), shows('AX', 'y'), stranger]
    expect(plan(held, list).refused).toHaveLength(2)
    expect(plan(held, [shows('AX'), listed('SIP:10.0.1.20:5060')]).refused).toHaveLength(2)
  })

  it('a record from before a twin came is kept until one of them is gone', () => {
    const records = [recorded('AP', { calmSince: 1 })]
    const list = [shows('DX', 'x'), shows('AX', 'y')]
    expect(plan(free, list, { records })).toMatchObject({ put: [], drop: [], writes: [], refused: [list[0]] })
    expect(plan(free, list.slice(0, 1), { records }).writes).toEqual([state('ap')])
  })
})
