import type { RpcTransport } from '../functions/contracts/rpc.ts'
import { createEdge } from '../functions/kamailio/dispatcher.ts'
import type { Clock } from '../functions/ports/clock.ts'
import type { Edge } from '../functions/ports/edge.ts'
import type { MemoryEdge } from '../test/memory/edge.ts'
import { TokenBucket } from './limits.ts'

/** A gateway's token bucket over all edges, which lets a second's worth through at once. */
export class Throttle {
  passed = 0
  refused = 0
  answeredBytes = 0
  private readonly bucket: TokenBucket

  constructor(clock: Clock, perSecond: number) {
    this.bucket = new TokenBucket(clock, perSecond, perSecond)
  }

  /** One HTTP request. @returns false when it is answered with 429 */
  takes(): boolean {
    const taken = this.bucket.takes()
    if (taken) this.passed += 1
    else this.refused += 1
    return taken
  }
}

/** Our client of the same Kamailio behind the throttle. @param computes told of each answer's kilobytes */
export function throttled(
  edge: MemoryEdge,
  throttle: Throttle,
  clock: Clock,
  computes: (kilobytes: number) => Promise<void>,
): Edge {
  const { id, restoresDialogs, transport: direct } = edge
  const transport: RpcTransport = {
    async post(message) {
      if (!throttle.takes()) return { status: 429, body: '' }
      const outcome = await direct.post(message)
      if (!('body' in outcome)) return outcome
      throttle.answeredBytes += outcome.body.length
      await computes(outcome.body.length / 1000)
      return outcome
    },
    close: () => direct.close(),
  }
  const backOff = (attempt: number) => clock.sleep(50 * 2 ** attempt)
  return createEdge({
    id,
    restoresDialogs,
    transport,
    timeoutMs: 2 ** 31 - 1,
    backOff,
    now: () => clock.now(),
  })
}
