import { describe, expect, it } from 'vitest'
import { byAge, type Case, woken } from '../../bench/paced-drain.ts'

const twenty = { lasting: 'lognormal', calls: 20 } as const
const drains = 40

describe.each([240, 600])('of drains of 20 calls of %i s', (meanSeconds) => {
  it('a third of the looks that the age alone makes finds the last call’s end no later', async () => {
    const one: Case = { ...twenty, meanSeconds }
    const [before, now] = [byAge(one, drains), await woken(one, drains)]
    expect(now.looks).toBeLessThanOrEqual(before.looks / 3)
    expect(now.p95).toBeLessThanOrEqual(before.p95)
    expect(now.p95).toBeLessThanOrEqual(meanSeconds === 240 ? 67 : 113)
  })

  it('an end that nothing foretells is found as soon as any other', async () => {
    const usual = await woken({ ...twenty, meanSeconds }, drains)
    const together = await woken({ ...twenty, meanSeconds, lasting: 'together' }, drains)
    // A pass of settle more at the most.
    expect(together.p95).toBeLessThanOrEqual(usual.p95 + 20)
  })
})
