import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toDrainRow } from '../../functions/aws/drain-row.ts'
import { leaseKey } from '../../functions/aws/dynamo-leases.ts'
import { createDynamoStore } from '../../functions/aws/dynamo-store.ts'
import { drainId } from '../../functions/control/drain.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import type { Store } from '../../functions/ports/store.ts'
import { createClock } from '../../functions/runtime/clock.ts'
import type { Emulator } from '../../lab/emulator/emulator.ts'
import { defaultEmulator, prepareEmulator } from '../../lab/emulator/emulators.ts'
import { storeContract } from '../port-contracts/store.ts'
import { aDrain, aHead, aHold, aListing, aReading } from '../port-contracts/store-samples.ts'
import { present, some } from '../present.ts'

const table = 'store-contract'
const runDir = mkdtempSync(join(tmpdir(), 'store-contract-'))
let emulator: Emulator
let documents: DynamoDBDocumentClient
let store: Store

beforeAll(async () => {
  const start = await prepareEmulator(defaultEmulator(), console.log)
  emulator = await start({ runDir })
  const client = new DynamoDBClient(emulator.client)
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )
  documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
  store = createDynamoStore({ documents, table, clock: createClock(), random: Math.random })
})
afterAll(async () => {
  await emulator?.stop()
  rmSync(runDir, { recursive: true, force: true })
})

storeContract(
  () => store,
  () => new Date().toISOString().slice(0, 10),
)

describe('what expires', () => {
  const rowOf = async (pk: string, sk: string) =>
    (await documents.send(new GetCommand({ TableName: table, Key: { pk, sk } }))).Item

  test('no row of a hold in force expires, a tombstone 30 days after its lifting', async () => {
    const { Items: before = [] } = await documents.send(new ScanCommand({ TableName: table }))
    const holds = some(before.filter(({ pk }) => pk === 'HOLDS'))
    expect(holds.filter(({ expiresAt }) => expiresAt !== undefined)).toEqual([])

    const hold = aHold('expiry', { subject: { kind: 'instance', instanceId: 'i-1', launchedAt: 5 } })
    const at = 1_795_000_000_000
    const key = ['HOLD#lifecycle#expiry#i-1', 'HOLD'] as const
    await store.putHold(hold)
    expect(await rowOf(...key)).not.toHaveProperty('expiresAt')
    await store.putHold({ ...hold, lifted: { at, by: 'operator' } })
    expect(await rowOf(...key)).toHaveProperty('expiresAt', at / 1000 + 30 * 86_400)
    await store.putHold({ ...hold, order: '9' })
    expect(await rowOf(...key)).not.toHaveProperty('expiresAt')
    expect(await rowOf('HOLDS', 'lifecycle#expiry#i-1')).not.toHaveProperty('expiresAt')
  })
  test('no drain record expires before its drain has ended', async () => {
    const drain = aDrain('expiry')
    const key = [`DRAIN#${drainId(drain)}`, 'RECORD'] as const
    await store.putDrain(drain)
    expect(await rowOf(...key)).not.toHaveProperty('expiresAt')
    await store.putDrain({ ...drain, version: 2, phase: { name: 'ended', because: 'drained' } })
    expect(await rowOf(...key)).toHaveProperty('expiresAt')
  })
  test('a pending answer expires after 14 days, what is known of an edge never', async () => {
    const days = 86_400
    const before = Date.now() / 1000
    const own = { id: 'expiry', command: 'change-4711', since: 1, edges: ['a'], at: 5 }
    await store.putPendingOutcome({ ...own, hold: aHold('expiry') })
    const { expiresAt } = (await rowOf('PENDING', 'expiry')) ?? {}
    expect(expiresAt - before).toBeGreaterThanOrEqual(14 * days)
    expect(expiresAt - before).toBeLessThan(15 * days)
    const generation = (await store.takeEdge('expiry', 'a', 0, 1000)) ?? 0
    const found = { head: aHead('expiry'), reading: aReading('expiry'), listing: aListing('expiry') }
    await store.putReading(generation, found)
    for (const [pk, sk] of [
      [leaseKey('expiry').pk, 'expiry'],
      ['EDGE#expiry', 'READING'],
      ['EDGE#expiry', 'LISTING'],
    ] as const) {
      expect(await rowOf(pk, sk)).toBeDefined()
      expect(await rowOf(pk, sk)).not.toHaveProperty('expiresAt')
    }
  })
})

test('holds that a former release lifted and had not given back yet are in force no more', async () => {
  const hold = aHold('former')
  await documents.send(
    new PutCommand({
      TableName: table,
      Item: {
        pk: 'HOLDS',
        sk: 'lifecycle#former#i-1@5',
        data: { ...hold, lifted: { at: 1, by: 'operator', restored: false } },
      },
    }),
  )
  expect((await store.holds()).filter(({ id }) => id === 'former')).toEqual([])
})

