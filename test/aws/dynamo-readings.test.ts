import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { dynamoEdges } from '../../functions/aws/dynamo-edges.ts'
import { leaseKey } from '../../functions/aws/dynamo-leases.ts'
import { dynamoMachines, dynamoReadings } from '../../functions/aws/dynamo-readings.ts'
import type { DynamoTable, Write } from '../../functions/aws/dynamo-table.ts'
import { toListingRow, toReadingRow } from '../../functions/aws/reading-rows.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import type { Reading } from '../../functions/control/reading.ts'
import { aHead, aListing, aReading } from '../port-contracts/store-samples.ts'

/** A table with these rows by `pk/sk`, where every write is done. */
function tableOf(rows: Readonly<Record<string, unknown>> = {}) {
  const transactions: (readonly Write[])[] = []
  const table: DynamoTable = {
    get: async ({ pk, sk }) => rows[`${pk}/${sk}`],
    newest: async () => ({ rows: [], next: undefined }),
    query: async (pk) =>
      Object.entries(rows).flatMap(([key, data]) =>
        key.startsWith(`${pk}/`) ? [{ sk: key.slice(pk.length + 1), data }] : [],
      ),
    write: async (write) => {
      transactions.push([write])
      return true
    },
    add: async () => 1,
    writeAll: async (writes) => {
      transactions.push(writes)
      return true
    },
  }
  return { table, transactions }
}
const at = (edge: string) => Object.values(leaseKey(edge)).join('/')
const now = 1_795_800_000_000
const clock = { now: () => now, sleep: async () => undefined }
const gzip = (text: string) => ({ gzip: new Uint8Array(gzipSync(text)) })
const brotli = (text: string) => ({ brotli: new Uint8Array(brotliCompressSync(text)) })
const json = (value: unknown) => brotli(JSON.stringify(value))
const readingRow = (edge: string, change?: Partial<Reading>) => toReadingRow(aReading(edge, change))
const listingRow = (edge: string) => toListingRow(aListing(edge))

test('head, reading and listing are one transaction under the lease, which writes nothing that was not given', async () => {
  const { table, transactions } = tableOf()
  const readings = dynamoReadings(table, clock)
  await readings.putReading(7, { head: aHead('a'), reading: aReading('a'), listing: aListing('a') })
  await readings.putReading(7, { head: aHead('a') })
  const rowsOf = (writes: readonly Write[] = []) =>
    writes.map((write) => ('put' in write ? `${write.put.pk}/${write.put.sk}` : write))
  const head = {
    update: leaseKey('a'),
    set: { head: aHead('a') },
    condition: { expression: '#generation = :generation', values: { generation: 7 } },
  }
  expect(rowsOf(transactions[0])).toEqual([head, 'EDGE#a/READING', 'EDGE#a/LISTING'])
  expect(rowsOf(transactions[1])).toEqual([head])
})

test('records can be read by the release before, which wants the sort key in the data', async () => {
  const { table, transactions } = tableOf()
  await dynamoEdges(table).putEdgeRecords('a', 7, [])
  expect(transactions[0]?.[0]).toMatchObject({ put: { data: { sk: 'RECORDS' } } })
})

test('what a release before had settled is not read', async () => {
  const { table } = tableOf({ 'EDGE#a/SETTLED': json(readingRow('a')) })
  expect(await dynamoReadings(table, clock).reading('a')).toBe(undefined)
})

test('rows of a newer release are read, without what is not known here', async () => {
  const machines = { askedAt: 1, answeredAt: 2, gone: [], calls: {} }
  const [hold] = Object.values(aReading('a').holds)
  const holds = { 'lifecycle/a': { ...hold, later: 1 } }
  const { table } = tableOf({
    [at('a')]: { generation: 7, head: { ...aHead('a'), later: 1 }, later: 1 },
    'EDGE#a/READING': { ...json({ ...readingRow('a'), holds, later: { x: 1 } }), later: 1 },
    'EDGE#a/LISTING': json({ ...listingRow('a'), later: [1] }),
    'MACHINES/READING': { ...json({ ...machines, later: 1 }), askedAt: 1 },
  })
  const readings = { ...dynamoReadings(table, clock), ...dynamoMachines(table, clock) }
  expect(await readings.edgeHeads()).toEqual([aHead('a')])
  expect(await readings.reading('a')).toEqual({ ...aReading('a'), holds: { 'lifecycle/a': hold } })
  expect(await readings.listing('a')).toEqual(aListing('a'))
  expect(await readings.machines()).toEqual(machines)
})

