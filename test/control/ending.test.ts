import { expect, it, test } from 'vitest'
import { countedOn, counting } from '../../functions/control/counts.ts'
import type { DeadlineChoice, DeadlinePolicy } from '../../functions/control/deadline.ts'
import type { Counts, Drain } from '../../functions/control/drain.ts'
import { endingOf, trendOf } from '../../functions/control/ending.ts'
import { actionDrain, endingCalls, held, holdDrain, retained, until } from './drain-samples.ts'

const minute = 60_000
const memory = { edges: {}, confirmedAt: 1 }
const draining = { name: 'draining', memory } as const
const rules = { failoverWindowSeconds: 10 }
/** It ends some ten minutes later: one call a minute. */
const counts: Counts = {
  edges: {},
  totals: [20, 15, 10].map((calls, index) => ({ at: index * 5 * minute, calls })),
}
const up = { callsLeft: 10, unknown: [] as string[], zeroPending: false }
const ends = (drain: Drain, judgement: Partial<typeof up> = {}, of = counts) =>
  endingOf(drain, { ...up, ...judgement }, of, rules)

it('the end is the fail-over window after the last call, and so much later as settle takes to find out', () => {
  const none = { edges: {}, totals: [{ at: 1000, calls: 0 }] }
  expect(ends(holdDrain(draining), { callsLeft: 0, zeroPending: true }, none)).toEqual({
    earliest: 11_000,
    latest: 41_000,
  })
})

test.each([
  ['a count is unknown', holdDrain(draining), { unknown: ['edge b: timeout'] }, 'edge b: timeout'],
  ['it is not disabled', holdDrain({ ...draining, memory: { edges: {} } }), {}, 'disabled on every edge yet'],
  ['an edge is open', holdDrain(draining), { callsLeft: 0 }, 'may send it new ones'],
])('it is unknown where %s, with the reason', (_, drain, judgement, reason) => {
  expect(ends(drain, judgement)).toEqual({ unknown: expect.stringContaining(reason) })
})

it('and before anything was counted, or with one count', () => {
  expect(ends(holdDrain(draining), {}, { edges: {}, totals: [] })).toEqual({
    unknown: 'its calls were not counted since it is disabled',
  })
  expect(ends(holdDrain(draining), {}, { edges: {}, totals: [{ at: 1, calls: 10 }] })).toEqual({
    unknown: expect.stringContaining('counted once'),
  })
})

it('a drain that waits for no calls has none', () => {
  expect(ends(holdDrain(held))).toBeUndefined()
  expect(ends(holdDrain({ name: 'ended', because: 'lifted' }))).toBeUndefined()
})

test('the deadline ends a drain by its policy, and no operator’s', () => {
  const late = { ...counts, totals: counts.totals.map(({ at, calls }) => ({ at: at + until, calls })) }
  const policy = (callsLeft: DeadlineChoice): DeadlinePolicy => ({ callsLeft, unknown: 'terminate' })
  const by = (callsLeft: DeadlineChoice) => ends(actionDrain(draining, policy(callsLeft)), {}, late)
  const open = ends(holdDrain(draining), {}, late)
  expect(by('terminate')).toEqual({ earliest: until, latest: until })
  expect(by('end-calls')).toEqual({ earliest: until + 10 * minute, latest: until + 10 * minute })
  expect(by('retain')).toEqual(open)
  expect(ends(actionDrain(retained), {}, late)).toHaveProperty('latest', expect.any(Number))
  expect(ends(actionDrain(endingCalls, policy('end-calls')), {}, late)).toHaveProperty(
    'latest',
    until + 10 * minute,
  )
})

const counted = (edge: string, calls: number, at: number, begun?: number) => ({
  ...{ edge, calls, at },
  ...(begun !== undefined && { begun }),
})

test('of each edge its last number is remembered, the most it had, and since when it shows that', () => {
  const first = counting(undefined, [counted('a', 4, 1), counted('b', 2, 1)], undefined)
  const second = counting(first, [counted('a', 3, 2)], undefined)
  expect(counting(second, [counted('a', 3, 9)], undefined)).toEqual({
    edges: { a: { calls: 3, most: 4, since: 2 }, b: { calls: 2, most: 2, since: 1 } },
    totals: [],
  })
})

test('a call that began is found by the counters, also where fewer are up than before', () => {
  const first = counting(undefined, [counted('a', 9, 1, 100)], 9)
  const fewer = counting(first, [counted('a', 8, 2, 100)], 8)
  expect(fewer.begunAt).toBeUndefined()
  expect(trendOf(fewer)).toBe('falling')
  const begun = counting(fewer, [counted('a', 7, 3, 101)], 7)
  expect(begun).toMatchObject({ begunAt: 3, totals: [{ at: 3, calls: 7 }] })
  expect(trendOf(begun)).toBe('rising')
})

test('counters of an edge that has restarted begin anew, which is no call', () => {
  const first = counting(undefined, [counted('a', 9, 1, 100)], 9)
  expect(counting(first, [counted('a', 8, 2, 3)], 8).begunAt).toBeUndefined()
})

test('a count that was seen before is not remembered twice', () => {
  const first = counting(undefined, [counted('a', 9, 5)], 9)
  expect(counting(first, [counted('a', 9, 5)], 9)).toEqual(first)
  expect(trendOf(first)).toBe('unknown')
  expect(trendOf(counting(first, [counted('a', 9, 6)], 9))).toBe('steady')
})

test('calls that stay while others ended hours ago are no falling trend', () => {
  const minute = 60_000
  const after = (minutes: number) => {
    let counts = counting(undefined, [counted('a', 49, 0)], 49)
    for (let at = 1; at <= minutes; at++) {
      const calls = Math.max(3, 49 - at * 5)
      counts = counting(counts, [counted('a', calls, at * minute)], calls)
    }
    return counts
  }
  expect(trendOf(after(5))).toBe('falling')
  expect(trendOf(after(180))).toBe('steady')
})

test('an edge whose number is not known is no zero', () => {
  const known = { calls: 3, source: 'profile', outbound: true, begun: 7 } as const
  const more = { flags: 'disabled', at: 5, readBy: 6, bootTime: 'b' } as const
  expect(
    countedOn([
      { edge: 'a', count: known, ...more },
      { edge: 'b', count: { unknown: 'no profile' }, ...more },
      { edge: 'c', unknown: 'timeout' },
    ]),
  ).toEqual([{ edge: 'a', calls: 3, at: 5, begun: 7 }])
})
