import { InvalidMessage } from './errors.ts'
import type { Hold } from './hold.ts'

/** What DynamoDB takes as a sort key, in bytes. */
const longestKey = 1024
/** A change has its order, its kind and the source in its key, besides a hold's id and what that is on. */
const besidesBoth = 70
/** What an answer leaves open has the id of its command and the source in its key, besides a hold's id. */
const besidesId = 138

/**
 * That no row of a hold is refused by the table at each try. What a message names may be short, and the URI
 * long that an edge lists for it.
 * @throws InvalidMessage
 */
export function refuseLongKey({ id, subject }: Pick<Hold, 'id' | 'subject'>): void {
  const on = subject.kind === 'uri' ? subject.uri : subject.instanceId
  const bytes = Math.max(bytesOf(id) + bytesOf(on) + besidesBoth, bytesOf(id) + besidesId)
  if (bytes <= longestKey) return
  throw new InvalidMessage(
    `a hold by this name would need a key of ${bytes} bytes in UTF-8, and the table takes ${longestKey}: give the alarm, or who asks, a shorter name, or have it name an instance in place of a URI; it is ${id} on ${on}`,
  )
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}
