import type { Dispatcher } from 'undici'

/** A reply was given up while it came in. */
export class ReplyTooLarge extends Error {
  override readonly name = 'ReplyTooLarge'
}

/**
 * The whole body as text. Stops reading, and so closes the connection, as soon as it is known to exceed
 * `limit` bytes.
 * @throws ReplyTooLarge, or what undici throws when the body does not come whole
 */
export async function readLimited(response: Dispatcher.ResponseData, limit: number): Promise<string> {
  const announced = Number(response.headers['content-length'] ?? 0)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response.body) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (Math.max(size, announced) > limit) throw new ReplyTooLarge(`the reply exceeds ${limit} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}

/** The JSON value of a text from outside. @returns undefined for rubbish, which no schema of ours accepts. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
