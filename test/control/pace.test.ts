import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallsSeen } from '../../functions/control/drain-record.ts'
import {
  callsSeen,
  heartbeatDue,
  heartbeatInterval,
  nextWait,
  type Pace,
  redeliverySeconds,
  retryWait,
  untilLastEnd,
} from '../../functions/control/pace.ts'

const usual: Pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 32 }
const hours = 3_600_000

const pace = fc
  .record({
    minWaitSeconds: fc.double({ min: 1, max: 120, noNaN: true }),
    maxWaitSeconds: fc.double({ min: 1, max: 120, noNaN: true }),
    failoverWindowSeconds: fc.double({ min: 0.5, max: 600, noNaN: true }),
  })
  .filter((p) => p.minWaitSeconds <= p.maxWaitSeconds)
const age = fc.integer({ min: 0, max: 48 * hours })
/** AWS: 30 s to 7200 s; a lab may go down to 3 s. */
const timeout = fc.integer({ min: 3, max: 7200 })

describe('the wait between two looks', () => {
  const wait = (ageMs: number) => nextWait({ ageMs, zeroPending: false }, usual)

  it('is 5 % of the drain’s age, from 5 s to 120 s', () => {
    expect(wait(0)).toBe(5)
    expect(wait(100_000)).toBe(5)
    expect(wait(600_000)).toBe(30)
    expect(wait(2_400_000)).toBe(120)
    expect(wait(48 * hours)).toBe(120)
  })

  it('is never above the heartbeat interval, whatever else asks for more', () => {
    fc.assert(
      fc.property(pace, age, timeout, fc.boolean(), (p, ageMs, t, zeroPending) => {
        const heartbeatSeconds = heartbeatInterval(t)
        expect(nextWait({ ageMs, heartbeatSeconds, zeroPending }, p)).toBeLessThanOrEqual(heartbeatSeconds)
        expect(retryWait(heartbeatSeconds)).toBeLessThanOrEqual(heartbeatSeconds)
      }),
    )
  })

  it('is whole seconds, at least 1, and within the bounds', () => {
    fc.assert(
      fc.property(pace, age, fc.option(timeout, { nil: undefined }), (p, ageMs, t) => {
        const heartbeat = t === undefined ? {} : { heartbeatSeconds: heartbeatInterval(t) }
        const seconds = nextWait({ ageMs, zeroPending: false, ...heartbeat }, p)
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeGreaterThanOrEqual(1)
        expect(seconds).toBeLessThanOrEqual(p.maxWaitSeconds)
        if (t === undefined) expect(seconds).toBeGreaterThanOrEqual(Math.floor(p.minWaitSeconds))
      }),
    )
  })

  it('grows with age, never shrinks', () => {
    fc.assert(
      fc.property(pace, age, age, (p, a, b) => {
        const [young, old] = [Math.min(a, b), Math.max(a, b)]
        expect(nextWait({ ageMs: young, zeroPending: false }, p)).toBeLessThanOrEqual(
          nextWait({ ageMs: old, zeroPending: false }, p),
        )
      }),
    )
  })

  it('after a first zero is just over the fail-over window and the clocks’ difference', () => {
    fc.assert(
      fc.property(pace, age, (p, ageMs) => {
        const seconds = nextWait({ ageMs, zeroPending: true }, p)
        expect(seconds).toBeGreaterThan(p.failoverWindowSeconds + 2)
        expect(seconds).toBeLessThanOrEqual(p.failoverWindowSeconds + 3)
      }),
    )
  })

  it('after a failure is whole seconds, at least 1, at most 120', () => {
    expect(retryWait(undefined)).toBe(120)
    expect(retryWait(0.3)).toBe(1)
    expect(retryWait(33.4)).toBe(33)
    expect(retryWait(2_400)).toBe(120)
  })
})

