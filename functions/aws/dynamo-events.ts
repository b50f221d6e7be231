import type { KeptEvent } from '../ports/events.ts'
import type { Store } from '../ports/store.ts'
import type { DynamoTable, Key, Write } from './dynamo-table.ts'
import { keptEventRow, parseRows } from './rows.ts'

const keptSeconds = 14 * 86_400

const partition = 'EVENTS'
const keyOf = ({ at, id }: KeptEvent): Key => ({ pk: partition, sk: `${String(at).padStart(15, '0')}#${id}` })

/** The write that keeps an event, also for the transaction of what it tells of. */
export function keeping(kept: KeptEvent): Write {
  return { put: { ...keyOf(kept), data: kept, expiresAt: Math.ceil(kept.at / 1000) + keptSeconds } }
}

/** Events that are not published yet. */
export function dynamoEvents(table: DynamoTable): Pick<Store, 'keepEvent' | 'keptEvents' | 'dropKeptEvent'> {
  return {
    async keepEvent(kept) {
      await table.write(keeping(kept))
    },
    async keptEvents(most) {
      for (let rowsAtMost = most; ; rowsAtMost *= 2) {
        const rows = await table.query(partition, rowsAtMost)
        const { read, unread } = parseRows(keptEventRow, rows, partition)
        // Rows that can't be read stay, and are the oldest ones in the end.
        if (read.length >= most || rows.length < rowsAtMost) return { events: read.slice(0, most), unread }
      }
    },
    async dropKeptEvent(kept) {
      await table.write({ delete: keyOf(kept) })
    },
  }
}
