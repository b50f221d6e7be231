import { expect, test } from 'vitest'
import { dynamoEdges } from '../../functions/aws/dynamo-edges.ts'
import { dynamoHolds } from '../../functions/aws/dynamo-holds.ts'
import type { DynamoTable, Write } from '../../functions/aws/dynamo-table.ts'
import { aHold } from '../contract/store-samples.ts'

/** A table whose conditional writes are done, and then answered as if they had not been: the SDK has sent them twice. */
function repeatingTable(): { table: DynamoTable; written: Write[] } {
  const rows = new Map<string, unknown>()
  const written: Write[] = []
  const table: DynamoTable = {
    get: async ({ pk, sk }) => structuredClone(rows.get(`${pk}/${sk}`)),
    query: async () => [],
    write: async (write) => {
      if ('put' in write) rows.set(`${write.put.pk}/${write.put.sk}`, structuredClone(write.put.data))
      return false
    },
    add: async () => 1,
    writeAll: async (writes) => {
      written.push(...writes)
      return true
    },
  }
  return { table, written }
}

test('a lease whose request was sent twice by the SDK is ours', async () => {
  const { table } = repeatingTable()
  expect(await dynamoEdges(table).takeEdge('edge-a', 'me', 0, 10)).toBe(1)
})

test('a tombstone can be read by the release before, which wants to know that nothing is left to give back', async () => {
  const { table, written } = repeatingTable()
  await dynamoHolds(table).putHold(aHold('hold-1', { lifted: { at: 5, by: 'bob' } }))
  expect(written[0]).toMatchObject({ put: { data: { lifted: { at: 5, by: 'bob', restored: true } } } })
})
