import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { StoreConflict } from '../control/errors.ts'
import type { Clock } from '../ports/clock.ts'

export interface DynamoTableOptions {
  readonly documents: DynamoDBDocumentClient
  readonly table: string
  readonly clock: Clock
  /** 0 to 1, for the jitter between two tries of a transaction */
  readonly random: () => number
}

export interface Key {
  readonly pk: string
  readonly sk: string
}
/** `expiresAt` in epoch seconds, as DynamoDB's TTL wants it. */
export interface Row extends Key {
  readonly data: unknown
  readonly expiresAt?: number | undefined
}
/** @returns what makes a row that DynamoDB may delete so many seconds from now */
export function expiringFrom(clock: Clock): (key: Key, data: unknown, seconds: number) => Row {
  return (key, data, seconds) => ({ ...key, data, expiresAt: Math.ceil(clock.now() / 1000) + seconds })
}

/** What must be true of the row that is there now; `#name` stands for `data.name`. */
export interface Condition {
  readonly expression: string
  readonly values?: Readonly<Record<string, unknown>>
}
export type Write =
  | { readonly put: Row; readonly condition?: Condition }
  | { readonly delete: Key; readonly condition?: Condition }
  /** Sets these fields of the data of a row that the condition has be there. */
  | { readonly update: Key; readonly set: Readonly<Record<string, unknown>>; readonly condition: Condition }
  /** Put, unless a row is there: that one stays as it is. */
  | { readonly once: Row; readonly condition?: never }
  /** in a transaction only */
  | { readonly check: Key; readonly condition: Condition }

/**
 * The requests of DynamoDB that the store is made of. Rows are `{pk, sk, data, expiresAt?}`. All reads are
 * consistent.
 */
export interface DynamoTable {
  /** @returns the row's data, unparsed, or undefined */
  get(key: Key): Promise<unknown>
  /**
   * @returns every row of a partition, over all pages, by sort key; the first ones where `most` is given.
   * Data is unparsed.
   */
  query(pk: string, most?: number): Promise<readonly Pick<Row, 'sk' | 'data'>[]>
  /** @returns a page of a partition's rows, the last by sort key first, and where the next one begins */
  newest(
    pk: string,
    page: { readonly most: number; readonly before?: string | undefined },
  ): Promise<{ readonly rows: readonly Pick<Row, 'sk' | 'data'>[]; readonly next: string | undefined }>
  /** @returns false, and changes nothing, when the condition does not hold */
  write(write: Write): Promise<boolean>
  /** Adds 1 to a number of the row's data, which begins with 0. @returns its new value */
  add(key: Key, name: string): Promise<number>
  /**
   * All or nothing.
   * @returns false when a condition does not hold; throws `StoreConflict` when others were always in the way.
   */
  writeAll(writes: readonly Write[]): Promise<boolean>
}

const transactionTries = 6

export function createDynamoTable({ documents, table, clock, random }: DynamoTableOptions): DynamoTable {
  return {
    async get(key) {
      const { pk, sk } = key
      const answer = await documents.send(
        new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }),
      )
      return dataOf(answer.Item)
    },

    async query(pk, most = Number.POSITIVE_INFINITY) {
      const found: Pick<Row, 'sk' | 'data'>[] = []
      let from: Record<string, unknown> | undefined
      do {
        const page = await documents.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': pk },
            ConsistentRead: true,
            ...(Number.isFinite(most) && { Limit: most - found.length }),
            ...(from && { ExclusiveStartKey: from }),
          }),
        )
        for (const item of page.Items ?? []) found.push({ sk: String(item['sk']), data: dataOf(item) })
        from = page.LastEvaluatedKey
      } while (from && found.length < most)
      return found
    },

    newest: (pk, page) => newestRows(documents, table, pk, page),

    async write(write) {
      const input = { TableName: table, ...conditionOf(write) }
      try {
        if ('check' in write) throw new Error('a check alone changes nothing')
        if ('put' in write) await documents.send(new PutCommand({ ...input, Item: { ...write.put } }))
        else if ('once' in write)
          await documents.send(new UpdateCommand({ TableName: table, ...onceOf(write.once) }))
        else if ('update' in write)
          await documents.send(new UpdateCommand({ TableName: table, ...updateOf(write) }))
        else await documents.send(new DeleteCommand({ ...input, Key: { ...write.delete } }))
        return true
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false
        throw error
      }
    },

    add: (key, name) => addOne(documents, table, key, name),

    async writeAll(writes) {
      const items = writes.map((write) => {
        const input = { TableName: table, ...conditionOf(write) }
        if ('put' in write) return { Put: { ...input, Item: { ...write.put } } }
        if ('once' in write) return { Update: { TableName: table, ...onceOf(write.once) } }
        if ('update' in write) return { Update: { TableName: table, ...updateOf(write) } }
        if ('delete' in write) return { Delete: { ...input, Key: { ...write.delete } } }
        return { ConditionCheck: { TableName: table, ...checkOf(write.condition), Key: { ...write.check } } }
      })
      for (let attempt = 1; attempt <= transactionTries; attempt += 1) {
        const result = await tryTransaction(documents, items)
        if (result !== 'contended') return result === 'written'
        await clock.sleep(random() * 50 * 2 ** attempt)
      }
      throw new StoreConflict(`other writers were in the way ${transactionTries} times: try again`)
    },
  }
}

