import type { SettleRequest } from '../contracts/settle-request.ts'

/** The one function that reaches edges. */
export interface Settles {
  /** Asks it for something, and does not wait for it. */
  ask(request: SettleRequest): Promise<void>
}
