import { describe, expect, it } from 'vitest'
import type { Flags } from '../../functions/control/destination.ts'
import { hasDrifted, type SettledEntry } from '../../functions/control/settled.ts'
import { hold, uri } from './samples.ts'
import { entry, settled } from './settled-samples.ts'

/** Placed at 1 s; what a reading of 5 s left disabled is found as it is by one of 60 s. */
const held = hold({ placedAt: 1_000 })
const left = (...entries: readonly SettledEntry[]) => settled(entries, { askedAt: 5_000, answeredAt: 5_100 })
const found = (...entries: readonly SettledEntry[]) =>
  settled(entries, { askedAt: 60_000, answeredAt: 60_100 })

describe('drift is what was left disabled, and is found open while it is held', () => {
  it.each(['AX', 'AP', 'IP', 'TX'] as const)('%s is open, also where it was disabled again', (before) => {
    expect(hasDrifted(found(entry('DX', { before })), held, left(entry('DX')))).toBe(true)
    expect(hasDrifted(found(entry(before, { before })), held, left(entry('DX')))).toBe(true)
  })

  it('what is found disabled is none', () => {
    expect(hasDrifted(found(entry('DP', { before: 'DP' })), held, left(entry('DX')))).toBe(false)
  })

  it('only of a hold that was placed before the last reading began', () => {
    const open = found(entry('DX'))
    const placed = (placedAt: number) => hasDrifted(open, hold({ placedAt }), left(entry('DX')))
    expect(placed(5_000)).toBe(true)
    expect(placed(5_001)).toBe(false)
  })

  it('giving back is none, and what was given back is found open without any', () => {
    const given = entry('AP', { before: 'DX' })
    expect(hasDrifted(found(given), held, left(entry('DX')))).toBe(false)
    expect(hasDrifted(found(entry('DX')), held, left(given))).toBe(false)
  })

  it('what nobody had disabled yet is none', () => {
    const refused = entry('AP', { refused: 'State Update Failed' })
    expect(hasDrifted(found(entry('DX')), held, left(refused))).toBe(false)
    expect(hasDrifted(found(entry('DX')), held, left())).toBe(false)
    expect(hasDrifted(found(entry('DX')), held, undefined)).toBe(false)
  })

  it('what came into the list while it was settled is none', () => {
    const { before: _, ...late } = entry('DX')
    expect(hasDrifted(found(late), held, left(entry('DX')))).toBe(false)
  })

  it('another hold’s entry, another set’s or another duid’s is none of its own', () => {
    const neighbour = uri('sip:10.0.1.99')
    expect(
      hasDrifted(found(entry('DX', { uri: neighbour })), held, left(entry('DX', { uri: neighbour }))),
    ).toBe(false)
    expect(hasDrifted(found(entry('DX', { set: 2 })), held, left(entry('DX')))).toBe(false)
    expect(hasDrifted(found(entry('DX', { duid: 'b' })), held, left(entry('DX', { duid: 'a' })))).toBe(false)
  })

  it('a reload or a restart that opened it is drift', () => {
    expect(hasDrifted(found(entry('DX', { iuid: 'z' })), held, left(entry('DX', { iuid: 'x' })))).toBe(true)
    const restarted = { ...found(entry('DX')), boot: 'other' }
    expect(hasDrifted(restarted, held, left(entry('DX')))).toBe(true)
  })

  it('a twin that can not be written apart and stays open is none, at each reading anew', () => {
    const twins = (['DX', 'AP'] satisfies Flags[]).map((flags, index) =>
      entry(flags, { before: 'AP', iuid: `${index}`, refused: 'listed more than once' }),
    )
    expect(hasDrifted(found(...twins), held, left(...twins))).toBe(false)
  })
})
