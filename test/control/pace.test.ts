import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  heartbeatDue,
  heartbeatInterval,
  nextWait,
  type Pace,
  redeliverySeconds,
  retryWait,
  type Wait,
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
const wait = fc.constantFrom<Wait>('shortest', 'confirm', 'calls-up', 'paced')
const age = fc.integer({ min: 0, max: 48 * hours })
/** AWS: 30 s to 7200 s; a lab may go down to 3 s. */
const timeout = fc.integer({ min: 3, max: 7200 })

describe('the wait between two looks', () => {
  const paced = (ageMs: number) => nextWait('paced', ageMs, undefined, usual)

  it('is 5 % of the drain’s age, from 5 s to 120 s', () => {
    expect(paced(0)).toBe(5)
    expect(paced(100_000)).toBe(5)
    expect(paced(600_000)).toBe(30)
    expect(paced(2_400_000)).toBe(120)
    expect(paced(48 * hours)).toBe(120)
  })

  it('is never above the heartbeat interval, whatever else asks for more', () => {
    fc.assert(
      fc.property(pace, wait, age, timeout, (p, kind, ageMs, t) => {
        const heartbeatSeconds = heartbeatInterval(t)
        expect(nextWait(kind, ageMs, heartbeatSeconds, p)).toBeLessThanOrEqual(heartbeatSeconds)
        expect(retryWait(heartbeatSeconds)).toBeLessThanOrEqual(heartbeatSeconds)
      }),
    )
  })

  it('is whole seconds, at least 1, and within the bounds', () => {
    fc.assert(
      fc.property(pace, age, fc.option(timeout, { nil: undefined }), (p, ageMs, t) => {
        const heartbeatSeconds = t === undefined ? undefined : heartbeatInterval(t)
        const seconds = nextWait('paced', ageMs, heartbeatSeconds, p)
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeLessThanOrEqual(p.maxWaitSeconds)
        expect(seconds).toBeGreaterThanOrEqual(t === undefined ? Math.floor(p.minWaitSeconds) : 1)
      }),
    )
  })

  it('grows with age, never shrinks', () => {
    fc.assert(
      fc.property(pace, age, age, (p, a, b) => {
        const [young, old] = [Math.min(a, b), Math.max(a, b)]
        expect(nextWait('paced', young, undefined, p)).toBeLessThanOrEqual(
          nextWait('paced', old, undefined, p),
        )
      }),
    )
  })

  it('after a first zero is just over the fail-over window and the clocks’ difference', () => {
    fc.assert(
      fc.property(pace, age, (p, ageMs) => {
        const seconds = nextWait('confirm', ageMs, undefined, p)
        expect(seconds).toBeGreaterThan(p.failoverWindowSeconds + 2)
        expect(seconds).toBeLessThanOrEqual(p.failoverWindowSeconds + 3)
      }),
    )
  })

  it('after a failure is whole seconds, at least 1, at most 120', () => {
    expect(retryWait(undefined)).toBe(120)
    expect(retryWait(0.3)).toBe(1)
    expect(retryWait(33.4)).toBe(11)
    expect(retryWait(2_400)).toBe(120)
  })
})

describe('the wait while calls are up', () => {
  it('is the longest, as settle wakes the drain: 120 s, or the heartbeat interval', () => {
    expect(nextWait('calls-up', 0, undefined, usual)).toBe(120)
    expect(nextWait('calls-up', 10 * hours, 100, usual)).toBe(100)
  })
})

it('the wait right after the begin, and while calls are ended, is the shortest, however old the drain is', () => {
  const property = fc.property(pace, age, (p, ageMs) => {
    expect(nextWait('shortest', ageMs, undefined, p)).toBe(Math.floor(p.minWaitSeconds))
  })
  fc.assert(property)
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
    const step = fc.record({ failed: fc.boolean(), kind: wait })
    const property = fc.property(pace, timeout, fc.array(step, { maxLength: 60 }), (p, t, steps) => {
      const heartbeatSeconds = heartbeatInterval(t)
      let now = 0
      let last = 0
      let silence = 0
      for (const { failed, kind } of steps) {
        const seconds = failed ? retryWait(heartbeatSeconds) : nextWait(kind, now, heartbeatSeconds, p)
        now += seconds * 1000
        silence = Math.max(silence, now - last)
        if (heartbeatDue(last, now, heartbeatSeconds)) last = now
      }
      expect(silence).toBeLessThanOrEqual((t * 1000) / 2)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('one that fails leaves time for the next before the hook’s timeout', () => {
    const worst = fc.property(pace, wait, timeout, age, (p, kind, t, ageMs) => {
      const heartbeatSeconds = heartbeatInterval(t)
      const longest = nextWait(kind, ageMs, heartbeatSeconds, p)
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
