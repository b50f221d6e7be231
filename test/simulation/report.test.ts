import { expect, test } from 'vitest'
import { add, emptyReport, type Report, written } from './report.ts'

const rule = 'no call is cut'
const reportOf = (seed: number, ...hits: string[]): Report => ({
  ...emptyReport(),
  histories: 1,
  hits: Object.fromEntries(hits.map((name) => [name, 1])),
  violations: { [rule]: { rule, histories: 1, seeds: [seed], first: `the call of ${seed}` } },
})

test('a report is the same whichever worker was first', () => {
  const [one, other] = [reportOf(1, 'b', 'a'), reportOf(2, 'c')]
  const text = written(add(one, other), 1)
  expect(written(add(other, one), 1)).toBe(text)
  expect(text).toContain('seeds 1 2\n      the call of 1\n')
  expect(text).toMatch(/1 {2}a.*\n.* b.*\n.* c/)
})
