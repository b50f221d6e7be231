import { type Change, timeOf } from '../control/change.ts'
import type { ChangesOf, FiledChange } from '../control/filed-change.ts'
import { principalOf } from '../control/sender.ts'
import type { Changes } from '../ports/changes.ts'
import { changeRow, filedChangeRow } from './change-rows.ts'
import type { DynamoTable, Key, Write } from './dynamo-table.ts'
import { parseRows } from './rows.ts'

const keptSeconds = 90 * 86_400
const expiresAt = (at: number) => Math.ceil(at / 1000) + keptSeconds

const open = 'CHANGES'
const openKey = (id: string): Key => ({ pk: open, sk: id })

function partitionOf(of: ChangesOf): string {
  if ('day' in of) return `CHANGES#DAY#${of.day}`
  if ('sender' in of) return `CHANGES#SENDER#${of.sender}`
  return `CHANGES#DESTINATION#${of.destination}`
}

/** Of changes without a verified sender: Auto Scaling's, and what ended by itself. */
export const noSender = 'none'

/** Under what a change is filed. */
export function filedUnder({ at, sender, destinations }: FiledChange): ChangesOf[] {
  return [
    { day: new Date(at).toISOString().slice(0, 10) },
    { sender: sender ? principalOf(sender.id) : noSender },
    ...destinations.map((destination) => ({ destination })),
  ]
}

/** The write that opens a change, for the transaction of what it tells of. The same message opens it once. */
export function opening(change: Change): Write {
  return { once: { ...openKey(change.id), data: change, expiresAt: expiresAt(timeOf(change)) } }
}

/** What was changed, and by whom. */
export function dynamoChanges(table: DynamoTable): Changes {
  return {
    async putChange(change) {
      await table.write(opening(change))
    },
    async openChanges() {
      const { read: changes, unread } = parseRows(changeRow, await table.query(open), open)
      return { changes, unread }
    },
    async putShown(id, shown, filedAt) {
      await table.write({
        update: openKey(id),
        set: { shown, ...(filedAt !== undefined && { filedAt }) },
        condition: { expression: 'attribute_exists(pk)' },
      })
    },
    async fileChange(filed) {
      const { id, at, complete } = filed
      for (const of of filedUnder(filed))
        await table.write({
          put: { pk: partitionOf(of), sk: id, data: filed, expiresAt: expiresAt(at) },
          condition: { expression: 'attribute_not_exists(pk) OR #complete = :no', values: { no: false } },
        })
      if (complete) await table.write({ delete: openKey(id) })
    },
    async dropChange(id) {
      await table.write({ delete: openKey(id) })
    },
    async changes(of, page) {
      const pk = partitionOf(of)
      const { rows, next } = await table.newest(pk, page)
      const { read: changes, unread } = parseRows(filedChangeRow, rows, pk)
      return { changes, unread, ...(next !== undefined && { next }) }
    },
  }
}
