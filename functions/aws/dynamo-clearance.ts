import { freezeChange, holdChange, supersededChange } from '../control/change.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import { type HoldName, holdKey } from '../control/hold.ts'
import type { Store } from '../ports/store.ts'
import { opening } from './dynamo-changes.ts'
import { keeping } from './dynamo-events.ts'
import { checksOf, endedBy, notAfter, writesOf } from './dynamo-holds.ts'
import { leaseKey, under } from './dynamo-leases.ts'
import type { Condition, DynamoTable, Key } from './dynamo-table.ts'
import { edgeLeaseRow } from './edge-rows.ts'
import { freezeRow, parseAnswer, parseRows, waitingRow } from './rows.ts'

const freezeKey: Key = { pk: 'FREEZE', sk: 'FREEZE' }
const waitingKey = ({ hold }: { readonly hold: HoldName }): Key => ({ pk: 'WAITING', sk: holdKey(hold) })
/** The row of this very request, or of an older one about the same hold. */
const waits = ({ hold }: WaitingDrain): Condition => ({
  expression: 'attribute_exists(pk) AND #order <= :order',
  values: { order: hold.order },
})
/** The row of this very request, and no other one. */
const isStill = ({ hold }: WaitingDrain): Condition => ({
  expression: 'attribute_exists(pk) AND #order = :order',
  values: { order: hold.order },
})
/** No row is there, or the one of this very request. */
const noOther = (order: string): Condition => ({
  expression: 'attribute_not_exists(pk) OR #order = :order',
  values: { order },
})

type Clearances = Pick<
  Store,
  'waiting' | 'waitingFor' | 'putWaiting' | 'markOverdue' | 'isStale' | 'dropWaiting' | 'placeWaiting'
>

/** What waits for clearance. */
export function dynamoClearance(table: DynamoTable): Clearances {
  const waitingFor = async (hold: HoldName) => {
    const data = await table.get(waitingKey({ hold }))
    return data === undefined ? undefined : parseAnswer(waitingRow, data, `WAITING/${holdKey(hold)}`)
  }
  return {
    async waiting() {
      const { read: drains, unread } = parseRows(waitingRow, await table.query('WAITING'), 'WAITING')
      return { drains, unread }
    },
    waitingFor,
    async putWaiting(waiting, over) {
      const { order } = waiting.hold
      const put = { ...waitingKey(waiting), data: { ...waiting, order } }
      const condition = over ? isStill(over.waiting) : noOther(order)
      const replaced = over
        ? [opening(supersededChange(over.waiting, over.superseded)), keeping(over.event)]
        : []
      const writes = [{ put, condition }, ...replaced, ...checksOf(waiting.hold)]
      if (await table.writeAll(writes)) return 'written'
      // One that can't be read is no later request: nobody knows what it asks for.
      await waitingFor(waiting.hold)
      return 'stale'
    },
    async markOverdue(waiting) {
      const { order } = waiting.hold
      const put = { ...waitingKey(waiting), data: { ...waiting, overduePublished: true, order } }
      await table.writeAll([{ put, condition: { expression: '#order = :order', values: { order } } }])
    },
    async isStale(hold) {
      const waiting = { check: waitingKey({ hold }), condition: notAfter(hold.order) }
      return !(await table.writeAll([waiting, ...checksOf(hold)]))
    },
    dropWaiting(waiting, superseded, event) {
      const { at, order } = superseded
      const drop = { delete: waitingKey(waiting), condition: waits(waiting) }
      return table.writeAll([
        ...[drop, opening(supersededChange(waiting, superseded)), keeping(event)],
        ...(order === undefined ? [] : [endedBy(order, waiting.hold, at)]),
      ])
    },
    async placeWaiting(waiting, { name, generation }, { at, replaces } = {}) {
      const hold = { ...waiting.hold, ...(replaces && { replaces }) }
      const placed = await table.writeAll([
        ...writesOf(hold),
        opening(holdChange(hold, at)),
        { delete: waitingKey(waiting), condition: waits(waiting) },
        { check: leaseKey(name), condition: under(generation) },
      ])
      if (placed) return 'written'
      const lease = parseAnswer(edgeLeaseRow, await table.get(leaseKey(name)), name)
      return lease.generation === generation ? 'stale' : 'lost'
    },
  }
}

/** Nothing is cleared while it is in force. */
export function dynamoFreeze(table: DynamoTable): Pick<Store, 'freeze' | 'putFreeze'> {
  return {
    async freeze() {
      const data = await table.get(freezeKey)
      return data === undefined ? undefined : parseAnswer(freezeRow, data, 'FREEZE')
    },
    async putFreeze(freeze) {
      const put = { ...freezeKey, data: freeze }
      const writes = [{ put, condition: notAfter(freeze.order) }, opening(freezeChange(freeze))]
      return (await table.writeAll(writes)) ? 'written' : 'stale'
    },
  }
}
