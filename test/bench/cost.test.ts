import { expect, test } from 'vitest'
import { atEdges } from '../../bench/cost.ts'
import { type Counts, countHour } from '../../bench/counted-hour.ts'

const small = { edges: 1, servers: 4, drains: 4, callMinutes: 2 }

/** By how much two counts differ, as a part of the one; who is first to a round differs from run to run. */
function difference(one: Counts, other: Counts): number {
  const pairs = Object.entries(one).map(([name, count]) => [
    count,
    Object.entries(other).find(([key]) => key === name)?.[1] ?? 0,
  ])
  return Math.max(...pairs.map(([a = 0, b = 0]) => Math.abs(a - b) / b))
}

test('each edge more costs about the same, so that two small fleets tell of a big one', async () => {
  const [one, two, six] = [
    await countHour(small),
    await countHour({ ...small, edges: 2 }),
    await countHour({ ...small, edges: 6 }),
  ]
  expect(difference(atEdges(6, one, two), six)).toBeLessThan(0.25)
})

test('how many servers an edge lists changes no count', async () => {
  expect(await countHour({ ...small, servers: 40 })).toEqual(await countHour(small))
})

test('with more drains at once an edge is read no more often: rounds are shared', async () => {
  const few = await countHour({ ...small, servers: 20, drains: 2, callMinutes: 10 })
  const many = await countHour({ ...small, servers: 20, drains: 20, callMinutes: 10 })
  expect(many.rounds / 20).toBeLessThan(few.rounds / 2 / 2)
})
