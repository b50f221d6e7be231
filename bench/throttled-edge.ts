import type { RpcTransport } from '../functions/contracts/rpc.ts'
import { createEdge } from '../functions/kamailio/dispatcher.ts'
import type { Clock, Edge } from '../functions/use-cases/ports.ts'
import type { MemoryEdge } from '../test/memory/edge.ts'

/** A gateway's token bucket over all edges, which lets a second's worth through at once. */
export class Throttle {
  passed = 0
  refused = 0
  private readonly clock: Clock
  private readonly perSecond: number
  private tokens: number
  private at: number

  constructor(clock: Clock, perSecond: number) {
    this.clock = clock
    this.perSecond = perSecond
    this.tokens = perSecond
    this.at = clock.now()
  }

  /** One HTTP request. @returns false when it is answered with 429 */
  takes(): boolean {
    const now = this.clock.now()
    this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.at) / 1000) * this.perSecond)
    this.at = now
    if (this.tokens < 1) {
      this.refused += 1
      return false
    }
    this.tokens -= 1
    this.passed += 1
    return true
  }
}

/** Our client of the same Kamailio behind the throttle. */
export function throttled(edge: MemoryEdge, throttle: Throttle, clock: Clock): Edge {
  const { id, restoresDialogs, transport: direct } = edge
  const transport: RpcTransport = {
    post: async (message) => (throttle.takes() ? direct.post(message) : { status: 429, body: '' }),
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
