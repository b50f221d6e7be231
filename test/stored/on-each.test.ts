import { expect, test } from 'vitest'
import { onEach } from '../../functions/stored/on-each.ts'

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
