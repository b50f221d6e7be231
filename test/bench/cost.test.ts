import { expect, test } from 'vitest'
import { atEdges } from '../../bench/cost.ts'
import { type Counts, countHour } from '../../bench/counted-hour.ts'

const small = { edges: 2, servers: 4, drains: 4, callMinutes: 2 }

/** By how much two hours differ, as a part of the one; which look comes first differs from run to run. */
function difference(one: Counts, other: Counts): number {
  const pairs = Object.entries(one).map(([name, count]) => [
    count,
    Object.entries(other).find(([key]) => key === name)?.[1] ?? 0,
  ])
  return Math.max(...pairs.map(([a = 0, b = 0]) => Math.abs(a - b) / b))
}

test('each edge more costs about the same, so that two small fleets tell of a big one', async () => {
  const [few, more, many] = [
    { edges: 2, hour: await countHour(small) },
    { edges: 4, hour: await countHour({ ...small, edges: 4 }) },
    await countHour({ ...small, edges: 8 }),
  ]
  expect(difference(atEdges(8, few, more), many)).toBeLessThan(0.25)
})

test('how many servers an edge lists changes no count but the bytes and units of its list', async () => {
  const [few, many] = [await countHour(small), await countHour({ ...small, servers: 40 })]
  const ofTheList = { reads: 0, writes: 0, readingBytes: 0, answerBytes: 0 }
  const untold = ({ settleSeconds: _, stepSeconds: __, ...counts }: Counts) => ({ ...counts, ...ofTheList })
  expect(untold(many)).toEqual(untold(few))
})

test('with more drains at once an edge is read no more often: settles are shared', async () => {
  const few = await countHour({ ...small, servers: 20, drains: 2, callMinutes: 10 })
  const many = await countHour({ ...small, servers: 20, drains: 20, callMinutes: 10 })
  expect(many.edgeRequests / 20).toBeLessThan((0.7 * few.edgeRequests) / 2)
})