const known = { unknown: [] }
const sight = fc.record({
  afterMs: fc.integer({ min: 0, max: 2 * hours }),
  /** undefined: some edge is unknown */
  callsLeft: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
})

/** What a drain that began at 0 saw at its looks, and its age. */
function seenBy(sights: readonly { afterMs: number; callsLeft: number | undefined }[]): {
  readonly ageMs: number
  readonly calls?: CallsSeen
} {
  let ageMs = 0
  let calls: CallsSeen | undefined
  for (const { afterMs, callsLeft } of sights) {
    ageMs += afterMs
    const found =
      callsLeft === undefined ? { callsLeft: 0, unknown: ['edge a: away'] } : { callsLeft, ...known }
    calls = callsSeen({ requestedAt: 0, ...(calls && { calls }) }, found, ageMs)
  }
  return { ageMs, ...(calls && { calls }) }
}
const drain = fc.array(sight, { maxLength: 12 }).map(seenBy)

describe('the wait for calls that are counted', () => {
  const wait = (...sights: [second: number, callsLeft: number | undefined][]) => {
    const times = sights.map(([second]) => second)
    return nextWait(
      seenBy(
        sights.map(([second, callsLeft], look) => ({
          afterMs: (second - (times[look - 1] ?? 0)) * 1000,
          callsLeft,
        })),
      ),
      usual,
    )
  }

  it('is a share of the time that the last is expected to take', () => {
    // 15 ended and 3.5 presumed in 3,200 s of calls: 173 s each, and five last 1 + 1/2 + … + 1/5 = 2.28 times that.
    const calls = { count: 5, at: 0, ended: 15, callSeconds: 3_200, known: true }
    expect(untilLastEnd(calls)).toBeCloseTo(395, 0)
    expect(nextWait({ ageMs: 300_000, calls }, usual)).toBe(Math.floor(0.175 * 395))
  })

  it('of one call is 5 % of the drain’s age, as if nothing were known', () => {
    expect(wait([5, 1])).toBe(5)
    expect(wait([5, 1], [600, 1])).toBe(30)
    expect(wait([600, 1])).toBe(30)
  })

  it('is short for few, longer for many, which take longer to end', () => {
    const waits = [1, 2, 3, 5, 8].map((left) => wait([5, 20], [300, left]))
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits[0]).toBeLessThan(30)
    expect(wait([5, 20], [300, 12])).toBe(120)
  })

  it('is shorter where they end sooner', () => {
    expect(wait([5, 20], [100, 2])).toBeLessThan(wait([5, 20], [1_000, 2]))
  })

  it('is never above twice the drain’s age, however many there are', () => {
    expect(wait([5, 200])).toBe(10)
    expect(wait([5, 200], [15, 200])).toBe(30)
  })

  it('is by the age alone while some are unknown, and takes up what was seen when they are known again', () => {
    expect(wait([5, 20], [600, undefined])).toBe(30)
    expect(wait([600, undefined])).toBe(30)
    const shown = wait([5, 20], [600, 3])
    expect(wait([5, 20], [300, undefined], [600, 3])).toBe(shown)
  })

  it('is by the age alone where none is left and a new one may come', () => {
    expect(wait([5, 20], [600, 0])).toBe(30)
  })

  it('of more than before is that of calls none of which ended', () => {
    const risen = seenBy([
      { afterMs: 5_000, callsLeft: 2 },
      { afterMs: 295_000, callsLeft: 6 },
    ])
    expect(risen.calls).toMatchObject({ count: 6, ended: 0, known: true })
    expect(risen.calls?.callSeconds).toBeCloseTo(2 * 5 + 4 * 295)
  })

  it('is whole seconds, never below the shortest wait, above the longest or above the heartbeat interval', () => {
    const property = fc.property(pace, drain, fc.option(timeout, { nil: undefined }), (p, seen, t) => {
      const heartbeat = t === undefined ? {} : { heartbeatSeconds: heartbeatInterval(t) }
      const seconds = nextWait({ ...seen, ...heartbeat }, p)
      expect(Number.isInteger(seconds)).toBe(true)
      expect(seconds).toBeGreaterThanOrEqual(1)
      expect(seconds).toBeLessThanOrEqual(Math.min(p.maxWaitSeconds, 120))
      expect(seconds).toBeLessThanOrEqual(heartbeat.heartbeatSeconds ?? 120)
      if (t === undefined) expect(seconds).toBeGreaterThanOrEqual(Math.floor(p.minWaitSeconds))
    })
    fc.assert(property)
  })

  it('after a first zero, and right after the begin, does not depend on them', () => {
    const property = fc.property(pace, drain, (p, seen) => {
      const { ageMs } = seen
      for (const hurry of [{ zeroPending: true }, { shortest: true }])
        expect(nextWait({ ...seen, ...hurry }, p)).toBe(nextWait({ ageMs, ...hurry }, p))
    })
    fc.assert(property)
  })

  it('knows only sums that never fall, also where a clock goes back', () => {
    const property = fc.property(
      drain,
      sight,
      fc.integer({ min: -5_000, max: 5_000 }),
      (seen, next, skew) => {
        const found = { callsLeft: next.callsLeft ?? 0, ...known }
        const after = callsSeen({ requestedAt: 0, ...seen }, found, seen.ageMs + skew)
        expect(after?.ended).toBeGreaterThanOrEqual(seen.calls?.ended ?? 0)
        expect(after?.callSeconds).toBeGreaterThanOrEqual(seen.calls?.callSeconds ?? 0)
      },
    )
    fc.assert(property)
  })
})

