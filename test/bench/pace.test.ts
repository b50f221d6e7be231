import { describe, expect, it } from 'vitest'
import { type Case, drains } from '../../bench/paced-drain.ts'

const twenty = { lasting: 'lognormal', calls: 20, heartbeatSeconds: 1000 } as const
const both = (one: Case) => [drains(one, 'age', 1000), drains(one, 1, 1000)] as const

describe.each([240, 600])('of drains of 20 calls of %i s', (meanSeconds) => {
  it('a third of the looks that the age alone makes finds the last call’s end no later', () => {
    const [byAge, bySeen] = both({ ...twenty, meanSeconds })
    expect(bySeen.looks).toBeLessThanOrEqual(byAge.looks / 3)
    expect(bySeen.p95).toBeLessThanOrEqual(byAge.p95)
    expect(bySeen.p95).toBeLessThanOrEqual(meanSeconds === 240 ? 67 : 113)
  })

  it('the last of exponential calls ends when expected, or a little later', () => {
    const few = both({ ...twenty, meanSeconds, lasting: 'exponential' })[1].guesses.filter(
      ({ left }) => left < 10,
    )
    const sum = (of: (guess: (typeof few)[number]) => number) =>
      few.reduce((all, guess) => all + of(guess), 0)
    const cameOfExpected = sum(({ came }) => came) / sum(({ expected }) => expected)
    expect(cameOfExpected).toBeGreaterThan(1)
    expect(cameOfExpected).toBeLessThan(1.4)
  })

  it('an end that comes later than expected costs looks, and no time', () => {
    const [byAge, bySeen] = both({ ...twenty, meanSeconds, lasting: 'lognormal, under way' })
    expect(bySeen.looks).toBeLessThan(byAge.looks * 0.4)
    expect(bySeen.p95).toBeLessThanOrEqual(byAge.p95)
  })

  it('an end that nothing foretells is found within the longest wait', () => {
    for (const lasting of ['together', 'fixed', 'fixed, under way'] as const)
      expect(both({ ...twenty, meanSeconds, lasting })[1].p95).toBeLessThanOrEqual(120 + 13)
  })

  it('one call is looked for as by the age alone', () => {
    const [byAge, bySeen] = both({ ...twenty, meanSeconds, calls: 1 })
    expect({ ...bySeen, guesses: [] }).toEqual(byAge)
  })
})
