import { describe, expect, it } from 'vitest'
import type { Flags } from '../../functions/control/destination.ts'
import { isConfirmed, outcomeOf, type Settled, type SettledEntry } from '../../functions/control/settled.ts'
import { hold, listed, machine, uri } from './samples.ts'

const entry = (after: Flags, changes: Partial<SettledEntry> = {}): SettledEntry => ({
  group: 1,
  uri: machine.uri,
  before: 'AP',
  after,
  ...changes,
})
const settled = (entries: readonly SettledEntry[], changes: Partial<Settled> = {}): Settled => ({
  edge: 'edge-a',
  wanted: 1,
  askedAt: 1,
  answeredAt: 2,
  boot: 'b',
  entries,
  guarded: [machine.uri],
  ...changes,
})
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

describe('confirmed is two readings that agree', () => {
  const at = (after: Flags, iuid?: string, group = 1) => entry(after, { group, ...(iuid && { iuid }) })
  const shows = (flags: Flags, iuid?: string, group = 1) =>
    listed(machine.uri, { flags, group, ...(iuid && { iuid }) })

  it('disabled both times with the same IUID, in whatever order', () => {
    expect(isConfirmed([at('DX', 'x'), at('DP', 'y', 2)], [shows('DP', 'y', 2), shows('DX', 'x')])).toBe(true)
  })

  it('5.6 has no IUID: the flags decide', () => {
    expect(isConfirmed([at('DX')], [shows('DX')])).toBe(true)
  })

  it('a reload in between is seen by its new IUID', () => {
    expect(isConfirmed([at('DX', 'x')], [shows('DX', 'z')])).toBe(false)
    const second = [shows('DX', 'x'), shows('DX', 'z', 2)]
    expect(isConfirmed([at('DX', 'x'), at('DX', 'y', 2)], second)).toBe(false)
    expect(isConfirmed([at('DX', 'x')], [shows('DX')])).toBe(false)
  })

  it.each(['AX', 'AP', 'IP', 'TX'] as const)('%s in either, in any group, confirms nothing', (open) => {
    expect(isConfirmed([at('DX'), at('DX', undefined, 2)], [shows('DX'), shows(open, undefined, 2)])).toBe(
      false,
    )
    expect(isConfirmed([at('DX'), at(open, undefined, 2)], [shows('DX'), shows('DX', undefined, 2)])).toBe(
      false,
    )
  })

  it('an entry that came or went in between confirms nothing; one that is listed at neither time is no reason against it', () => {
    expect(isConfirmed([at('DX')], [shows('DX'), shows('DX', undefined, 2)])).toBe(false)
    expect(isConfirmed([at('DX')], [])).toBe(false)
    expect(isConfirmed([], [shows('DX')])).toBe(false)
    expect(isConfirmed([], [])).toBe(true)
  })
})
