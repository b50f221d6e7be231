import { expect, test } from 'vitest'
import { dynamoClearance } from '../../functions/aws/dynamo-clearance.ts'
import { dynamoHolds } from '../../functions/aws/dynamo-holds.ts'
import type { DynamoTable, Key, Write } from '../../functions/aws/dynamo-table.ts'
import { parseCommand } from '../../functions/contracts/command.ts'
import type { ChosenHold } from '../../functions/control/drain.ts'
import { InvalidMessage } from '../../functions/control/errors.ts'
import { orderOf } from '../../functions/control/hold.ts'
import { ownHoldId } from '../../functions/intake/operator-hold.ts'
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
    write: async () => true,
    async writeAll(writes) {
      keys.push(...writes.map(keyOf))
      return true
    },
  }
}

test('each row of the longest destination by the longest name has a key that DynamoDB takes', async () => {
  const { requestedBy: who } = drainOf(named(345), 'é'.repeat(128))
  const subject = { kind: 'uri' as const, uri: uri(named(345)) }
  const target = { subject, uris: [subject.uri], addresses: [], wholeInstance: false, readouts: [] }
  const order = orderOf(1_795_000_000_000, '0'.repeat(20))
  const { shownAt: _, ...held } = aHold(ownHoldId(target, who), { subject, uris: target.uris, who, order })
  const hold: ChosenHold = { ...held, source: 'operator', until: 1 }
  const keys: Key[] = []
  const table = tableWith(keys)
  const clearance = dynamoClearance(table)
  const waiting = { hold, since: 1 }
  await clearance.putWaiting(waiting)
  await clearance.placeWaiting(waiting, { name: '/clearance', generation: 1 })
  await clearance.dropWaiting(waiting, { at: 1_795_000_000_000, by: who, order }, aKeptEvent('e'))
  await dynamoHolds(table).putHold({
    ...hold,
    lifted: { at: 1_795_000_000_000, by: who, sender: { id: 's' } },
  })
  expect(keys.length).toBeGreaterThan(10)
  const bytes = (part: 'pk' | 'sk') => Math.max(...keys.map((key) => Buffer.byteLength(key[part])))
  expect(bytes('sk')).toBeLessThanOrEqual(mostSort)
  expect(bytes('pk')).toBeLessThanOrEqual(mostPartition)
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
