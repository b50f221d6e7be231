import type { RpcMethod } from '../../functions/contracts/rpc.ts'
import type { Flags } from '../../functions/control/destination.ts'
import type { EdgeFault } from '../../functions/control/errors.ts'

/** What goes wrong between us and an edge, or in it. Replace the whole object to change it. */
export interface Misbehaviour {
  /** nothing arrives: each request waits for the timeout and nothing is done */
  readonly unreachable?: boolean
  /** it does what it is told, but the answer never comes */
  readonly losesReplies?: boolean
  /** nobody answers in time, and what was asked is done this much later, when its caller has long given up */
  readonly executesAfterMs?: number
  /** each answer takes this long; beyond the timeout it is lost, and what was asked is done */
  readonly latencyMs?: number
  /** the connection ends in the middle of each answer; what was asked is done */
  readonly halvesReplies?: boolean
  /** the answers of a batch are in another order */
  readonly swapsReplies?: boolean
  /** all of a batch is executed, and its reply does not fit the edge's buffer */
  readonly replyTooLong?: boolean
  /** the last answer of a batch is missing */
  readonly losesLastReply?: boolean
  /** answers with this fault to these methods, and does not do them */
  readonly faults?: Readonly<Partial<Record<RpcMethod, EdgeFault>>>
  /** answers Ok to writes, and changes nothing */
  readonly deafWrites?: boolean
  /** the flags that it lists, whatever is true */
  readonly claimsFlags?: Flags
  /** the calls that it counts, whatever is true */
  readonly claimsCalls?: number
}
