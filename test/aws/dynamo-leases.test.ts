import { expect, test } from 'vitest'
import { dynamoHolds } from '../../functions/aws/dynamo-holds.ts'
import { dynamoLeases, leaseKey } from '../../functions/aws/dynamo-leases.ts'
import type { Condition, DynamoTable, Write } from '../../functions/aws/dynamo-table.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { aHold } from '../port-contracts/store-samples.ts'

/**
 * A table whose conditional writes are done, and then answered as if they had not been: the SDK has sent them
 * twice.
 */
function repeatingTable(): { table: DynamoTable; written: Write[] } {
  const rows = new Map<string, unknown>()
  const written: Write[] = []
  const table: DynamoTable = {
    get: async ({ pk, sk }) => structuredClone(rows.get(`${pk}/${sk}`)),
    newest: async () => ({ rows: [], next: undefined }),
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

/**
 * A table with one lease, whose writes look at their condition.
 * @param onWrite what somebody else writes just before
 */
function leaseTable(data: unknown, { onWrite }: { onWrite?: () => unknown } = {}) {
  let lease = data
  const isMet = ({ expression, values = {} }: Condition) =>
    expression.split(' AND ').every((part) => {
      const row: Readonly<Record<string, unknown>> = Object(lease)
      const [, absent] = part.match(/^attribute_not_exists\(#(\w+)\)$/) ?? []
      if (absent !== undefined) return row[absent] === undefined
      const [, name = '', value = ''] = part.match(/^#(\w+) = :(\w+)$/) ?? []
      return row[name] === values[value]
    })
  const table: DynamoTable = {
    get: async () => structuredClone(lease),
    newest: async () => ({ rows: [], next: undefined }),
    query: async () => [],
    write: async (write) => {
      if (onWrite) lease = onWrite()
      if (write.condition && !isMet(write.condition)) return false
      if ('put' in write) lease = write.put.data
      if ('update' in write) lease = { ...Object(lease), ...write.set }
      return true
    },
    add: async () => 1,
    writeAll: async () => true,
  }
  return { table, lease: () => lease }
}

test('a lease whose request was sent twice by the SDK is ours', async () => {
  const { table } = repeatingTable()
  expect(await dynamoLeases(table).takeEdge('edge-a', 'me', 0, 10)).toBe(1)
})

test.each([
  ['no number', { owner: 'a', until: 5, generation: 'x' }],
  ['no owner', { until: 5, generation: 3 }],
  ['half a generation', { owner: 'a', until: 5, generation: 1.5 }],
  ['a generation whose successor no edge takes', { owner: 'a', until: 5, generation: 999_999_999_999_999 }],
  ['an end that no run lives to see', { owner: 'a', until: 9_999_999_999_999, generation: 7 }],
  ['nothing at all', undefined],
  ['another thing', 'all'],
])('a lease with nonsense (%s) is refused, and had until no run can be at work under it', async (_, data) => {
  const now = 1_795_000_000_000
  const { table, lease } = leaseTable(data ?? null)
  const edges = dynamoLeases(table)
  const taken = edges.takeEdge('edge-a', 'me', now, now + 1000)
  await expect(taken).rejects.toThrow(UnexpectedAnswer)
  await expect(taken).rejects.toThrow(`${leaseKey('edge-a').pk}/edge-a: `)
  const reason = expect.stringContaining(`${leaseKey('edge-a').pk}/edge-a: `)
  const head = {
    ...{ edge: 'edge-a', wanted: -1, askedAt: 0 },
    unreadable: { since: now, at: now, reason, passes: true },
  }
  expect(lease()).toEqual({ owner: '', until: now + 900_000, generation: now, head })
  expect(await edges.takeEdge('edge-a', 'me', now + 899_999, now + 900_999)).toBe(undefined)
  expect(await edges.takeEdge('edge-a', 'me', now + 900_000, now + 901_000)).toBe(now + 1)
})

test('a lease with nonsense that somebody has put right meanwhile stays as it is', async () => {
  const bad = { owner: 'a', until: 'x', generation: 3 }
  const good = { owner: 'b', until: 5, generation: 4 }
  const { table, lease } = leaseTable(bad, { onWrite: () => good })
  await expect(dynamoLeases(table).takeEdge('edge-a', 'me', 10, 20)).rejects.toThrow(UnexpectedAnswer)
  expect(lease()).toEqual(good)
})

test('a tombstone can be read by the release before, which wants to know that nothing is left to give back', async () => {
  const { table, written } = repeatingTable()
  await dynamoHolds(table).putHold(aHold('hold-1', { lifted: { at: 5, by: 'bob' } }))
  expect(written[0]).toMatchObject({ put: { data: { lifted: { at: 5, by: 'bob', restored: true } } } })
})
