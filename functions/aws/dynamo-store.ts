import type { KeptEvent, Store } from '../use-cases/ports.ts'
import { dynamoEdges } from './dynamo-edges.ts'
import { dynamoHolds } from './dynamo-holds.ts'
import { dynamoRounds } from './dynamo-rounds.ts'
import { createDynamoTable, type DynamoTableOptions, type Key } from './dynamo-table.ts'
import { drainRow, keptEventRow, outcomeRow, parseAnswer, releaseRow } from './rows.ts'

const day = 86_400
/** As long as the name of a finished execution stays taken. */
const endedDrainSeconds = 90 * day
const commandSeconds = 14 * day
const alarmSeconds = 30 * day
const keptEventSeconds = 14 * day
const endedReleaseSeconds = 30 * day

const drainKey = (id: string): Key => ({ pk: `DRAIN#${id}`, sk: 'RECORD' })
const commandKey = (id: string): Key => ({ pk: `COMMAND#${id}`, sk: 'OUTCOME' })
const leaseKey = (name: string): Key => ({ pk: `LEASE#${name}`, sk: 'HOLDER' })
const keptEvents = 'EVENTS'
const keptKey = ({ at, id }: KeptEvent): Key => ({
  pk: keptEvents,
  sk: `${String(at).padStart(15, '0')}#${id}`,
})

/**
 * The store in one DynamoDB table. Rows are `{pk, sk, data, expiresAt?}`; reads are consistent; what is read is parsed
 * (`UnexpectedAnswer`).
 *
 * | row                    | pk                                | sk                         | expires                      |
 * |------------------------|-----------------------------------|----------------------------|------------------------------|
 * | hold, placed or lifted | `HOLD#<source>#<id>#<subject>`    | `HOLD`                     | lifted: 30 days after it     |
 * | hold in force, a copy  | `HOLDS`                           | `<source>#<id>#<subject>`  | never                        |
 * | drain record           | `DRAIN#<id>`                      | `RECORD`                   | ended: 90 days               |
 * | changes of what is wanted, counted | `WANTED`              | `COUNTER`                  | never                        |
 * | an edge's lease        | `EDGE#<edge>`                     | `LEASE`                    | never                        |
 * | what is on record of it | `EDGE#<edge>`                    | `RECORDS`                  | never                        |
 * | what was found on it last | `EDGE#<edge>`                  | `SETTLED`                  | never                        |
 * | alarm, newest seen     | `ALARM#<key>`                     | `SEEN`                     | 30 days                      |
 * | command's outcome      | `COMMAND#<id>`                    | `OUTCOME`                  | 14 days                      |
 * | event that was refused | `EVENTS`                          | `<time>#<id>`              | 14 days                      |
 * | release of an edge     | `RELEASES`                        | `<edge>`                   | ended: 30 days               |
 * | latest round's id      | `ROUND`                           | `LATEST/2`                 | never                        |
 * | one edge of a round    | `ROUND#<id>`                      | `<edge>`                   | 1 hour                       |
 * | the rest of a round    | `ROUND#<id>`                      | `/`                        | 1 hour                       |
 * | last good edges        | `FLEET`                           | `LAST_GOOD`                | never                        |
 * | lease                  | `LEASE#<name>`                    | `HOLDER`                   | 1 day after it ends          |
 *
 * `<subject>` is the URI, or `<instance id>@<launch time in epoch ms>`.
 */
export function createDynamoStore(options: DynamoTableOptions): Store {
  const table = createDynamoTable(options)
  const { clock } = options
  const inSeconds = (seconds: number) => Math.ceil(clock.now() / 1000) + seconds

  return {
    ...dynamoHolds(table),
    ...dynamoRounds(table, clock),
    ...dynamoEdges(table),

    async drain(id) {
      const data = await table.get(drainKey(id))
      return data === undefined ? undefined : parseAnswer(drainRow, data, `DRAIN#${id}`)
    },
    async putDrain(record) {
      const written = await table.write({
        put: {
          ...drainKey(record.id),
          data: record,
          ...(record.state === 'ended' && { expiresAt: inSeconds(endedDrainSeconds) }),
        },
        condition:
          record.version === 1
            ? { expression: 'attribute_not_exists(pk)' }
            : { expression: '#version = :before', values: { before: record.version - 1 } },
      })
      return written ? 'written' : 'conflict'
    },

    async seeAlarm(key, order) {
      const newest = await table.write({
        put: { pk: `ALARM#${key}`, sk: 'SEEN', data: { order }, expiresAt: inSeconds(alarmSeconds) },
        condition: { expression: 'attribute_not_exists(pk) OR #order <= :order', values: { order } },
      })
      return newest ? 'newest' : 'stale'
    },

    async commandOutcome(commandId) {
      const data = await table.get(commandKey(commandId))
      return data === undefined ? undefined : parseAnswer(outcomeRow, data, `COMMAND#${commandId}`)
    },
    async putCommandOutcome(commandId, outcome) {
      await table.write({
        put: { ...commandKey(commandId), data: outcome, expiresAt: inSeconds(commandSeconds) },
      })
    },

    async keepEvent(kept) {
      await table.write({
        put: { ...keptKey(kept), data: kept, expiresAt: inSeconds(keptEventSeconds) },
      })
    },
    async keptEvents(most) {
      return (await table.query(keptEvents, most)).map((data) => parseAnswer(keptEventRow, data, keptEvents))
    },
    async dropKeptEvent(kept) {
      await table.write({ delete: keptKey(kept) })
    },

    async releases() {
      const found = (await table.query('RELEASES')).map((data) => parseAnswer(releaseRow, data, 'RELEASES'))
      return found.filter((release) => !release.ended)
    },
    async putRelease(release) {
      const written = await table.write({
        put: {
          ...{ pk: 'RELEASES', sk: release.edge, data: release },
          ...(release.ended && { expiresAt: inSeconds(endedReleaseSeconds) }),
        },
        condition: {
          expression: 'attribute_not_exists(pk) OR #order <= :order',
          values: { order: release.order },
        },
      })
      return written ? 'written' : 'stale'
    },

    takeLease: (name, owner, now, until) =>
      table.write({
        put: { ...leaseKey(name), data: { owner, until }, expiresAt: Math.ceil(until / 1000) + day },
        condition: {
          expression: 'attribute_not_exists(pk) OR #owner = :owner OR #until <= :now',
          values: { owner, now },
        },
      }),
    async releaseLease(name, owner) {
      await table.write({
        delete: leaseKey(name),
        condition: { expression: '#owner = :owner', values: { owner } },
      })
    },
  }
}
