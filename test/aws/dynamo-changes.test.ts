import { expect, test } from 'vitest'
import { dynamoChanges } from '../../functions/aws/dynamo-changes.ts'
import { dynamoClearance, dynamoFreeze } from '../../functions/aws/dynamo-clearance.ts'
import { dynamoHolds } from '../../functions/aws/dynamo-holds.ts'
import { dynamoOutcomes } from '../../functions/aws/dynamo-outcomes.ts'
import type { DynamoTable, Write } from '../../functions/aws/dynamo-table.ts'
import { holdChange } from '../../functions/control/change.ts'
import { type FiledChange, filedForm } from '../../functions/control/filed-change.ts'
import { aHold } from '../port-contracts/store-samples.ts'
import { some } from '../present.ts'

const at = 1_795_000_000_000
const order = `00${at}#1`
const hold = aHold('a', { order })
const days90 = 90 * 86_400

/** A table that takes every write, and keeps those of one request together. */
function takingTable() {
  const requests: (readonly Write[])[] = []
  const table: DynamoTable = {
    get: async () => undefined,
    query: async () => [],
    newest: async () => ({ rows: [], next: undefined }),
    write: async (write) => requests.push([write]) > 0,
    add: async () => 1,
    writeAll: async (writes) => requests.push(writes) > 0,
  }
  return { table, requests }
}

const { shownAt: _, ...waits } = hold
const waiting = { hold: { ...waits, source: 'operator' as const, until: at + 1 }, since: at }
const event = { id: '1', at, event: { type: 'Drain Superseded', detail: {} }, reason: 'a test' } as const
const changing: readonly [string, (table: DynamoTable) => Promise<unknown>][] = [
  ['placed', (table) => dynamoHolds(table).putHold(hold)],
  ['lifted', (table) => dynamoHolds(table).putHold({ ...hold, lifted: { at, by: 'bob' } })],
  [
    'retired',
    (table) =>
      dynamoHolds(table).retire({ ...hold, lifted: { at, by: 'bob' } }, { ...hold, source: 'retired' }),
  ],
  ['placed', (table) => dynamoClearance(table).placeWaiting(waiting, { name: '/clearance', generation: 1 })],
  ['superseded', (table) => dynamoClearance(table).dropWaiting(waiting, { at, by: 'bob' }, event)],
  [
    'superseded',
    (table) => dynamoClearance(table).putWaiting(waiting, { waiting, superseded: { at, by: 'bob' }, event }),
  ],
  ['frozen', (table) => dynamoFreeze(table).putFreeze({ who: 'alice', why: 'carrier', at, order })],
]

test.each(changing)(
  '%s is opened in the one transaction of what it tells of, for 90 days',
  async (kind, change) => {
    const { table, requests } = takingTable()
    await change(table)
    expect(requests).toHaveLength(1)
    const opened = some(requests).flatMap((writes) =>
      writes.flatMap((write) => ('once' in write ? [write.once] : [])),
    )
    expect(opened).toMatchObject([{ pk: 'CHANGES', data: { kind }, expiresAt: at / 1000 + days90 }])
  },
)

test('a row of a kind that nobody here knows keeps no other one back', async () => {
  const { table } = takingTable()
  const known = holdChange(hold)
  const query = async () => [
    { sk: 'later', data: { ...known, kind: 'of a later release' } },
    { sk: known.id, data: known },
  ]
  expect(await dynamoChanges({ ...table, query }).openChanges()).toEqual({
    changes: [known],
    unread: [expect.stringContaining('CHANGES/later')],
  })
})

test('a page of what is on file is whole but for what can not be read there, which is named', async () => {
  const { table } = takingTable()
  const filed = { ...filedForm(holdChange(hold), []), complete: true }
  const command = { id: 'c-1', at, command: 'drain', who: 'alice', result: 'started' }
  const rows = (good: object) => [
    { sk: 'later', data: { ...good, id: 7 } },
    { sk: 'good', data: good },
  ]
  const paged = (good: object) => ({ ...table, newest: async () => ({ rows: rows(good), next: 'later' }) })
  const [day, page] = ['2026-11-29', { most: 2 }] as const
  expect(await dynamoChanges(paged(filed)).changes({ day }, page)).toEqual({
    ...{ changes: [filed], next: 'later' },
    unread: [expect.stringMatching(/^CHANGES\S*\/later: .*id: /)],
  })
  expect(
    await dynamoOutcomes(paged(command), { now: () => at, sleep: async () => undefined }).commands(day, page),
  ).toEqual({
    ...{ commands: [command], next: 'later' },
    unread: [expect.stringMatching(/^COMMANDS#2026-11-29\/later: .*id: /)],
  })
})

test('what had to wait is opened under when it began', async () => {
  const { table, requests } = takingTable()
  const beganAt = at + days90 * 100
  const lease = { name: '/clearance', generation: 1 } as const
  await dynamoClearance(table).placeWaiting(waiting, lease, { at: beganAt })
  const opened = requests.flat().flatMap((write) => ('once' in write ? [write.once] : []))
  expect(opened).toMatchObject([{ sk: expect.stringMatching(`^00${beganAt}#placed#`) }])
})

test('what is filled in is no change', async () => {
  const { table, requests } = takingTable()
  await dynamoHolds(table).putHold(hold, hold)
  expect(requests.flat().filter((write) => 'once' in write)).toEqual([])
})

test('a copy is written once it is complete, one row after the other, and the open row goes last', async () => {
  const { table, requests } = takingTable()
  const filed: FiledChange = {
    kind: 'placed',
    ...{ id: order, at, who: 'alice', sender: { id: 'AROA4711:deploy-17' } },
    ...{ destinations: ['sip:10.0.1.20:5060'], shown: [], complete: true },
  }
  await dynamoChanges(table).fileChange(filed)
  const condition = { expression: 'attribute_not_exists(pk) OR #complete = :no', values: { no: false } }
  const copy = (pk: string) => [
    { put: { pk, sk: order, data: filed, expiresAt: at / 1000 + days90 }, condition },
  ]
  expect(requests).toEqual([
    copy('CHANGES#DAY#2026-11-18'),
    copy('CHANGES#SENDER#AROA4711'),
    copy('CHANGES#DESTINATION#sip:10.0.1.20:5060'),
    [{ delete: { pk: 'CHANGES', sk: order } }],
  ])
})
