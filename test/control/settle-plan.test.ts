import { describe, expect, it } from 'vitest'
import { hold, listed, machine } from './samples.ts'
import { free, guard, held, nothing, plan, recorded, set, shows, state, unset } from './settle-samples.ts'

describe('disabling', () => {
  it('what it showed goes on record with the generation, then the guard is set, then the state', () => {
    expect(plan(held, [shows('AP')])).toEqual({
      put: [guard, recorded('AP', { sent: 7, openAt: 100_100 })],
      writes: [set, state('d')],
      drop: [],
      refused: [],
      settled: false,
    })
  })

  it('reaches every set, verbatim as listed', () => {
    const other = listed('SIP:10.0.1.20;transport=udp', { set: 4 })
    expect(plan(held, [shows('AX'), other]).writes).toEqual([
      set,
      { uri: other.uri, held: true },
      state('d'),
      { set: 4, uri: other.uri, state: 'd' },
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

  it('an edge that answers once as if it had no guard may have one: what is on record of it stays', () => {
    expect(plan([], [shows('AP')], { records: [guard], guards: 'none' })).toEqual({ ...nothing })
  })

  it('when it was last found open stays on record while it is held', () => {
    const records = [guard, recorded('AP', { openAt: 90_000, sent: 6 })]
    const { put } = plan(held, [shows('DX')], { records })
    expect(put).toEqual([recorded('AP', { openAt: 90_000 })])
  })

  it('an edge without a guard gets states only', () => {
    const { put, writes } = plan(held, [shows('AX')], { guards: 'none' })
    expect({ put, writes }).toEqual({
      put: [recorded('AX', { sent: 7, openAt: 100_100 })],
      writes: [state('d')],
    })
  })

  it('what drifted is disabled again, and what it showed then is given back', () => {
    const records = [guard, recorded('AP')]
    const { put, writes } = plan(held, [shows('IP', 'y')], { records })
    expect({ put, writes }).toEqual({
      put: [recorded('IP', { identity: 'monday y', sent: 7, openAt: 100_100 })],
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
  it('state first, then guard, by the record that was put before it was disabled', () => {
    const records = [guard, recorded('IP')]
    expect(plan(free, [shows('DX')], { records })).toEqual({
      put: [],
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
      { set: 1, uri: other.uri, state: 'd' },
      state('a'),
      unset,
    ])
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

  it('a twin that can’t be read is one: set_state may reach it first', () => {
    const opaque = [{ set: 1, text: machine.uri }]
    expect(plan(held, [shows('AX')], { opaque })).toMatchObject({ writes: [set], refused: { length: 1 } })
  })

  it('a record from before a twin came is kept until one of them is gone', () => {
    const records = [recorded('AP', { calmSince: 1 })]
    const list = [shows('DX', 'x'), shows('AX', 'y')]
    expect(plan(free, list, { records })).toMatchObject({ put: [], drop: [], writes: [], refused: [list[0]] })
    expect(plan(free, list.slice(0, 1), { records }).writes).toEqual([state('ap')])
  })
})
