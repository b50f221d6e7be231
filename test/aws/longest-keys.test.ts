import { expect, test } from 'vitest'
import { dynamoClearance } from '../../functions/aws/dynamo-clearance.ts'
import { dynamoHolds } from '../../functions/aws/dynamo-holds.ts'
import { dynamoOutcomes } from '../../functions/aws/dynamo-outcomes.ts'
import type { DynamoTable, Key, Write } from '../../functions/aws/dynamo-table.ts'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { parseCommand } from '../../functions/contracts/command.ts'
import { alarmHold } from '../../functions/control/alarm.ts'
import type { ChosenHold } from '../../functions/control/drain.ts'
import { InvalidMessage } from '../../functions/control/errors.ts'
import { holdKey, orderOf, type Subject } from '../../functions/control/hold.ts'
import { longestAlarmName, longestKeyOf, refuseLongKey } from '../../functions/control/longest-key.ts'
import { ownHoldId } from '../../functions/intake/operator-hold.ts'
import { message } from '../contracts/event-files.ts'
import { aHold, aKeptEvent, uri } from '../port-contracts/store-samples.ts'
import { command } from '../world/samples.ts'

/** What DynamoDB takes as a sort key, and as a partition key, in bytes. */
const [mostSort, mostPartition] = [1024, 2048]

const drainOf = (destination: string, requestedBy: string) =>
  parseCommand(JSON.stringify(command('command-drain-destination', { destination, requestedBy })))
const named = (length: number) => `sip:${'a'.repeat(length - 4)}`

function keyOf(write: Write): Key {
  if ('put' in write) return write.put
  if ('delete' in write) return write.delete
  if ('update' in write) return write.update
  return 'once' in write ? write.once : write.check
}

/** Keeps the key of each row that is written. */
function tableWith(keys: Key[]): DynamoTable {
  return {
    ...{ get: async () => undefined, query: async () => [], add: async () => 1 },
    newest: async () => ({ rows: [], next: undefined }),
    async write(write) {
      keys.push(keyOf(write))
      return true
    },
    async writeAll(writes) {
      keys.push(...writes.map(keyOf))
      return true
    },
  }
}

const at = 1_795_000_000_000
const order = orderOf(at, '0'.repeat(20))

function longestOfAnOperator(): ChosenHold {
  const { requestedBy: who } = drainOf(named(345), 'é'.repeat(128))
  const subject = { kind: 'uri' as const, uri: uri(named(345)) }
  const target = { subject, uris: [subject.uri], addresses: [], wholeInstance: false, readouts: [] }
  const { shownAt: _, ...held } = aHold(ownHoldId(target, who), { subject, uris: target.uris, who, order })
  return { ...held, source: 'operator', until: 1 }
}

/** An event of a series whose attributes have so many bytes with the alarm's name. */
function alarmOf(bytes: number, id?: string) {
  const event = JSON.parse(message('alarm-contributor-alarm'))
  const alarmName = 'é'.repeat(255)
  const attributes = { a: 'b'.repeat(bytes - Buffer.byteLength(`${alarmName}[["a",""]]`)) }
  Object.assign(event.detail, {
    alarmName,
    alarmContributor: { ...(id !== undefined && { id }), attributes },
  })
  return parseAlarmMessage(JSON.stringify(event))
}

/** @param on the length of its URI, or a machine */
function longestOfAnAlarm(on: number | string): ChosenHold {
  const { alarmName, series } = alarmOf(longestAlarmName)
  const { holdId, who } = alarmHold(alarmName, series)
  const subject: Subject =
    typeof on === 'string'
      ? { kind: 'instance', instanceId: on, launchedAt: 0 }
      : { kind: 'uri', uri: uri(named(on)) }
  const { shownAt: _, ...held } = aHold(holdId, { subject, uris: [], who, order })
  return { ...held, source: 'alarm', until: 1 }
}

test.each([
  ['destination by the longest name', longestOfAnOperator()],
  ['name of an alarm and series', longestOfAnAlarm(92)],
  ['name of an alarm and series, on a machine', longestOfAnAlarm('i-1234567890abcdef0')],
])('each row of the longest %s has a key that DynamoDB takes, the longest as foretold', async (_, hold) => {
  expect(() => refuseLongKey(hold)).not.toThrow()
  const keys: Key[] = []
  const table = tableWith(keys)
  const clearance = dynamoClearance(table)
  const waiting = { hold, since: 1 }
  await clearance.putWaiting(waiting)
  await clearance.placeWaiting(waiting, { name: '/clearance', generation: 1 })
  await clearance.dropWaiting(waiting, { at, by: hold.who, order }, aKeptEvent('e'))
  await dynamoHolds(table).putHold({ ...hold, lifted: { at, by: hold.who, sender: { id: 's' } } })
  const clock = { now: () => at, sleep: async () => undefined }
  const id = `${'c'.repeat(128)}/${holdKey(hold)}`
  await dynamoOutcomes(table, clock).putPendingOutcome({ id, command: 'c', since: 1, hold, edges: [], at })
  expect(keys.length).toBeGreaterThan(10)
  const bytes = (part: 'pk' | 'sk') => Math.max(...keys.map((key) => Buffer.byteLength(key[part])))
  expect(bytes('sk')).toBe(longestKeyOf(hold))
  expect(bytes('sk')).toBeLessThanOrEqual(mostSort)
  expect(bytes('pk')).toBeLessThanOrEqual(mostPartition)
})

test('a URI that is one byte too long beside the longest name of an alarm and series has its hold refused', () => {
  expect(() => refuseLongKey(longestOfAnAlarm(93))).toThrow(InvalidMessage)
})

test('a series with a longer name goes by its id, and is refused in words where it has none', () => {
  expect(alarmOf(881, 'x').series).toBe('x')
  expect(() => alarmOf(881)).toThrow(InvalidMessage)
  expect(() => alarmOf(881)).toThrow('880 bytes in UTF-8')
})

test.each([
  ['destination', named(346), 'alice', 'destination: '],
  ['destination of more bytes than characters', `sip:${'é'.repeat(200)}@a`, 'alice', '345 bytes in UTF-8'],
  ['name', named(20), 'a'.repeat(257), 'requestedBy: '],
  ['name of more bytes than characters', named(20), '替'.repeat(90), '256 bytes in UTF-8'],
])('a %s that is too long for a key is refused in words', (_, destination, who, words) => {
  expect(() => drainOf(destination, who)).toThrow(InvalidMessage)
  expect(() => drainOf(destination, who)).toThrow(words)
})