describe('nonsense, and what only a newer release can read', () => {
  test.each([
    [
      'a word that is not known here',
      json({ ...readingRow('a'), description: { ...readingRow('a').description, counts: 'guessed' } }),
      /EDGE#a\/READING: description\.counts:/,
    ],
    ['a row that is not packed', aReading('a'), /EDGE#a\/READING: all of it:/],
    [
      'bytes that are not packed',
      { brotli: new Uint8Array([1, 2, 3]) },
      /EDGE#a\/READING: Error: unexpected end/,
    ],
    ['text that is not JSON', brotli('{"edge":'), /EDGE#a\/READING: .*JSON/],
    ['another thing', json({ ...readingRow('a'), entries: 'all' }), /EDGE#a\/READING: entries:/],
    [
      'a hold without its count',
      json({ ...readingRow('a'), holds: { h: { flags: 'open' } } }),
      /EDGE#a\/READING: holds\.h\.counted:/,
    ],
  ])('in a reading is no reading, with why and where: %s', async (_name, row, message) => {
    const reading = await dynamoReadings(tableOf({ 'EDGE#a/READING': row }).table, clock).reading('a')
    expect(reading).toEqual({ unread: expect.stringMatching(message) })
    expect(reading).toEqual({ unread: expect.stringMatching(/^UnexpectedAnswer: /) })
  })
  test('in a head: its edge is one that nobody has read, and every other is known', async () => {
    const since = { since: 1, reason: 'refused', passes: true }
    const readings = dynamoReadings(
      tableOf({
        [at('a')]: { generation: 7, head: { ...aHead('a'), wanted: 'x' } },
        [at('b')]: { generation: 7, head: aHead('b') },
        [at('c')]: {},
        [at('d')]: { generation: 7, head: aHead('b') },
        [at('e')]: { generation: 7, head: aHead('e', { askedAt: now + 3000 }) },
        [at('f')]: { head: { edge: 'f', wanted: 1, askedAt: 1, unreadable: { ...since, at: now + 3000 } } },
      }).table,
      clock,
    )
    const unread = (edge: string, reason: string) => ({
      ...{ edge, wanted: -1, askedAt: 0 },
      unreadable: expect.objectContaining({ since: 0, at: 0, reason: expect.stringContaining(reason) }),
    })
    expect(await readings.edgeHeads()).toEqual([
      unread('a', `${at('a')}: head.wanted:`),
      aHead('b'),
      unread('c', 'it was not read yet'),
      unread('d', `${at('d')} names b`),
      unread('e', `${at('e')} is of a time that has not come yet`),
      unread('f', `${at('f')} is of a time that has not come yet`),
    ])
  })
  test('of another edge, or of a time that has not come yet, is no reading', async () => {
    const ahead = { askedAt: now + 3000, answeredAt: now + 3000 }
    const { table } = tableOf({
      'EDGE#a/READING': json(readingRow('b')),
      'EDGE#a/LISTING': json(listingRow('b')),
      'EDGE#b/READING': json(readingRow('b', ahead)),
      'MACHINES/READING': json({ ...ahead, gone: [], calls: {} }),
      'INVENTORY/ASKED': { askedAt: now + 3000 },
    })
    const readings = { ...dynamoReadings(table, clock), ...dynamoMachines(table, clock) }
    expect(await readings.reading('a')).toEqual({ unread: 'EDGE#a/READING names b' })
    expect(await readings.listing('a')).toEqual({ unread: 'EDGE#a/LISTING names b' })
    expect(await readings.reading('b')).toEqual({
      unread: 'EDGE#b/READING is of a time that has not come yet',
    })
    expect(await readings.machines()).toEqual({
      unread: 'MACHINES/READING is of a time that has not come yet',
    })
    expect(await readings.inventoryAskedAt()).toBe(undefined)
  })
  test('of many kinds is told in short', async () => {
    const entries = Array.from({ length: 900 }, () => ({ group: 1, uri: 'x', after: 'DX' }))
    const reading = await dynamoReadings(
      tableOf({ 'EDGE#a/READING': json({ ...readingRow('a'), entries }) }).table,
      clock,
    ).reading('a')
    expect(reading).toEqual({ unread: expect.stringMatching(/^.{0,400}; and 895 more$/) })
  })
  test('in a record is refused: what an edge showed before is never guessed', async () => {
    const guard = { kind: 'guard', uri: 'sip:10.0.1.20' }
    for (const row of [
      gzip('['),
      gzip(JSON.stringify([guard, { ...guard, kind: 'later' }])),
      { gzip: 'x' },
    ]) {
      const records = dynamoEdges(tableOf({ 'EDGE#a/RECORDS': row }).table).edgeRecords('a')
      await expect(records).rejects.toThrow(UnexpectedAnswer)
      await expect(records).rejects.toThrow(/EDGE#a\/RECORDS: /)
    }
  })
  test('in a listing is no listing, of machines nothing that they said', async () => {
    const { table } = tableOf({
      'EDGE#a/LISTING': json({ ...listingRow('a'), listed: [{ group: 1, uri: 'all', flags: 'AP' }] }),
      'MACHINES/READING': json({ askedAt: 1, answeredAt: 2, gone: [], calls: { h: 'many' } }),
    })
    const readings = { ...dynamoReadings(table, clock), ...dynamoMachines(table, clock) }
    expect(await readings.listing('a')).toEqual({
      unread: expect.stringContaining('EDGE#a/LISTING: listed.0.uri: "all" is not a SIP URI'),
    })
    expect(await readings.machines()).toEqual({
      unread: expect.stringContaining('MACHINES/READING: calls.h:'),
    })
  })
})
