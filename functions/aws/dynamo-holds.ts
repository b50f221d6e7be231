import { holdChange } from '../control/change.ts'
import { StoreConflict } from '../control/errors.ts'
import { type Hold, type HoldSource, isByChoice, type Subject } from '../control/hold.ts'
import type { Store } from '../ports/store.ts'
import { opening } from './dynamo-changes.ts'
import type { Condition, DynamoTable, Key, Write } from './dynamo-table.ts'
import { holdRow, parseAnswer } from './rows.ts'

/**
 * Long after the last message about it can come: EventBridge and the queues keep none for more than 14 days.
 */
const tombstoneSeconds = 30 * 86_400

/**
 * The instance's launch time may not be known when its hold is placed; the `order` tells one life from
 * another.
 */
function keyOf(source: HoldSource, id: string, subject: Subject): string {
  return `${source}#${id}#${subject.kind === 'uri' ? subject.uri : subject.instanceId}`
}
/** A release before 0.2 wrote every hold under it. */
function formerKeyOf(source: HoldSource, id: string, subject: Subject): string {
  const whose = subject.kind === 'uri' ? subject.uri : `${subject.instanceId}@${subject.launchedAt}`
  return `${source}#${id}#${whose}`
}
const copyKey = (key: string): Key => ({ pk: 'HOLDS', sk: key })
const truthKey = (key: string): Key => ({ pk: `HOLD#${key}`, sk: 'HOLD' })

/**
 * Of an alarm's or operator's hold, whose subject may be another one by the time an older request is done.
 */
export const seenKey = ({ source, id }: Pick<Hold, 'source' | 'id'>): Key => ({
  pk: `${source.toUpperCase()}#${id}`,
  sk: 'SEEN',
})

/** No row is there, or none that is later. */
export function notAfter(order: string): Condition {
  return { expression: 'attribute_not_exists(pk) OR #order <= :order', values: { order } }
}

/**
 * Each hold is one row, placed or lifted, that decides by `order`. While it is in force, a copy stands in the
 * one partition that `holds()` reads, in the same transaction: so the tombstones of a month are never read to
 * find the few that count. Only a lifted hold has a TTL: no hold ends because a row expired.
 * @param filled what was read and is filled in: each filling adds an address or a URI, or is the same
 */
export function writesOf(hold: Hold, filled?: Hold): Write[] {
  const key = keyOf(hold.source, hold.id, hold.subject)
  const over = hold.lifted !== undefined
  const copy = copyKey(key)
  const former = formerKeyOf(hold.source, hold.id, hold.subject)
  const formerRows = over && former !== key ? [truthKey(former), copyKey(former)] : []
  const inForce = `#order = :order AND attribute_not_exists(#lifted)${filled ? ' AND #addresses = :addresses AND #uris = :uris' : ''}`
  const isRequested = !over && isByChoice(hold)
  return [
    {
      put: {
        ...truthKey(key),
        // A release before 0.2 reads no tombstone without it.
        data: over ? { ...hold, lifted: { ...hold.lifted, restored: true } } : hold,
        ...(over && { expiresAt: Math.ceil((hold.lifted?.at ?? 0) / 1000) + tombstoneSeconds }),
      },
      condition: {
        expression: `attribute_not_exists(pk) OR ${over ? '#order <= :order' : `#order < :order OR (${inForce})`}`,
        values: { order: hold.order, ...(filled && { addresses: filled.addresses, uris: filled.uris }) },
      },
    },
    over ? { delete: copy } : { put: { ...copy, data: hold } },
    ...formerRows.map((row) => ({ delete: row })),
    ...(isRequested ? [{ check: seenKey(hold), condition: notAfter(hold.order) }] : []),
  ]
}

/** That it is, as it was placed: neither lifted nor placed anew. */
export function inForce({ source, id, subject, order }: Hold): Write {
  return {
    check: truthKey(keyOf(source, id, subject)),
    condition: { expression: '#order = :order AND attribute_not_exists(#lifted)', values: { order } },
  }
}

/** That nothing as late was placed or lifted, and nothing later requested. */
export function checksOf(hold: Hold): Write[] {
  const { source, id, subject, order } = hold
  const earlier = { expression: 'attribute_not_exists(pk) OR #order < :order', values: { order } }
  return [
    { check: truthKey(keyOf(source, id, subject)), condition: earlier },
    { check: seenKey(hold), condition: notAfter(order) },
  ]
}

/** As long as a queue keeps a message. */
const endedSeconds = 14 * 86_400
const endedOf = (order: string) => `ENDED#${order}`

/** What a message has lifted, or dropped before it began, is found by the order of that message. */
export function endedBy(order: string, hold: Hold, at: number): Write {
  const sk = `${hold.lifted ? 'lifted' : 'dropped'}#${keyOf(hold.source, hold.id, hold.subject)}`
  return { put: { pk: endedOf(order), sk, data: hold, expiresAt: Math.ceil(at / 1000) + endedSeconds } }
}

type Holds = Pick<Store, 'holds' | 'hold' | 'putHold' | 'retire' | 'endedFor'>

export function dynamoHolds(table: DynamoTable): Holds {
  return {
    async holds() {
      const found = (await table.query('HOLDS')).map(({ data }) => parseAnswer(holdRow, data, 'HOLDS'))
      // A release before 0.2 kept lifted ones here until they were given back.
      return found.filter((hold) => !hold.lifted)
    },
    async hold(source, id, subject) {
      const keys = new Set([keyOf(source, id, subject), formerKeyOf(source, id, subject)])
      for (const key of keys) {
        const data = await table.get(truthKey(key))
        if (data !== undefined) return parseAnswer(holdRow, data, key)
      }
      return undefined
    },
    async putHold(hold, over) {
      const { order, lifted } = hold
      // A sender is whose message lifted it.
      const ended = lifted?.sender ? [endedBy(order, hold, lifted.at)] : []
      const writes = over ? writesOf(hold, over) : [...writesOf(hold), opening(holdChange(hold)), ...ended]
      return (await table.writeAll(writes)) ? 'written' : 'stale'
    },
    async retire(lifted, mark) {
      const writes = [...writesOf(lifted), ...writesOf(mark), opening(holdChange(mark))]
      if (!(await table.writeAll(writes)))
        throw new StoreConflict(`hold ${lifted.id} was written later: read it again`)
    },
    async endedFor(order) {
      const pk = endedOf(order)
      return (await table.query(pk)).map(({ data }) => parseAnswer(holdRow, data, pk))
    },
  }
}