describe('heartbeats', () => {
  it('are due at once, then at half the interval', () => {
    expect(heartbeatDue(undefined, 5_000, 100)).toBe(true)
    expect(heartbeatDue(5_000, 54_999, 100)).toBe(false)
    expect(heartbeatDue(5_000, 55_000, 100)).toBe(true)
  })

  it('their interval is a third of the hook’s timeout', () => {
    expect(heartbeatInterval(300)).toBe(100)
  })

  it('are never silent for longer than half the hook’s timeout, whatever the waits', () => {
    const step = fc.record({ failed: fc.boolean(), zeroPending: fc.boolean() })
    const property = fc.property(pace, timeout, fc.array(step, { maxLength: 60 }), (p, t, steps) => {
      const heartbeatSeconds = heartbeatInterval(t)
      let now = 0
      let last = 0
      let silence = 0
      for (const { failed, zeroPending } of steps) {
        const seconds = failed
          ? retryWait(heartbeatSeconds)
          : nextWait({ ageMs: now, heartbeatSeconds, zeroPending }, p)
        now += seconds * 1000
        silence = Math.max(silence, now - last)
        if (heartbeatDue(last, now, heartbeatSeconds)) last = now
      }
      expect(silence).toBeLessThanOrEqual((t * 1000) / 2)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('one that fails leaves time for the next before the hook’s timeout', () => {
    const worst = fc.property(pace, timeout, age, (p, t, ageMs) => {
      const heartbeatSeconds = heartbeatInterval(t)
      const longest = nextWait({ ageMs, heartbeatSeconds, zeroPending: true }, p)
      expect(1.5 * heartbeatSeconds + longest).toBeLessThan(t)
    })
    fc.assert(worst)
  })
})

it('a failed message waits twice as long each time, to an end, and never exactly as long as its neighbours', () => {
  const middle = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((receives) => redeliverySeconds(receives, 0.5))
  expect(middle).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (receives, random) => {
        const seconds = redeliverySeconds(receives, random)
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeGreaterThanOrEqual(1)
        expect(seconds).toBeLessThanOrEqual(375)
      },
    ),
  )
  expect(redeliverySeconds(8, 0)).toBeLessThan(redeliverySeconds(8, 1))
})
