import { expect, test } from 'vitest'
import { dynamoRounds } from '../../functions/aws/dynamo-rounds.ts'
import type { DynamoTable } from '../../functions/aws/dynamo-table.ts'
import { aReading, aRound } from '../contract/store-samples.ts'
import { createMemoryClock } from '../memory/clock.ts'

/** Rows in a map, and which partitions were read. */
function countingTable() {
  const rows = new Map<string, { pk: string; data: unknown }>()
  const read: string[] = []
  const table: DynamoTable = {
    get: async ({ pk, sk }) => rows.get(`${pk}/${sk}`)?.data,
    query: async (pk) => {
      read.push(pk)
      return [...rows.values()].flatMap((row) => (row.pk === pk ? [row.data] : []))
    },
    write: async (write) => {
      if ('put' in write) rows.set(`${write.put.pk}/${write.put.sk}`, structuredClone(write.put))
      return true
    },
    add: async () => 1,
    writeAll: async () => true,
  }
  return { table, read }
}

test("a function that stays warm reads a round's edges once, and sees the next round at once", async () => {
  const { table, read } = countingTable()
  const [maker, reader] = [dynamoRounds(table, createMemoryClock()), dynamoRounds(table, createMemoryClock())]
  expect(await reader.latestRound()).toBe(undefined)
  for (const round of [aRound('r-1', 1, [aReading('a')]), aRound('r-2', 2, [aReading('a'), aReading('b')])]) {
    await maker.putRound(round)
    for (const _drain of [1, 2, 3]) expect(await reader.latestRound()).toEqual(round)
  }
  expect(read).toEqual(['ROUND#r-1', 'ROUND#r-2'])
})
