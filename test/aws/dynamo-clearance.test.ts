import { expect, test } from 'vitest'
import { dynamoClearance } from '../../functions/aws/dynamo-clearance.ts'
import type { DynamoTable } from '../../functions/aws/dynamo-table.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { aHold } from '../port-contracts/store-samples.ts'

const { shownAt: _, ...waits } = aHold('a', { order: '2' })
const waiting = { hold: { ...waits, source: 'operator' as const, until: 1 }, since: 1 }

/** A table whose conditions do not hold, with this row. */
function tableWith(data: unknown): DynamoTable {
  return {
    get: async () => data,
    query: async () => [],
    newest: async () => ({ rows: [], next: undefined }),
    write: async () => false,
    add: async () => 1,
    writeAll: async () => false,
  }
}

test("a newer drain whose older one waits in a row that can't be read is not stale: it fails, and names the row", async () => {
  const put = dynamoClearance(tableWith({ order: '1' })).putWaiting(waiting)
  await expect(put).rejects.toThrow(UnexpectedAnswer)
  await expect(put).rejects.toThrow('WAITING/operator/a: ')
})

test.each([undefined, { ...waiting, order: '3' }])('where the row is %o a drain is stale', async (row) => {
  expect(await dynamoClearance(tableWith(row)).putWaiting(waiting)).toBe('stale')
})
