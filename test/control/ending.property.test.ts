import '../fixed-seed.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counting, mostTotals } from '../../functions/control/counts.ts'
import type { Counts } from '../../functions/control/drain.ts'
import { type Ending, endingOf } from '../../functions/control/ending.ts'
import { Draws } from '../simulation/random.ts'
import { holdDrain } from './drain-samples.ts'

const draining = holdDrain({ name: 'draining', memory: { edges: {}, confirmedAt: 1 } })
const failoverWindowSeconds = 7
const rules = { failoverWindowSeconds }

function ends(callsLeft: number, counts: Counts | undefined): Ending | undefined {
  return endingOf(draining, { callsLeft, unknown: [], zeroPending: callsLeft === 0 }, counts, rules)
}

/** What is remembered after looks that each counted so many calls, two minutes apart. */
function remembered(counts: readonly number[]): Counts | undefined {
  return counts.reduce<Counts | undefined>(
    (before, calls, look) => counting(before, [{ edge: 'a', calls, at: 1_000 + look * 120_000 }], calls),
    undefined,
  )
}

function uniform(draws: Draws): number {
  return (draws.int(0, 2 ** 32 - 1) + 0.5) / 2 ** 32
}

function lognormal(median: number, sigma: number, draws: Draws): number {
  const normal = Math.sqrt(-2 * Math.log(uniform(draws))) * Math.cos(2 * Math.PI * uniform(draws))
  return median * Math.exp(sigma * normal)
}

/** How many seconds a call lasts from its beginning on. */
const lengths: Readonly<Record<string, (draws: Draws) => number>> = {
  'at random': (draws) => -240 * Math.log(uniform(draws)),
  'as people talk': (draws) => lognormal(140, 1, draws),
  'with a long tail': (draws) => lognormal(80, 1.5, draws),
  'up to ten minutes': (draws) => 600 * uniform(draws),
  'all alike': () => 900,
  'short and long ones': (draws) => (uniform(draws) < 0.8 ? -120 : -1_800) * Math.log(uniform(draws)),
  'calls and conferences': (draws) =>
    uniform(draws) < 0.9 ? -180 * Math.log(uniform(draws)) : 3_600 + 600 * uniform(draws),
}

/** What is left of calls that are met at a random moment: long ones are met more often. */
function left(length: (draws: Draws) => number, calls: number, draws: Draws): number[] {
  const met = Array.from({ length: 2_000 }, () => length(draws))
  const total = met.reduce((sum, one) => sum + one, 0)
  return Array.from({ length: calls }, () => {
    let at = uniform(draws) * total
    const call = met.find((one) => {
      at -= one
      return at <= 0
    })
    return uniform(draws) * (call ?? 1)
  })
}

interface Foretold {
  /** share of the ranges that hold the end, and of those that it came after */
  readonly inside: number
  readonly later: number
  /** half of them name a latest end at most so many times as far away as the end was */
  readonly timesTooFar: number
}

/** Each look of so many drains that foretold something, by when the drain was over. */
function foretold(kind: string, calls: number, drains = 40): Foretold {
  const draws = new Draws(`${kind} ${calls}`)
  const ranges = Array.from({ length: drains }).flatMap(() => {
    const ending = left(lengths[kind] ?? (() => 1), calls, draws)
    const last = Math.max(...ending)
    const over = (last + failoverWindowSeconds) * 1000
    let counts: Counts | undefined
    return Array.from({ length: Math.ceil((last - 5) / 120) }, (_, look) => {
      const at = (5 + look * 120) * 1000
      const up = ending.filter((one) => one * 1000 > at).length
      counts = counting(counts, [{ edge: 'a', calls: up, at }], up)
      const end = ends(up, counts)
      return !end || 'unknown' in end ? [] : [{ ...end, at, over }]
    }).flat()
  })
  const share = (found: typeof ranges) => found.length / ranges.length
  const far = ranges.map(({ latest, at, over }) => (latest - at) / (over - at)).toSorted((a, b) => a - b)
  expect(ranges.length).toBeGreaterThan(50)
  return {
    inside: share(ranges.filter(({ earliest, latest, over }) => earliest <= over && over <= latest)),
    later: share(ranges.filter(({ latest, over }) => latest < over)),
    timesTooFar: far[Math.floor(far.length / 2)] ?? Number.POSITIVE_INFINITY,
  }
}

describe.each(Object.keys(lengths))('the range for calls that last: %s', (kind) => {
  it.each([10, 50, 300])('holds the end of most drains of %i calls, and tells something', (calls) => {
    const { inside, later, timesTooFar } = foretold(kind, calls)
    expect(inside).toBeGreaterThan(0.65)
    expect(later).toBeLessThan(0.25)
    expect(timesTooFar).toBeLessThan(20)
  })
})

it.each(['at random', 'as people talk', 'short and long ones'])(
  'and tells more of calls that last: %s',
  (kind) => {
    expect(foretold(kind, 50).timesTooFar).toBeLessThan(6)
  },
)

const anyCounts = fc.array(fc.nat(30), { minLength: 1, maxLength: 60 })
const falling = anyCounts.map((counts) => counts.toSorted((a, b) => b - a))

it('whatever was counted, it is a time after the last count, and the earliest end comes before the latest', () => {
  fc.assert(
    fc.property(fc.oneof(anyCounts, falling), (counts) => {
      const end = ends(counts.at(-1) ?? 0, remembered(counts))
      if (!end || 'unknown' in end) return
      const last = 1_000 + (counts.length - 1) * 120_000
      expect(end.earliest).toBeGreaterThan(last)
      expect(end.latest).toBeGreaterThanOrEqual(end.earliest)
      expect(Number.isFinite(end.latest)).toBe(true)
    }),
  )
})

it('it is unknown for three counts after a call that began, with the reason', () => {
  fc.assert(
    fc.property(falling, fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 2), (before, more, after) => {
      const last = (before.at(-1) ?? 0) + more
      const counts = remembered([...before, ...Array<number>(after).fill(last)])
      expect(ends(last, counts)).toEqual({ unknown: expect.stringContaining('a call has begun at') })
    }),
  )
})

it('it is unknown until three calls have ended over three counts', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(10, 9, 8), { minLength: 1, maxLength: 60 }), (counts) => {
      const sorted = counts.toSorted((a, b) => b - a)
      expect(ends(sorted.at(-1) ?? 0, remembered(sorted))).toHaveProperty('unknown')
    }),
  )
})

it('what is remembered stays small, however long it takes, and begins with the first count', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), (looks) => {
      const totals = remembered(Array<number>(looks).fill(5))?.totals ?? []
      expect(totals.length).toBeLessThanOrEqual(mostTotals)
      expect(totals[0]?.at).toBe(1_000)
      expect(totals.at(-1)?.at).toBe(1_000 + (looks - 1) * 120_000)
    }),
  )
})
