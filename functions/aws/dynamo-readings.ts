import * as z from 'zod'
import { UnexpectedAnswer } from '../control/errors.ts'
import type { EdgeHead, UnreadRow } from '../control/reading.ts'
import type { Store } from '../use-cases/ports.ts'
import { edgeKey, edgesPartition, leaseKey, noLease, under } from './dynamo-edges.ts'
import type { DynamoTable, Key, Write } from './dynamo-table.ts'
import { packed, unpacked } from './packed.ts'
import { edgeHeadRow, inventoryRow, listingRow, machinesRow, readingRow } from './reading-rows.ts'
import { parseAnswer } from './rows.ts'

const machinesKey: Key = { pk: 'MACHINES', sk: 'READING' }
const inventoryKey: Key = { pk: 'INVENTORY', sk: 'INSTANCES' }
const inventoryHead: Key = { pk: 'INVENTORY', sk: 'ASKED' }

type Readings = Pick<
  Store,
  | 'edgeHeads'
  | 'addEdgeHead'
  | 'reading'
  | 'listing'
  | 'putReading'
  | 'inventory'
  | 'inventoryAskedAt'
  | 'putInventory'
  | 'machines'
  | 'putMachines'
>

/**
 * What was read of edges and machines. Heads are small and not packed, in one partition: who waits for a reading polls one query, and fetches
 * only the readings that it needs. Each is in the item of its edge's lease: a transaction that writes it needs no check of another item.
 */
export function dynamoReadings(table: DynamoTable): Readings {
  async function read<T>(schema: z.ZodType<T>, key: Key): Promise<T | undefined> {
    const data = await table.get(key)
    return data === undefined ? undefined : unpacked(schema, data, `${key.pk}/${key.sk}`)
  }
  async function readable<T>(schema: z.ZodType<T>, key: Key): Promise<T | UnreadRow | undefined> {
    try {
      return await read(schema, key)
    } catch (error) {
      if (error instanceof UnexpectedAnswer) return { unread: `${error.name}: ${error.message}` }
      throw error
    }
  }

  return {
    edgeHeads: async () => (await table.query(edgesPartition)).flatMap(headOf),
    async addEdgeHead(head) {
      const { edge } = head
      await table.write({
        put: { ...leaseKey(edge), data: { ...noLease, head } },
        condition: { expression: 'attribute_not_exists(pk)' },
      })
    },
    reading: (edge) => readable(readingRow, edgeKey(edge, 'READING')),
    listing: (edge) => readable(listingRow, edgeKey(edge, 'LISTING')),
    async putReading(generation, { head, reading, listing }) {
      const { edge } = head
      const put = (sk: 'READING' | 'LISTING', value: unknown): Write[] =>
        value === undefined ? [] : [{ put: { ...edgeKey(edge, sk), data: packed(value) } }]
      const written = await table.writeAll([
        { update: leaseKey(edge), set: { head }, condition: under(generation) },
        ...put('READING', reading),
        ...put('LISTING', listing),
      ])
      return written ? 'written' : 'lost'
    },

    inventory: () => read(inventoryRow, inventoryKey),
    async inventoryAskedAt() {
      const data = await table.get(inventoryHead)
      return data === undefined ? undefined : parseAnswer(asked, data, inventoryHead.pk).askedAt
    },
    async putInventory(inventory) {
      const { askedAt } = inventory
      await table.writeAll([
        {
          put: { ...inventoryHead, data: { askedAt } },
          condition: {
            expression: 'attribute_not_exists(pk) OR #askedAt <= :askedAt',
            values: { askedAt },
          },
        },
        { put: { ...inventoryKey, data: packed(inventory) } },
      ])
    },

    machines: () => read(machinesRow, machinesKey),
    async putMachines(reading) {
      const { askedAt } = reading
      await table.write({
        put: { ...machinesKey, data: { ...packed(reading), askedAt } },
        condition: {
          expression: 'attribute_not_exists(pk) OR #askedAt <= :askedAt',
          values: { askedAt },
        },
      })
    },
  }
}

const asked = z.object({ askedAt: z.number() })
/** A lease whose edge nobody has read yet has no head. */
const edgeRow = z.object({ generation: z.unknown(), head: edgeHeadRow.exactOptional() })

/** What can't be read is the head of an edge that nobody has read: it keeps no other from being known, and the next settle writes it anew. */
function headOf({ sk: edge, data }: { readonly sk: string; readonly data: unknown }): EdgeHead[] {
  try {
    const { head } = parseAnswer(edgeRow, data, `${edgesPartition}/${edge}`)
    return head === undefined ? [] : [head]
  } catch (error) {
    if (!(error instanceof UnexpectedAnswer)) throw error
    const unreadable = { since: 0, at: 0, reason: error.message, passes: false }
    return [{ edge, wanted: -1, askedAt: 0, unreadable }]
  }
}
