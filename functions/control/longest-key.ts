import { InvalidMessage } from './errors.ts'
import { type Hold, holdKey } from './hold.ts'

/** What DynamoDB takes as a sort key, in bytes. */
const longestKey = 1024
/**
 * A change has 45 in its key, besides its hold's source and id and what that is on: its order (15 digits of
 * the time, a sign, and the 20 digits of SQS's number), its kind with a sign on each side, and one sign more.
 */
const besidesBoth = 45
/** What an answer leaves open has the id of its command and a sign, besides its hold's source and id. */
const besidesId = 129

/**
 * An alarm's name and the attributes of its series have so many bytes at most, since its hold is named by
 * them: its longest key leaves 8 of {@link longestKey}. It stays all the same, as a series with longer ones
 * goes by its id: another number would give holds in force another name.
 */
export const longestAlarmName = 880

type Keyed = Pick<Hold, 'source' | 'id' | 'subject'>

/** Of the rows that a hold of an operator or an alarm has. */
export function longestKeyOf(hold: Keyed): number {
  return bytesOf(holdKey(hold)) + Math.max(bytesOf(onOf(hold)) + besidesBoth, besidesId)
}

function onOf({ subject }: Keyed): string {
  return subject.kind === 'uri' ? subject.uri : subject.instanceId
}

/**
 * That no row of a hold is refused by the table at each try. What a message names may be short, and the URI
 * long that an edge lists for it.
 * @throws InvalidMessage
 */
export function refuseLongKey(hold: Keyed): void {
  const bytes = longestKeyOf(hold)
  if (bytes <= longestKey) return
  throw new InvalidMessage(
    `a hold by this name would need a key of ${bytes} bytes in UTF-8, and the table takes ${longestKey}: give the alarm, or who asks, a shorter name, or have it name an instance in place of a URI; it is ${hold.id} on ${onOf(hold)}`,
  )
}

/** As DynamoDB counts. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}
