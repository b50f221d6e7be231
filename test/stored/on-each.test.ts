import { expect, test } from 'vitest'
import { onEach, tryEach } from '../../functions/stored/on-each.ts'

const items = Array.from({ length: 200 }, (_, index) => index)

test('what is wrong with one of many keeps no other from being tried', async () => {
  const tried: number[] = []
  const work = async (item: number) => {
    tried.push(item)
    if (item === 3 || item === 150) throw new Error(`planted ${item}`)
  }
  await expect(onEach(items, work)).rejects.toThrow('planted 3')
  expect(tried).toEqual(items)
})

test('results are in the order of their items', async () => {
  expect(await onEach(items, async (item) => item * 2)).toEqual(items.map((item) => item * 2))
})

test('what came of the others is known beside what failed, each in the order of its items', async () => {
  const { results, failed } = await tryEach(items.slice(0, 4), async (item) => {
    // The later one fails first.
    if (item === 1) await new Promise((resolve) => setTimeout(resolve, 1))
    if (item === 1 || item === 2) throw new Error(`planted ${item}`)
    return item
  })
  expect(results).toEqual([0, 3])
  expect(failed.map(String)).toEqual(['Error: planted 1', 'Error: planted 2'])
})