async function newestRows(
  documents: DynamoDBDocumentClient,
  table: string,
  pk: string,
  { most, before }: Parameters<DynamoTable['newest']>[1],
): ReturnType<DynamoTable['newest']> {
  const answer = await documents.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: before === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :before',
      ExpressionAttributeValues: { ':pk': pk, ...(before !== undefined && { ':before': before }) },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: most,
    }),
  )
  const rows = (answer.Items ?? []).map((item) => ({ sk: String(item['sk']), data: dataOf(item) }))
  return { rows, next: answer.LastEvaluatedKey && rows.at(-1)?.sk }
}

async function addOne(
  documents: DynamoDBDocumentClient,
  table: string,
  { pk, sk }: Key,
  name: string,
): Promise<number> {
  try {
    // Nothing can be added to what is not there.
    const first = { TableName: table, Item: { pk, sk, data: { [name]: 0 } } }
    await documents.send(new PutCommand({ ...first, ConditionExpression: 'attribute_not_exists(pk)' }))
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
  }
  const answer = await documents.send(
    new UpdateCommand({
      TableName: table,
      Key: { pk, sk },
      // ADD takes top-level attributes only.
      UpdateExpression: 'SET #data.#name = #data.#name + :one',
      ExpressionAttributeNames: { '#data': 'data', '#name': name },
      ExpressionAttributeValues: { ':one': 1 },
      ReturnValues: 'ALL_NEW',
    }),
  )
  return Number((dataOf(answer.Attributes) as Record<string, unknown> | undefined)?.[name])
}

async function tryTransaction(
  documents: DynamoDBDocumentClient,
  items: TransactWriteCommandInput['TransactItems'],
) {
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: items }))
    return 'written'
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error
    const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code)
    if (codes.includes('ConditionalCheckFailed')) return 'refused'
    if (codes.some((code) => code === 'TransactionConflict' || code === 'ThrottlingError')) return 'contended'
    throw error
  }
}

function dataOf(item: Record<string, unknown> = {}): unknown {
  const { data } = item
  return data
}

function updateOf({ update, set, condition }: Extract<Write, { readonly update: Key }>) {
  const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } = checkOf(condition)
  const fields = Object.entries(set)
  return {
    Key: { ...update },
    UpdateExpression: `SET ${fields.map(([name]) => `#data.#${name} = :new_${name}`).join(', ')}`,
    ConditionExpression,
    ExpressionAttributeNames: {
      ...ExpressionAttributeNames,
      '#data': 'data',
      ...Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ...ExpressionAttributeValues,
      ...Object.fromEntries(fields.map(([name, value]) => [`:new_${name}`, value])),
    },
  }
}

function onceOf({ pk, sk, data, expiresAt }: Row) {
  const fields = Object.entries({ data, expiresAt }).filter(([, value]) => value !== undefined)
  return {
    Key: { pk, sk },
    UpdateExpression: `SET ${fields.map(([name]) => `#${name} = if_not_exists(#${name}, :${name})`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
  }
}

function conditionOf({ condition }: Write) {
  return condition ? checkOf(condition) : {}
}

function checkOf(condition: Condition) {
  const names = new Set(condition.expression.match(/#\w+/g))
  const values = Object.entries(condition.values ?? {})
  return {
    ConditionExpression: condition.expression.replace(/#\w+/g, '#data.$&'),
    ...(names.size > 0 && {
      ExpressionAttributeNames: {
        '#data': 'data',
        ...Object.fromEntries([...names].map((name) => [name, name.slice(1)])),
      },
    }),
    ...(values.length > 0 && {
      ExpressionAttributeValues: Object.fromEntries(values.map(([name, value]) => [`:${name}`, value])),
    }),
  }
}
