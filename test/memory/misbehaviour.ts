import type { Flags } from '../../functions/control/destination.ts'
import type { EdgeFault } from '../../functions/control/errors.ts'
import type { EdgeMethod } from './edge.ts'

/** What goes wrong between us and an edge, or in it. Replace the whole object to change it. */
export interface Misbehaviour {
  /** nothing arrives: each call waits for the timeout and nothing is done */
  readonly unreachable?: boolean
  /** it does what it is told, but the answer never comes */
  readonly losesReplies?: boolean
  /** each answer takes this long; beyond the timeout it is lost, and what was asked is done */
  readonly latencyMs?: number
  /** answers with this fault to these methods, and does nothing */
  readonly faults?: Readonly<Partial<Record<EdgeMethod, EdgeFault>>>
  /** says Ok to writes of states and of the guard, and changes nothing */
  readonly deafWrites?: boolean
  /** the flags that it lists, whatever is true */
  readonly claimsFlags?: Flags
  /** the calls that it counts, whatever is true */
  readonly claimsCalls?: number
}

interface Exchange<T> {
  readonly timeoutMs: number
  sleep(ms: number): Promise<void>
  fault(fault: EdgeFault, message: string): Error
  act(): T
}

/** One request and its answer, disturbed as told. */
export async function disturb<T>(now: Misbehaviour, method: EdgeMethod, exchange: Exchange<T>): Promise<T> {
  if (now.unreachable) {
    await exchange.sleep(exchange.timeoutMs)
    throw exchange.fault('unreachable', `no answer within ${exchange.timeoutMs} ms`)
  }
  const planted = now.faults?.[method]
  if (planted) throw exchange.fault(planted, `planted in ${method}`)
  const latency = now.losesReplies ? exchange.timeoutMs + 1 : (now.latencyMs ?? 0)
  // the request arrives at once and is answered late: what is asked is done even when the answer is lost
  const answer = exchange.act()
  if (latency > 0) await exchange.sleep(Math.min(latency, exchange.timeoutMs))
  if (latency > exchange.timeoutMs)
    throw exchange.fault('unreachable', `no answer within ${exchange.timeoutMs} ms`)
  return answer
}
