import type { RpcMethod } from '../contracts/rpc.ts'

const kilobyte = 1024
const small = 64 * kilobyte

/** How one method may be sent, and what its reply may be. */
export interface MethodRules {
  /** it changes the edge */
  readonly write: boolean
  /**
   * executed twice it does what it does once: it may be repeated when a connection breaks before the reply
   */
  readonly idempotent: boolean
  /** of a reply of its own, in bytes: more is given up (a list is about 400 bytes per destination) */
  readonly limit: number
  /**
   * Bytes of its longest reply inside a batch, besides its own parameters' and the id's. Undefined: its reply
   * has no bound that a batch could hold.
   */
  readonly longestReply?: number
}

const read = { write: false, idempotent: true, limit: small }
const write = { write: true, idempotent: true, limit: small }

/** Measured on 6.1.5 and 5.6.3: `test/recordings` has each of these replies. */
export const methodRules: Readonly<Record<RpcMethod, MethodRules>> = {
  /** `{"jsonrpc":"2.0","result":{"now":"Sun Nov 22 20:16:50 2026","up_since":"…","uptime":4},"id":7}` */
  'core.uptime': { ...read, longestReply: 160 },
  'core.version': { ...read, longestReply: 160 },
  'dispatcher.list': { ...read, limit: 8192 * kilobyte },
  'dispatcher.set_state': { ...write, longestReply: 110 },
  'dispatcher.set_duid_state': { ...write, longestReply: 110 },
  /**
   * Twice is not once: the second is refused for `reload_delta`, and counts. It runs alone, since it may take
   * a second.
   */
  'dispatcher.reload': { ...write, idempotent: false },
  /** `{"jsonrpc":"2.0","error":{"code":404,"message":"Profile not found: dst"},"id":7}` */
  'dlg.profile_get_size': { ...read, longestReply: 90 },
  'dlg.profile_list': { ...read, limit: 8192 * kilobyte },
  'dlg.stats_active': { ...read, longestReply: 140 },
  'dlg.terminate_dlg': { ...write, idempotent: false, longestReply: 110 },
  /** `{"jsonrpc":"2.0","result":[{"entry":5,"size":1,"slot":[{"name":"total","value":2,"type":"int"}]}],"id":7}` */
  'htable.dump': { ...read, limit: 8192 * kilobyte },
  'htable.delete': { ...write, longestReply: 100 },
  /**
   * `{"jsonrpc":"2.0","result":{"item":{"name":"sip:10.0.1.20:5060","value":4711,"flags":0,"expire":"NEVER"}},"id":7}`
   */
  'htable.get': { ...read, longestReply: 130 },
  'htable.seti': { ...write, longestReply: 100 },
}
