import { batchLimits } from '../contracts/rpc.ts'
import { methodRules } from './rpc-methods.ts'

/**
 * What `pv_buffer_size` takes of a reply with our rpc.cfg, 32 KB, less a margin; past it an edge executes and
 * can't answer.
 */
const replyBytes = 30_000

/**
 * What rpc.cfg tells of itself, with the longest error of its routes: 165 bytes without one, 358 with one.
 */
const aboutBytes = 700
const isAbout = (text: string) => text.includes('"params":["dc","about"]')

/** One request as it is written, with what its place in a batch depends on. */
export interface Line {
  readonly method: keyof typeof methodRules
  readonly text: string
}

/**
 * Deals requests out to as few HTTP requests as take them, in order: by lines, by bytes of the body and by
 * the longest reply of each method. One whose reply has no bound stands alone.
 */
export function splitBatches<L extends Line>(lines: readonly L[]): L[][] {
  const batches: L[][] = []
  let [bytes, reply] = [0, 0]
  for (const line of lines) {
    const size = Buffer.byteLength(line.text) + 2
    // The reply repeats the key that was asked for, and the id: both are part of the request.
    const answer =
      (isAbout(line.text) ? aboutBytes : (methodRules[line.method].longestReply ?? replyBytes)) + size
    const last = batches.at(-1)
    const fits =
      last !== undefined &&
      last.length < batchLimits.requests &&
      bytes + size <= batchLimits.bytes - 4 &&
      reply + answer <= replyBytes
    if (fits) last.push(line)
    else {
      batches.push([line])
      bytes = 0
      reply = 0
    }
    bytes += size
    reply += answer
  }
  return batches
}
