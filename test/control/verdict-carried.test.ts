import { expect, test } from 'vitest'
import { judgements, type Look, verdicts } from './verdict-history.ts'

const s = 1_000
const carried = { carriedFor: 10 * s }
const one = (at: number, look: Look = {}) => ({ at, edges: { a: look } })
const both = (at: number, a: Look, b: Look) => ({ at, edges: { a, b } })

test('a zero that a round has not counted itself begins no window anew, and ends nothing', () => {
  const history = [one(0), one(40 * s, carried), one(50 * s, carried), one(60 * s)]
  expect(verdicts(...history)).toEqual(['draining', 'draining', 'draining', 'drained'])
})

test('every edge is counted in the same round', () => {
  const history = [
    both(0, {}, {}),
    both(40 * s, {}, carried),
    both(50 * s, carried, {}),
    both(60 * s, {}, {}),
  ]
  expect(verdicts(...history)).toEqual(['draining', 'draining', 'draining', 'drained'])
})

test('a zero that only an earlier round counted is unconfirmed', () => {
  const [, later] = judgements([one(0), one(50 * s, carried)])
  expect(later).toMatchObject({ unconfirmed: true })
})
