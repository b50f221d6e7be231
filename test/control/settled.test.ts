import { describe, expect, it } from 'vitest'
import type { EntryRecord } from '../../functions/control/entry-record.ts'
import { settlePlan } from '../../functions/control/settle-plan.ts'
import { outcomeOf, settledEntries } from '../../functions/control/settled.ts'
import { some } from '../present.ts'
import { hold, listed, machine, uri } from './samples.ts'
import { free, held, recorded, shows, view } from './settle-samples.ts'
import { entry, settled } from './settled-samples.ts'

const neighbour = uri('sip:10.0.1.99')

describe('what a settle came to for one hold', () => {
  it('applied where it changed an entry of the hold, already where it did not, unlisted where there is none', () => {
    expect(outcomeOf(settled([entry('DX')]), hold())).toMatchObject({ outcome: 'applied', guarded: true })
    expect(outcomeOf(settled([entry('DP', { before: 'DP' })]), hold()).outcome).toBe('already')
    expect(outcomeOf(settled([]), hold())).toMatchObject({ outcome: 'unlisted', guarded: true })
  })

  it('what came into the list meanwhile, open as it may have been, was changed', () => {
    const { before: _, ...late } = entry('DX')
    expect(outcomeOf(settled([late]), hold()).outcome).toBe('applied')
  })

  it('what was refused is in the result of its own hold and of no other', () => {
    const found = settled([entry('DX'), entry('AP', { uri: neighbour, refused: 'State Update Failed' })])
    expect(outcomeOf(found, hold())).toMatchObject({ outcome: 'applied', entries: [{ uri: machine.uri }] })
    expect(outcomeOf(found, hold({ uris: [neighbour] }))).toMatchObject({
      outcome: 'refused',
      detail: 'State Update Failed',
      entries: [{ uri: neighbour }],
    })
  })

  it('guarded only where the guard has every URI of the hold, and those that its entries are listed by', () => {
    const { guarded: _, ...without } = settled([entry('DX')])
    expect(outcomeOf(without, hold()).guarded).toBe(false)
    expect(outcomeOf(settled([entry('DX')]), hold({ uris: [machine.uri, neighbour] })).guarded).toBe(false)
    const renamed = settled([entry('DX', { uri: uri('sip:10.0.1.20:5080') })])
    expect(outcomeOf(renamed, hold({ uris: [], wholeInstance: true })).guarded).toBe(false)
  })
})

describe('what a settle found and left', () => {
  const found = (
    holds: typeof held,
    first: ReturnType<typeof shows>[],
    last: ReturnType<typeof shows>[],
    more: { records?: readonly EntryRecord[]; problem?: string } = {},
  ) => {
    const seen = view(holds, last, more.records ? { records: more.records } : {})
    return settledEntries(seen, first, settlePlan(seen), more.problem)
  }

  it('is said of what is held, and of what is on record, and of nothing else', () => {
    const other = listed('sip:10.0.1.99', { flags: 'AP' })
    expect(found(held, [shows('AP'), other], [shows('DX'), other])).toEqual([
      { set: 1, uri: machine.uri, iuid: 'x', before: 'AP', after: 'DX' },
    ])
    expect(found(free, [shows('DX')], [shows('AP')])).toEqual([])
    expect(found(free, [shows('DX')], [shows('AP')], { records: [recorded('AP')] })).toMatchObject([
      { before: 'DX', after: 'AP' },
    ])
  })

  it('what came into the list meanwhile was not found before', () => {
    expect(found(held, [], [shows('DX')])[0]).not.toHaveProperty('before')
  })

  it('what is still open is refused, with why its write did not come about', () => {
    const refused = (problem?: string) =>
      found(held, [shows('AP')], [shows('AP')], problem === undefined ? {} : { problem })[0]?.refused
    expect(refused('State Update Failed')).toBe('State Update Failed')
    expect(refused()).toContain('after set_state answered Ok')
  })

  it('what can not be written apart from its twin is refused, whatever else went wrong', () => {
    const twins = [shows('AP', 'x'), shows('AP', 'y')]
    for (const { refused } of some(found(held, twins, twins, { problem: 'State Update Failed' })))
      expect(refused).toContain('listed more than once without distinct duids')
  })
})
