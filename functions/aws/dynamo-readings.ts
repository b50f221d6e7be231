import * as z from 'zod'
import { UnexpectedAnswer } from '../control/errors.ts'
import { clocksApartMs } from '../control/observation.ts'
import { notReadYet, type StoredHead, type UnreadRow } from '../control/reading.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { edgeKey } from './dynamo-edges.ts'
import { edgesPartitions, leaseKey, leaseName, longestRunMs, noLease, under } from './dynamo-leases.ts'
import type { Condition, DynamoTable, Key, Row, Write } from './dynamo-table.ts'
import { inParallel } from './in-parallel.ts'
import { packed, unpacked } from './packed.ts'
import {
  edgeHeadRow,
  inventoryRow,
  listingRow,
  machinesRow,
  readingRow,
  toListingRow,
  toReadingRow,
} from './reading-rows.ts'
import { parseAnswer } from './rows.ts'

const machinesKey: Key = { pk: 'MACHINES', sk: 'READING' }
const inventoryKey: Key = { pk: 'INVENTORY', sk: 'INSTANCES' }
const inventoryHead: Key = { pk: 'INVENTORY', sk: 'ASKED' }

type Readings = Pick<Store, 'edgeHeads' | 'addEdgeHead' | 'reading' | 'listing' | 'putReading'>
type Machines = Pick<Store, 'inventory' | 'inventoryAskedAt' | 'putInventory' | 'machines' | 'putMachines'>

/**
 * What was read of edges. Heads are small and not packed, in few partitions: who waits for a
 * reading polls these, and fetches only the readings that it needs. Each is in the item of its edge's lease:
 * a transaction that writes it needs no check of another item.
 */
export function dynamoReadings(table: DynamoTable, clock: Clock): Readings {
  return {
    async edgeHeads() {
      const rows = await inParallel(edgesPartitions, (partition) => table.query(partition))
      return rows
        .flat()
        .map((row) => headOf(row, clock.now()))
        .sort((a, b) => (a.edge < b.edge ? -1 : 1))
    },
    async addEdgeHead(head) {
      const { edge } = head
      await table.write({
        put: { ...leaseKey(edge), data: { ...noLease, head } },
        condition: { expression: 'attribute_not_exists(pk)' },
      })
    },
    async reading(edge) {
      const key = edgeKey(edge, 'READING')
      return timely(own(await readable(table, readingRow, key), edge, key), key, clock)
    },
    async listing(edge) {
      const key = edgeKey(edge, 'LISTING')
      return own(await readable(table, listingRow, key), edge, key)
    },
    async putReading(generation, { head, reading, listing }) {
      const { edge } = head
      const put = (sk: 'READING' | 'LISTING', value: unknown): Write[] =>
        value === undefined ? [] : [{ put: { ...edgeKey(edge, sk), data: packed(value) } }]
      const headIn = { update: leaseKey(edge), set: { head }, condition: under(generation) }
      const others = [
        ...put('READING', reading && toReadingRow(reading)),
        ...put('LISTING', listing && toListingRow(listing)),
      ]
      const written = await (others.length > 0 ? table.writeAll([headIn, ...others]) : table.write(headIn))
      return written ? 'written' : 'lost'
    },
  }
}

/** What was read of machines. */
export function dynamoMachines(table: DynamoTable, clock: Clock): Machines {
  return {
    inventory: () => read(table, inventoryRow, inventoryKey),
    async inventoryAskedAt() {
      const data = await table.get(inventoryHead)
      const known = asked.safeParse(data).data
      return known && !isAhead(known.askedAt, clock.now()) ? known.askedAt : undefined
    },
    async putInventory(inventory) {
      const { askedAt } = inventory
      await table.writeAll([
        { put: { ...inventoryHead, data: { askedAt } }, condition: notAskedAfter(askedAt) },
        { put: { ...inventoryKey, data: packed(inventory) } },
      ])
    },

    machines: async () => timely(await readable(table, machinesRow, machinesKey), machinesKey, clock),
    async putMachines(reading) {
      const { askedAt } = reading
      await table.write({
        put: { ...machinesKey, data: { ...packed(reading), askedAt } },
        condition: notAskedAfter(askedAt),
      })
    },
  }
}

async function read<T>(table: DynamoTable, schema: z.ZodType<T>, key: Key): Promise<T | undefined> {
  const data = await table.get(key)
  return data === undefined ? undefined : unpacked(schema, data, `${key.pk}/${key.sk}`)
}

async function readable<T>(
  table: DynamoTable,
  schema: z.ZodType<T>,
  key: Key,
): Promise<T | UnreadRow | undefined> {
  try {
    return await read(table, schema, key)
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return { unread: `${error.name}: ${error.message}` }
    throw error
  }
}

function asUnread(key: Key, what: string): UnreadRow {
  return { unread: `${key.pk}/${key.sk} ${what}` }
}

/** What names another edge than its row is no edge's. */
function own<T extends { readonly edge: string }>(found: T | UnreadRow | undefined, edge: string, key: Key) {
  return found && 'edge' in found && found.edge !== edge ? asUnread(key, `names ${found.edge}`) : found
}

function timely<T extends { readonly askedAt: number }>(
  found: T | UnreadRow | undefined,
  key: Key,
  clock: Clock,
) {
  return found && 'askedAt' in found && isAhead(found.askedAt, clock.now()) ? asUnread(key, notYet) : found
}

/** Of a time that has not come yet (epoch ms): believed, it would keep everybody from asking until then. */
const isAhead = (at: number, now: number) => at > now + clocksApartMs
const notYet = 'is of a time that has not come yet'
const asked = z.object({ askedAt: z.number() })
/**
 * Nobody asked for it after that (epoch ms): what is there was asked for before, is nonsense, or is of a time
 * that no run that began by then lives to see.
 */
function notAskedAfter(askedAt: number): Condition {
  return {
    expression: 'NOT attribute_type(#askedAt, :number) OR #askedAt <= :askedAt OR #askedAt > :never',
    values: { askedAt, number: 'N', never: askedAt + longestRunMs },
  }
}

const edgeRow = z.object({ head: edgeHeadRow.exactOptional() })
const leaseIn = z.object({ until: z.number() })

/**
 * Every row is an edge that looks have to know of. What can't be read, or is not there yet, is the head of
 * one that nobody has read: it keeps no other from being known, and the next settle writes it anew.
 */
function headOf({ sk: edge, data }: Omit<Row, 'pk'>, now: number): StoredHead {
  const lease = leaseIn.safeParse(data).data
  const leased = lease && lease.until > 0 && { leasedUntil: lease.until }
  const unread = (reason: string, passes: boolean): StoredHead => ({
    ...{ edge, wanted: -1, askedAt: 0 },
    unreadable: { since: 0, at: 0, reason, passes },
    ...leased,
  })
  const key = leaseName(edge)
  try {
    const { head } = parseAnswer(edgeRow, data, key)
    if (head === undefined) return unread(notReadYet, true)
    if (head.edge !== edge) return unread(`${key} names ${head.edge}`, false)
    return isAhead(Math.max(head.askedAt, head.unreadable?.at ?? 0), now)
      ? unread(`${key} ${notYet}`, false)
      : { ...head, ...leased }
  } catch (error) {
    if (!(error instanceof UnexpectedAnswer)) throw error
    return unread(error.message, false)
  }
}
