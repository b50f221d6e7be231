import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { createDynamoStore } from '../../functions/aws/dynamo-store.ts'
import { createDynamoTable } from '../../functions/aws/dynamo-table.ts'
import { createLastGoodEdges } from '../../functions/aws/last-good-edges.ts'
import { unpacked } from '../../functions/aws/packed.ts'
import { readable } from '../../functions/control/reading.ts'
import type { Store } from '../../functions/ports/store.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { present, some } from '../present.ts'
import { type AwsRequest, awsStub } from './aws-stub.ts'

/** Rows as DynamoDB answers them, all but drains': test/former-release/README.md */
const text = z.object({ S: z.string() })
const row = z.looseObject({ pk: text, sk: text })
const formerRows = readFileSync(join(import.meta.dirname, '../former-release/rows.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => row.parse(JSON.parse(line)))
const key = z.object({ pk: text, sk: text })
const partition = z.object({ ':pk': text })

/** A minute and more after the rows were written. */
const now = 1_795_000_200_000

type Rows = z.output<typeof row>[]
const puts = z.array(z.object({ Put: z.object({ Item: row }).optional() }))

function answerOf(rows: Rows, { operation, body }: AwsRequest) {
  if (operation === 'Query') {
    const pk = partition.parse(body.ExpressionAttributeValues)[':pk'].S
    return { result: { Items: rows.filter((one) => one.pk.S === pk) } }
  }
  if (operation === 'TransactWriteItems') {
    rows.unshift(...puts.parse(body.TransactItems).flatMap(({ Put }) => (Put ? [Put.Item] : [])))
    return { result: {} }
  }
  // A put here is conditional on a newer order, which none of these tests has.
  if (operation === 'PutItem') return { error: 'ConditionalCheckFailedException', message: 'later' }
  if (operation !== 'GetItem') return { result: {} }
  const { pk, sk } = key.parse(body.Key)
  const Item = rows.find((one) => one.pk.S === pk.S && one.sk.S === sk.S)
  return { result: Item ? { Item } : {} }
}

async function formerTable() {
  const rows = [...formerRows]
  const stub = await awsStub((request) => answerOf(rows, request))
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(stub.client))
  const options = { documents, table: 't', clock: createMemoryClock(now), random: () => 0.5 }
  const table = createDynamoTable(options)
  return {
    store: createDynamoStore(options),
    lastGoodEdges: createLastGoodEdges(options),
    /** What was written last, by 0.1.0 unless a test has put something. */
    written: async (pk: string, sk: string) => {
      const data = z.looseObject({}).parse(await table.get({ pk, sk }))
      return 'brotli' in data || 'gzip' in data ? unpacked(z.unknown(), data, pk) : data
    },
    requests: stub.requests,
    rowsWritten: () => rows.length - formerRows.length,
    all: async (pk: string) => some(await table.query(pk)).map(({ data }) => data),
  }
}

const subject = {
  kind: 'instance',
  instanceId: 'i-0a1b2c3d4e5f60718',
  launchedAt: 1_790_000_000_000,
} as const

test.each<{ what: string; read: (store: Store) => Promise<unknown>; pk: string; sk: string }>([
  {
    what: "a lifecycle action's hold",
    read: (store) => store.hold('lifecycle', 'i-0a1b2c3d4e5f60718/drain', subject),
    ...{ pk: 'HOLD#lifecycle#i-0a1b2c3d4e5f60718/drain#i-0a1b2c3d4e5f60718', sk: 'HOLD' },
  },
  {
    what: "an alarm's hold, whose key has the launch time",
    read: (store) => store.hold('alarm', 'disk', subject),
    ...{ pk: 'HOLD#alarm#disk#i-0a1b2c3d4e5f60718@1790000000000', sk: 'HOLD' },
  },
  {
    what: 'what is on record of an edge',
    read: (store) => store.edgeRecords('a'),
    ...{ pk: 'EDGE#a', sk: 'RECORDS' },
  },
  { what: 'a reading', read: (store) => store.reading('a'), pk: 'EDGE#a', sk: 'READING' },
  { what: 'a listing', read: (store) => store.listing('a'), pk: 'EDGE#a', sk: 'LISTING' },
  { what: 'the inventory', read: (store) => store.inventory(), pk: 'INVENTORY', sk: 'INSTANCES' },
  { what: 'what was read of machines', read: (store) => store.machines(), pk: 'MACHINES', sk: 'READING' },
  {
    what: "a command's outcome",
    read: (store) => store.commandOutcome('change-4711'),
    ...{ pk: 'COMMAND#change-4711', sk: 'OUTCOME' },
  },
])('0.1.0 wrote $what, and it is read as it was written', async ({ read, pk, sk }) => {
  const { store, written } = await formerTable()
  expect(await read(store)).toEqual(withSets(await written(pk, sk)))
})

/** Rows have an entry's set as `group`: the only number of that name. */
function withSets(row: unknown): unknown {
  return JSON.parse(JSON.stringify(row), (_, value) => {
    const { group, ...entry } = Object(value)
    return typeof group === 'number' ? { set: group, ...entry } : value
  })
}

test('what 0.1.0 wrote of entries is written again as it reads it after a rollback', async () => {
  const { store, written, rowsWritten } = await formerTable()
  const ofEntries = () => Promise.all(['RECORDS', 'READING', 'LISTING'].map((sk) => written('EDGE#a', sk)))
  const before = await ofEntries()
  expect(JSON.stringify(before).match(/"group":\d/g)?.length).toBeGreaterThan(2)
  const [head] = await store.edgeHeads()
  const reading = readable(await store.reading('a'))
  const listing = readable(await store.listing('a'))
  await store.putEdgeRecords('a', 1, present(await store.edgeRecords('a'), 'records'))
  await store.putReading(1, {
    head: present(head, 'head'),
    reading: present(reading, 'reading'),
    listing: present(listing, 'listing'),
  })
  expect(rowsWritten()).toBe(3)
  expect(await ofEntries()).toEqual(before)
})

test('holds in force are read as 0.1.0 wrote them, and so are kept events and pending outcomes', async () => {
  const { store, all } = await formerTable()
  expect(await store.holds()).toEqual(await all('HOLDS'))
  expect(await store.keptEvents(10)).toEqual({ events: await all('EVENTS'), unread: [] })
  expect(await store.pendingOutcomes()).toEqual({ outcomes: await all('PENDING'), unread: [] })
})

test('a hold that 0.1.0 lifted is lifted, and an edge that it released is released until it is there again', async () => {
  const { store } = await formerTable()
  expect(await store.hold('lifecycle', 'lifted', subject)).toMatchObject({
    lifted: { at: 1_795_000_000_001, by: 'lifecycle' },
  })
  expect(await store.releases()).toMatchObject([{ edge: 'gone', who: 'alice' }])
})

test("0.1.0's counter, heads and leases go on", async () => {
  const { store, written } = await formerTable()
  expect(await store.wanted()).toBe(3)
  expect(await store.inventoryAskedAt()).toBe(1_794_999_998_000)
  const { head } = z.object({ head: z.looseObject({}) }).parse(await written('EDGES#7', 'a'))
  expect(await store.edgeHeads()).toEqual([
    { ...head, leasedUntil: 1_795_000_015_000 },
    { edge: 'b', wanted: -1, askedAt: 0 },
  ])
  for (const name of ['a', '/machines']) expect(await store.takeEdge(name, 'run-2', now, now + 1)).toBe(2)
})

test('a newer request that 0.1.0 saw lifts nothing for an older one', async () => {
  const { store } = await formerTable()
  expect(await store.seeRequest({ source: 'operator', id: 'sip:10.0.1.30' }, '0', 'lift')).toBe('hold')
})

test("0.1.0's last good list of edges is read", async () => {
  const { lastGoodEdges } = await formerTable()
  expect([...((await lastGoodEdges.read()) ?? [])]).toEqual([
    ['a', { url: 'http://10.0.0.5:8080/rpc', restoresDialogs: false }],
  ])
})

test('the lease of an edge is counted on in the row of 0.1.0, so that neither an upgrade nor a rollback meets the fence', async () => {
  const { store, requests } = await formerTable()
  expect(await store.takeEdge('a', 'run-2', now, now + 12_000)).toBe(2)
  const taken = requests.findLast(({ operation }) => operation === 'UpdateItem')?.body
  expect(taken?.Key).toEqual({ pk: { S: 'EDGES#7' }, sk: { S: 'a' } })
  expect(Object.values(z.looseObject({}).parse(taken?.ExpressionAttributeValues))).toEqual(
    expect.arrayContaining([{ S: 'run-2' }, { N: String(now + 12_000) }, { N: '2' }]),
  )
})
