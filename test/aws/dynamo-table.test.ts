import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import { createDynamoTable } from '../../functions/aws/dynamo-table.ts'
import { StoreConflict } from '../../functions/control/errors.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { some } from '../present.ts'
import { type AwsAnswer, type AwsRequest, awsStub } from './aws-stub.ts'

async function tableOver(answer: (request: AwsRequest) => AwsAnswer) {
  const stub = await awsStub(answer)
  const clock = createMemoryClock(0)
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(stub.client))
  return { stub, clock, table: createDynamoTable({ documents, table: 't', clock, random: () => 0.5 }) }
}
const cancelled = (...codes: string[]): AwsAnswer => ({
  error: 'TransactionCanceledException',
  message: `Transaction cancelled [${codes.join(', ')}]`,
  CancellationReasons: codes.map((Code) => ({ Code })),
})
const row = (n: number) => ({ pk: { S: 'P' }, sk: { S: `${n}` }, data: { N: `${n}` } })
const write = { put: { pk: 'P', sk: 'S', data: {} } }

test('a partition is read to its last page, consistently, past an empty one', async () => {
  const pages = [[row(1), row(2)], [], [row(3)]]
  const { stub, table } = await tableOver(() => {
    const page = pages.shift() ?? []
    return {
      result: {
        Items: page,
        ...(pages.length > 0 && { LastEvaluatedKey: { pk: { S: 'P' }, sk: { S: 'x' } } }),
      },
    }
  })
  expect((await table.query('P')).map(({ data }) => data)).toEqual([1, 2, 3])
  expect(stub.requests).toHaveLength(3)
  for (const { body } of some(stub.requests)) expect(body).toMatchObject({ ConsistentRead: true })
  expect(stub.requests[2]?.body.ExclusiveStartKey).toBeDefined()
})

test('a page begins with the last, ends where the next one begins, and one that is the last names none', async () => {
  const pages = [[row(3), row(2)], [row(1)]]
  const { stub, table } = await tableOver(() => ({
    result: {
      Items: pages.shift() ?? [],
      ...(pages.length > 0 && { LastEvaluatedKey: { pk: { S: 'P' }, sk: { S: '2' } } }),
    },
  }))
  const { rows, next } = await table.newest('P', { most: 2 })
  expect([rows.map(({ data }) => data), next]).toEqual([[3, 2], '2'])
  expect((await table.newest('P', { most: 2, before: next })).next).toBe(undefined)
  expect(stub.requests.map(({ body }) => body)).toMatchObject([
    { ScanIndexForward: false, Limit: 2, KeyConditionExpression: 'pk = :pk' },
    {
      KeyConditionExpression: 'pk = :pk AND sk < :before',
      ExpressionAttributeValues: { ':before': { S: '2' } },
    },
  ])
})

test('a row that is written once stays as it is, alone and in a transaction', async () => {
  const { stub, table } = await tableOver(() => ({ result: {} }))
  const once = { once: { pk: 'P', sk: 'S', data: { a: 1 }, expiresAt: 7 } }
  expect(await table.write(once)).toBe(true)
  expect(await table.writeAll([once])).toBe(true)
  const update = {
    Key: { pk: { S: 'P' }, sk: { S: 'S' } },
    UpdateExpression:
      'SET #data = if_not_exists(#data, :data), #expiresAt = if_not_exists(#expiresAt, :expiresAt)',
    ExpressionAttributeValues: { ':data': { M: { a: { N: '1' } } }, ':expiresAt': { N: '7' } },
  }
  expect(stub.requests.map(({ body }) => body)).toMatchObject([
    update,
    { TransactItems: [{ Update: { TableName: 't', ...update } }] },
  ])
})

test('a transaction that met another one is tried again, further apart each time', async () => {
  let contended = 3
  const { stub, clock, table } = await tableOver(() => {
    contended -= 1
    return contended >= 0 ? cancelled('None', 'TransactionConflict') : { result: {} }
  })
  expect(await table.writeAll([write])).toBe(true)
  expect(stub.requests).toHaveLength(4)
  expect(clock.now()).toBe(50 + 100 + 200)
})

test('tries have an end', async () => {
  const { stub, table } = await tableOver(() => cancelled('TransactionConflict'))
  await expect(table.writeAll([write])).rejects.toThrow(StoreConflict)
  expect(stub.requests).toHaveLength(6)
})

test('a condition that does not hold is an answer, whatever else was in the way; another reason is an error', async () => {
  const refused = await tableOver(() => cancelled('TransactionConflict', 'ConditionalCheckFailed'))
  expect(await refused.table.writeAll([write])).toBe(false)
  expect(refused.stub.requests).toHaveLength(1)
  const broken = await tableOver(() => cancelled('ValidationError'))
  await expect(broken.table.writeAll([write])).rejects.toThrow('ValidationError')
})

test('a refusal of access is not mistaken for a condition', async () => {
  const { table } = await tableOver(() => ({ error: 'AccessDeniedException', message: 'not yours' }))
  await expect(table.write(write)).rejects.toThrow('not yours')
  await expect(table.get({ pk: 'P', sk: 'S' })).rejects.toThrow('not yours')
})
