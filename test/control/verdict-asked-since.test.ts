import { describe, expect, it } from 'vitest'
import { judgements, type Look, type Moment, profile, verdicts } from './verdict-history.ts'

const s = 1_000
const earlier = { askedBefore: 10 * s }
const one = (at: number, look: Look = {}, more: Partial<Moment> = {}): Moment => ({
  at,
  edges: { a: look },
  ...more,
})
const both = (at: number, a: Look, b: Look): Moment => ({ at, edges: { a, b } })

describe('only what was asked since the look began ends a drain', () => {
  it('a zero that was counted before the look began ends nothing, and begins no window anew', () => {
    const history = [one(0), one(40 * s, earlier), one(50 * s, earlier), one(60 * s)]
    expect(verdicts(...history)).toEqual(['draining', 'draining', 'draining', 'drained'])
  })

  it('a millisecond before is too early, at that very time is not', () => {
    expect(verdicts(one(0), one(60 * s, { askedBefore: 1 }))).toEqual(['draining', 'draining'])
    expect(verdicts(one(0), one(60 * s, { askedBefore: 0 }))).toEqual(['draining', 'drained'])
  })

  it('on every edge: one that was not asked again is waited for', () => {
    const history = [
      both(0, {}, {}),
      both(40 * s, {}, earlier),
      both(50 * s, earlier, {}),
      both(60 * s, {}, {}),
    ]
    expect(verdicts(...history)).toEqual(['draining', 'draining', 'draining', 'drained'])
  })

  it('a first zero that was counted before the look began is as old as its counting', () => {
    expect(verdicts(one(10 * s, earlier), one(31 * s), one(32 * s))).toEqual([
      'draining',
      'draining',
      'drained',
    ])
  })

  it('a zero that was only counted before it is unconfirmed, and a later look can confirm it', () => {
    const [, later] = judgements([one(0), one(50 * s, earlier)])
    expect(later).toMatchObject({ unconfirmed: true, zeroPending: true })
  })

  it('calls that were counted before it are left all the same', () => {
    const [look] = judgements([one(0, { ...earlier, count: profile(3) })])
    expect(look).toMatchObject({ verdict: 'draining', callsLeft: 3 })
  })
})

describe('the media server’s own count ends a drain only when it was asked for since the look began', () => {
  const asked = (mediaServer: number, serverAskedBefore: number): Moment[] => [
    one(0),
    one(60 * s, {}, { mediaServer, serverAskedBefore }),
  ]

  it('a 0 of before ends nothing, and a later look can confirm it', () => {
    expect(verdicts(...asked(0, 1))).toEqual(['draining', 'draining'])
    expect(judgements(asked(0, 1))[1]).toMatchObject({ zeroPending: true })
    expect(verdicts(...asked(0, 0))).toEqual(['draining', 'drained'])
  })

  it('nor does it say that a destination was never there', () => {
    const nowhere: Look = { flags: 'unlisted' }
    const verdictWhen = (serverAskedBefore: number) =>
      judgements([one(0, nowhere), one(60 * s, nowhere, { mediaServer: 0, serverAskedBefore })], {
        edges: { a: { everListed: false } },
      })[1]?.verdict
    expect(verdictWhen(1)).toBe('draining')
    expect(verdictWhen(0)).toBe('absent')
  })

  it('calls of before are left all the same', () => {
    expect(judgements(asked(4, 30 * s))[1]).toMatchObject({ verdict: 'draining', callsLeft: 4 })
  })

  it('where none is configured nothing is waited for', () => {
    expect(verdicts(one(0), one(60 * s, {}, { serverAskedBefore: 60 * s }))).toEqual(['draining', 'drained'])
  })
})
