import { EdgeError } from '../functions/control/errors.ts'
import type { Clock, Edge } from '../functions/use-cases/ports.ts'

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

  takes(requests: number): boolean {
    const now = this.clock.now()
    this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.at) / 1000) * this.perSecond)
    this.at = now
    if (this.tokens < requests) {
      this.refused += requests
      return false
    }
    this.tokens -= requests
    this.passed += requests
    return true
  }

  /** As functions/kamailio/json-rpc.ts does it: said again three times, then `throttled`. */
  async pass(edge: string, requests: number): Promise<void> {
    for (let attempt = 1; !this.takes(requests); attempt += 1) {
      if (attempt === 4) throw new EdgeError(edge, 'throttled', 'API Gateway throttles')
      await this.clock.sleep(50 * 2 ** attempt)
    }
  }
}

/** The same edge behind the throttle. A count is one request for each URI and address, the total one for each profile; everything else is one. */
export function throttled(edge: Edge, throttle: Throttle): Edge {
  return new Proxy(edge, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        await throttle.pass(target.id, key === 'count' ? requestsOf(args[0]) : key === 'totalCalls' ? 2 : 1)
        return value.apply(target, args)
      }
    },
  })
}

function requestsOf(of: unknown): number {
  const { uris, addresses } = of as Parameters<Edge['count']>[0]
  return uris.length + addresses.length
}