test('a lifecycle hold that a release before placed is found, and lifted as a whole', async () => {
  const subject = { kind: 'instance', instanceId: 'i-1', launchedAt: 5 } as const
  const hold = aHold('placed-before', { subject })
  const rows = [
    ['HOLD#lifecycle#placed-before#i-1@5', 'HOLD'],
    ['HOLDS', 'lifecycle#placed-before#i-1@5'],
  ] as const
  for (const [pk, sk] of rows)
    await documents.send(new PutCommand({ TableName: table, Item: { pk, sk, data: hold } }))
  expect(await store.hold('lifecycle', hold.id, subject)).toEqual(hold)
  const lifted = { at: 1, by: 'workflow' }
  expect(await store.putHold({ ...hold, lifted })).toBe('written')
  expect((await store.holds()).filter(({ id }) => id === hold.id)).toEqual([])
  expect(await store.hold('lifecycle', hold.id, subject)).toMatchObject({ lifted })
  for (const [pk, sk] of some(rows)) {
    const { Item } = await documents.send(new GetCommand({ TableName: table, Key: { pk, sk } }))
    expect(Item).toBeUndefined()
  }
})

test('what a release before had on record of an edge is taken over, of holds that are lifted and not given back, too', async () => {
  const put = (pk: string, sk: string, data: unknown) =>
    documents.send(new PutCommand({ TableName: table, Item: { pk, sk, data } }))
  const [uri] = aHold('x').uris
  const row = { edge: 'old-edge', group: 2, uri, flags: 'IP', recordedAt: 5 }
  await put('HOLDS', 'operator#unfinished#i-1@5', {
    ...aHold('unfinished'),
    lifted: { at: 1, by: 'operator', restored: false },
  })
  await put(`FORMER#${uri}`, 'old-edge#2#', row)
  await put(`FORMER#${uri}`, 'other-edge#2#', { ...row, edge: 'other-edge' })
  const records = present(await store.edgeRecords('old-edge'), 'record of old-edge')
  expect(records.filter(({ kind }) => kind === 'entry')).toEqual([
    { kind: 'entry', set: 2, uri, flags: 'IP', identity: '', sent: 0 },
  ])
  expect(records).toContainEqual({ kind: 'guard', uri })
  const generation = present(await store.takeEdge('old-edge', 'a', 0, 1), 'lease of old-edge')
  await store.putEdgeRecords('old-edge', generation, [])
  expect(await store.edgeRecords('old-edge')).toEqual([])
})

test.each([
  ['nothing', undefined],
  ['no number', { generation: 'x' }],
  ['half a generation', { owner: 'a', until: 1, generation: 1.5 }],
  ['a generation that no edge takes', { owner: 'a', until: 1, generation: 999_999_999_999_999 }],
  ['an end that no run lives to see', { owner: 'a', until: 9_999_999_999_999, generation: 7 }],
])(
  'a lease with nonsense (%s) is taken by nobody, and by the next one when no run that had it can be left',
  async (name, data) => {
    const edge = `nonsense ${name}`
    const at = 1_795_000_000_000
    const fifteenMinutes = 900_000
    const Item = { ...leaseKey(edge), data: data ?? {} }
    await documents.send(new PutCommand({ TableName: table, Item }))
    const taken = store.takeEdge(edge, 'a', at, at + 1000)
    await expect(taken).rejects.toThrow(UnexpectedAnswer)
    await expect(taken).rejects.toThrow(`${Item.pk}/${edge}: `)
    expect(await store.takeEdge(edge, 'b', at + fifteenMinutes - 1, at + fifteenMinutes)).toBe(undefined)
    const generation = await store.takeEdge(edge, 'b', at + fifteenMinutes, at + fifteenMinutes + 1000)
    // What a run of before has in hand is below it, and not equal to it.
    expect(generation).toBe(at + 1)
  },
)

test('a row that somebody else changed is refused, with what is wrong and where', async () => {
  await documents.send(
    new PutCommand({
      TableName: table,
      Item: {
        pk: 'DRAIN#broken',
        sk: 'RECORD',
        data: { ...toDrainRow(aDrain('broken')), uris: ['all'], steps: 'x' },
      },
    }),
  )
  const broken = store.drain('broken')
  await expect(broken).rejects.toThrow(UnexpectedAnswer)
  await expect(broken).rejects.toThrow(/DRAIN#broken: .*uris\.0: "all" is not a SIP URI.*steps:/)
})

test('kept events that can not be read are named, and keep no other one back, however many they are', async () => {
  const event = { type: 'Edge Released', detail: { edge: 'edge-a' } } as const
  const readable = { id: 'readable', at: 7, event, reason: 'throttled' }
  await store.keepEvent(readable)
  const keys = [1, 2, 3].map((n) => ({ pk: 'EVENTS', sk: `0#broken-${n}` }))
  for (const Key of keys)
    await documents.send(new PutCommand({ TableName: table, Item: { ...Key, data: { id: 7 } } }))
  const { events, unread } = await store.keptEvents(1)
  expect(events).toEqual([readable])
  expect(unread).toEqual(keys.map(({ sk }) => expect.stringMatching(new RegExp(`^EVENTS/${sk}: .*id: `))))
  for (const Key of keys) await documents.send(new DeleteCommand({ TableName: table, Key }))
  await store.dropKeptEvent(readable)
})

test('what waits for clearance and can not be read is named, and keeps no other one back', async () => {
  const { shownAt: _, ...hold } = aHold('readable')
  const waiting = { hold: { ...hold, source: 'operator', until: 5 }, since: 5 } as const
  await store.putWaiting(waiting)
  await documents.send(
    new PutCommand({
      TableName: table,
      Item: { pk: 'WAITING', sk: 'operator/broken', data: { since: 'x' } },
    }),
  )
  const { drains, unread } = await store.waiting()
  expect(drains).toContainEqual(waiting)
  expect(unread).toEqual([expect.stringMatching(/^WAITING\/operator\/broken: .*since: /)])
})
