import { describe, expect, it } from 'vitest'
import { noLife } from '../../functions/control/entry-record.ts'
import { listed, machine } from './samples.ts'
import {
  entriesOf,
  free,
  guard,
  held,
  nothing,
  plan,
  recorded,
  shows,
  state,
  unset,
} from './settle-samples.ts'

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
    expect(entriesOf(plan(held, [shows('IX')], { records }).put)).toEqual([
      recorded('IX', { sent: 7, openAt: 100_100 }),
    ])
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

  it('`sent`: giving back makes no D, so one under a new identity is the list’s own, though nothing was read since', () => {
    const records = [guard, recorded('AP', { sent: 6 })]
    const { put, writes } = plan(free, [shows('DX', 'y')], { records })
    expect({ put, writes }).toEqual({
      put: [recorded('AP', { identity: 'monday y' })],
      writes: [state('ap'), unset],
    })
    expect(plan(free, [shows('DX', 'y')], { records: [guard, ...put] }).writes).toEqual([state('ap'), unset])
    expect(plan(free, [shows('DX', 'z')], { records: [guard, ...put] }).writes).toEqual([unset])
  })

  it('`sent`: a D that is unanswered and given back may arrive within its generation yet', () => {
    const records = [guard, recorded('AP', { sent: 7 })]
    const { put, writes } = plan(free, [shows('DX', 'y')], { records, unanswered: true })
    expect({ put, writes }).toEqual({
      put: [recorded('AP', { identity: 'monday y', sent: 7 })],
      writes: [state('ap'), unset],
    })
  })

  it('`sent`: what is not written, or was refused, leaves no D of ours; one that is unanswered may come yet', () => {
    const last = { isLast: true, records: [guard, recorded('AP', { sent: 7 })] }
    const { put, writes } = plan(held, [shows('AP')], last)
    expect(writes).toEqual([state('d')])
    expect(put).toEqual([recorded('AP', { openAt: 100_100, identity: noLife })])
    expect(plan(held, [shows('DX')], { records: [guard, ...put] }).put).toEqual([
      recorded('DX', { openAt: 100_100 }),
    ])
    expect(plan(held, [shows('AP')], { ...last, unanswered: true }).put).toEqual([
      recorded('AP', { openAt: 100_100, sent: 7 }),
    ])
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
    expect({ put, writes }).toEqual({ put: [recorded('AP')], writes: [state('ap')] })
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

  it.each([
    ['of its set, with flags that nobody knows', { set: 1, text: machine.uri }],
    ['that is a whole set', { text: '{"SET":{}}' }],
  ])('not while it may be an entry %s', (_, entry) => {
    const records = [recorded('AP')]
    const { drop, put } = plan(free, [listed('sip:10.0.1.2')], { records, opaque: [entry] })
    expect({ drop, put }).toEqual({ drop: [], put: [] })
    const other = [{ set: 2, text: machine.uri }]
    expect(plan(free, [listed('sip:10.0.1.2')], { records, opaque: other }).drop).toEqual(records)
  })

  it('its guard stays while a hold names the URI, and is taken away with the last of them', () => {
    const other = [listed('sip:10.0.1.2')]
    expect(plan(held, other, { records: [guard] })).toEqual(nothing)
    expect(plan(free, other, { records: [guard] }).writes).toEqual([unset])
  })
})
