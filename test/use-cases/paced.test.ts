import { expect, test } from 'vitest'
import { allowance, paced } from '../../functions/use-cases/paced.ts'
import { createMemoryClock } from '../memory/clock.ts'

const each = () => 2

async function batches(items: number, requestsPerSecond: number, seconds: number) {
  const clock = createMemoryClock()
  const start = clock.now()
  const begun: [at: number, size: number][] = []
  const numbers = Array.from({ length: items }, (_, n) => n)
  await paced(clock, numbers, { requestsPerSecond, until: start + seconds * 1000 }, each, async (batch) => {
    begun.push([clock.now() - start, batch.length])
    await clock.sleep(300)
  })
  return begun
}

test('each second takes as many as the allowance, and what is not begun in time is left out', async () => {
  expect(await batches(5, 10, 3)).toEqual([[0, 5]])
  expect(await batches(12, 10, 3)).toEqual([
    [0, 5],
    [1000, 5],
    [2000, 2],
  ])
  expect(await batches(100, 10, 3)).toHaveLength(3)
})

test('an item that is dearer than a second allows goes alone', async () => {
  expect(await batches(2, 1, 9)).toEqual([
    [0, 1],
    [1000, 1],
  ])
})

test('rounds take half of what the way to the edges lets through, and no edge more than it can answer', () => {
  expect(allowance(5000, 50, 7)).toEqual({ requestsPerSecond: 50, until: 7 })
  expect(allowance(5000, 2, 7).requestsPerSecond).toBe(200)
  expect(allowance(1, 50, 7).requestsPerSecond).toBe(1)
})
