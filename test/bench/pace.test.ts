import { describe, expect, it } from 'vitest'
import { type Case, drains } from '../../bench/paced-drain.ts'

const twenty = { lasting: 'lognormal', calls: 20, heartbeatSeconds: 1000 } as const
const both = (one: Case) => [drains(one, 'age', 1000), drains(one, 'waking', 1000)] as const

describe.each([240, 600])('of drains of 20 calls of %i s', (meanSeconds) => {
  it('a third of the looks that the age alone makes finds the last call’s end no later', () => {
    const [byAge, byWaking] = both({ ...twenty, meanSeconds })
    expect(byWaking.looks).toBeLessThanOrEqual(byAge.looks / 3)
    expect(byWaking.p95).toBeLessThanOrEqual(byAge.p95)
    expect(byWaking.p95).toBeLessThanOrEqual(meanSeconds === 240 ? 67 : 113)
  })

  it('an end that nothing foretells is found as soon as any other', () => {
    for (const lasting of ['lognormal, under way', 'together', 'fixed', 'fixed, under way'] as const)
      expect(both({ ...twenty, meanSeconds, lasting })[1].p95).toBeLessThanOrEqual(45)
  })

  it('one call is found as soon as many', () => {
    expect(both({ ...twenty, meanSeconds, calls: 1 })[1].p95).toBeLessThanOrEqual(45)
  })
})
