import { releaseChange } from '../control/change.ts'
import { type Drain, drainId } from '../control/drain.ts'
import type { Store } from '../ports/store.ts'
import { drainRow, toDrainRow } from './drain-row.ts'
import { dynamoChanges, opening } from './dynamo-changes.ts'
import { dynamoClearance, dynamoFreeze } from './dynamo-clearance.ts'
import { dynamoEdges } from './dynamo-edges.ts'
import { dynamoEvents } from './dynamo-events.ts'
import { dynamoHolds, inForce, notAfter, seenKey } from './dynamo-holds.ts'
import { dynamoLeases } from './dynamo-leases.ts'
import { dynamoOutcomes } from './dynamo-outcomes.ts'
import { dynamoMachines, dynamoReadings } from './dynamo-readings.ts'
import {
  createDynamoTable,
  type DynamoTableOptions,
  expiringFrom,
  type Key,
  type Write,
} from './dynamo-table.ts'
import { parseAnswer, releaseRow, seenRow } from './rows.ts'

const day = 86_400
/** As long as the name of a finished execution stays taken. */
const endedDrainSeconds = 90 * day
const seenSeconds = 30 * day
const endedReleaseSeconds = 30 * day

const drainKey = (id: string): Key => ({ pk: `DRAIN#${id}`, sk: 'RECORD' })

/**
 * The store in one DynamoDB table. Rows are `{pk, sk, data, expiresAt?}`; reads are consistent; what is read
 * is parsed (`UnexpectedAnswer`).
 *
 * | row                    | pk                                | sk                         | expires                      |
 * |------------------------|-----------------------------------|----------------------------|------------------------------|
 * | hold, placed or lifted | `HOLD#<source>#<id>#<subject>`    | `HOLD`                     | lifted: 30 days after it     |
 * | hold in force, a copy  | `HOLDS`                           | `<source>#<id>#<subject>`  | never                        |
 * | drain record           | `DRAIN#<id>`                      | `RECORD`                   | ended: 90 days               |
 * | changes of what is wanted, counted | `WANTED`              | `COUNTER`                  | never                        |
 * | an edge's lease, and what is known of it in short | `EDGES#<0-9>` | `<edge>`            | never                        |
 * | lease of another work  | `LEASE#<name>`                    | `LEASE`                    | 14 days                      |
 * | what is on record of it, packed | `EDGE#<edge>`            | `RECORDS`                  | never                        |
 * | what was read of it last, packed | `EDGE#<edge>`           | `READING`                  | never                        |
 * | what it lists and listed, packed | `EDGE#<edge>`           | `LISTING`                  | never                        |
 * | instances of our groups, packed | `INVENTORY`            | `INSTANCES`                | never                        |
 * | when EC2 was asked for them | `INVENTORY`                  | `ASKED`                    | never                        |
 * | what was read of machines, packed | `MACHINES`             | `READING`                  | never                        |
 * | newest request about an alarm's or operator's hold, and whether it lifts | `ALARM#<id>`, `OPERATOR#<id>` | `SEEN` | 30 days           |
 * | command's outcome      | `COMMAND#<id>`                    | `OUTCOME`                  | 14 days                      |
 * | all that it asked for  | `COMMAND#<id>`                    | `ASKED`                    | 14 days                      |
 * | what a dry run was of, and who has used it | `COMMAND#<id>` | `PLAN`                     | 14 days                      |
 * | command, in short      | `COMMANDS#<UTC day>`              | `<time>#<id>`              | 14 days                      |
 * | event that is not published yet | `EVENTS`                          | `<time>#<id>`              | 14 days                      |
 * | release of an edge     | `RELEASES`                        | `<edge>`                   | ended: 30 days               |
 * | drain by choice that waits for clearance | `WAITING`       | `<source>/<id>`            | never                        |
 * | what was lifted or dropped for a message | `ENDED#<order>` | `lifted#` or `dropped#`, then `<source>#<id>#<subject>` | 14 days |
 * | freeze, in force or ended | `FREEZE`                       | `FREEZE`                   | never                        |
 * | outcome that is pending | `PENDING`                         | `<id>`                     | 14 days                      |
 * | change that is not filed for good | `CHANGES`      | `<id>`                     | 90 days                      |
 * | change, filed          | `CHANGES#DAY#<UTC day>`, `CHANGES#DESTINATION#<URI or instance id>`, `CHANGES#SENDER#<id>` | `<id>` | 90 days |
 * | last good edges        | `FLEET`                           | `LAST_GOOD`                | never                        |
 *
 * `<subject>` is the URI or the instance's id.
 */
export function createDynamoStore(options: DynamoTableOptions): Store {
  const table = createDynamoTable(options)
  const { clock } = options
  const expiring = expiringFrom(clock)
  const writeOf = (drain: Drain): Write => ({
    put:
      drain.phase.name === 'ended'
        ? expiring(drainKey(drainId(drain)), toDrainRow(drain), endedDrainSeconds)
        : { ...drainKey(drainId(drain)), data: toDrainRow(drain) },
    condition:
      drain.version === 1
        ? { expression: 'attribute_not_exists(pk)' }
        : { expression: '#version = :before', values: { before: drain.version - 1 } },
  })

  return {
    ...dynamoHolds(table),
    ...dynamoClearance(table),
    ...dynamoFreeze(table),
    ...dynamoChanges(table),
    ...dynamoEvents(table),
    ...dynamoLeases(table),
    ...dynamoEdges(table),
    ...dynamoReadings(table, clock),
    ...dynamoMachines(table, clock),
    ...dynamoOutcomes(table, clock),

    async drain(id) {
      const data = await table.get(drainKey(id))
      return data === undefined ? undefined : parseAnswer(drainRow, data, `DRAIN#${id}`)
    },
    async putDrain(drain) {
      return (await table.write(writeOf(drain))) ? 'written' : 'conflict'
    },
    async beginDrain(drain) {
      return (await table.writeAll([writeOf(drain), inForce(drain.hold)])) ? 'written' : 'conflict'
    },

    async seeRequest(of, order, intent) {
      const newest = await table.write({
        put: expiring(seenKey(of), { order, intent }, seenSeconds),
        condition: notAfter(order),
      })
      if (newest) return 'newest'
      return parseAnswer(seenRow, await table.get(seenKey(of)), 'SEEN').intent
    },
    async seenRequest(of) {
      const data = await table.get(seenKey(of))
      return data === undefined ? undefined : parseAnswer(seenRow, data, 'SEEN')
    },

    async releases() {
      const found = (await table.query('RELEASES')).map(({ data }) =>
        parseAnswer(releaseRow, data, 'RELEASES'),
      )
      return found.filter((release) => !release.ended)
    },
    async putRelease(release) {
      const key = { pk: 'RELEASES', sk: release.edge }
      const put = release.ended ? expiring(key, release, endedReleaseSeconds) : { ...key, data: release }
      const written = await table.writeAll([
        { put, condition: notAfter(release.order) },
        opening(releaseChange(release)),
      ])
      return written ? 'written' : 'stale'
    },
  }
}
