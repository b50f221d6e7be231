import type * as z from 'zod'
import type { HttpReply, RpcFailure, RpcMethod, RpcTransport } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'
import { resultOf } from './rpc-faults.ts'

const kilobyte = 1024
/**
 * `read` may be asked again on a connection that broke; `limit` is the largest reply in bytes (a list is about 400 bytes per
 * destination).
 */
const methods = {
  'core.uptime': { read: true, limit: 64 * kilobyte },
  'core.version': { read: true, limit: 64 * kilobyte },
  'dispatcher.list': { read: true, limit: 8192 * kilobyte },
  'dispatcher.set_state': { read: false, limit: 64 * kilobyte },
  'dispatcher.set_duid_state': { read: false, limit: 64 * kilobyte },
  'dispatcher.reload': { read: false, limit: 64 * kilobyte },
  'dlg.profile_get_size': { read: true, limit: 64 * kilobyte },
  'dlg.profile_list': { read: true, limit: 8192 * kilobyte },
  'dlg.stats_active': { read: true, limit: 64 * kilobyte },
  'dlg.terminate_dlg': { read: false, limit: 64 * kilobyte },
  'htable.get': { read: true, limit: 64 * kilobyte },
  'htable.seti': { read: false, limit: 64 * kilobyte },
  'htable.delete': { read: false, limit: 64 * kilobyte },
} as const satisfies Record<RpcMethod, { readonly read: boolean; readonly limit: number }>

/** Where an edge's shared secret (header `X-RPC-Key`) comes from. Undefined where the edge asks for none. */
export interface RpcSecret {
  secret(): Promise<string | undefined>
  /** Asked when the edge answers 401 or 403: the secret may have been rotated. */
  refreshSecret(): Promise<string | undefined>
}

export interface RpcSettings {
  /** the edge's id, for error texts */
  readonly edge: string
  readonly transport: RpcTransport
  /** for one call in all: waiting for a connection, sending, the whole reply */
  readonly timeoutMs: number
  readonly key?: RpcSecret
  /** what is being worked on, for the edge's log */
  readonly correlationId?: () => string | undefined
  /** Waits, longer at each attempt (from 1), before what a gateway throttled is said again; without it it is not. */
  readonly backOff?: (attempt: number) => Promise<void>
}

/** JSON-RPC of one Kamailio. */
export interface JsonRpc {
  /**
   * One call. Never repeated after a timeout, which says neither done nor failed.
   * @param params positional; numbers stay JSON numbers (Kamailio reads the group `"1"` as 0)
   * @throws EdgeError, `malformed` when the result does not have this shape
   */
  call<T>(method: RpcMethod, params: readonly (string | number)[], result: z.ZodType<T>): Promise<T>
  close(): Promise<void>
}

export function createJsonRpc(settings: RpcSettings): JsonRpc {
  const { edge, transport, timeoutMs, key, backOff } = settings
  let lastId = 0

  async function once(call: Call): Promise<HttpReply> {
    const { method, body, correlationId, secret, signal } = call
    const limit = methods[method].limit
    const outcome = await transport.post({ body, correlationId, secret, limit, signal })
    if ('failure' in outcome) throw failed(edge, method, outcome, signal.aborted ? timeoutMs : undefined)
    // a gateway may echo what it was sent; from here on no error text can hold the secret
    return secret === undefined ? outcome : { ...outcome, body: outcome.body.replaceAll(secret, '[secret]') }
  }

  async function send(call: Call): Promise<HttpReply> {
    try {
      return await once(call)
    } catch (error) {
      // that the edge has closed a kept connection meanwhile is only seen when it is used
      if (methods[call.method].read && error instanceof BrokenConnection) return once(call)
      throw error
    }
  }

  /** What was throttled was not executed: it may be said again, whatever it is. */
  async function sendPatiently(call: Call): Promise<HttpReply> {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await send(call)
      if (reply.status !== 429 || !backOff || attempt === throttledTries) return reply
      await backOff(attempt)
      if (call.signal.aborted) return reply
    }
  }

  return {
    async call(method, params, result) {
      const id = ++lastId
      const body = JSON.stringify({ jsonrpc: '2.0', method, params, id })
      const secret = await usable(edge, key?.secret())
      const correlationId = settings.correlationId?.()
      const call = { method, body, correlationId, secret, signal: AbortSignal.timeout(timeoutMs) }
      let reply = await sendPatiently(call)
      const refused = (reply.status === 401 || reply.status === 403) && !gatewayFault(reply)
      if (key && refused) {
        const fresh = await usable(edge, key.refreshSecret())
        if (fresh !== secret) reply = await sendPatiently({ ...call, secret: fresh })
      }
      const parsed = result.safeParse(resultOf({ edge, method, id }, reply))
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      const where = ['result', ...(issue?.path ?? [])].join('.')
      throw new EdgeError(edge, 'malformed', `${method}: ${where}: ${issue?.message}`)
    },
    close: () => transport.close(),
  }
}

/** With a back-off that doubles from 100 ms these end within a second or so, well before the RPC timeout. */
const throttledTries = 4

interface Call {
  readonly method: RpcMethod
  readonly body: string
  readonly correlationId: string | undefined
  readonly secret: string | undefined
  readonly signal: AbortSignal
}

/** The connection ended before the whole reply was there. */
class BrokenConnection extends EdgeError {}

function failed(edge: string, method: RpcMethod, failure: RpcFailure, timedOutMs?: number): EdgeError {
  const options = failure.cause === undefined ? undefined : { cause: failure.cause }
  if (timedOutMs !== undefined && failure.failure !== 'malformed')
    return new EdgeError(edge, 'unreachable', `${method}: no reply within ${timedOutMs} ms`, options)
  const why = `${method}: ${failure.why}`
  if (failure.failure === 'broken') return new BrokenConnection(edge, 'unreachable', why, options)
  return new EdgeError(edge, failure.failure, why, options)
}

/** Kept out of header values: control characters, such as the line end that a copied secret brings along. */
async function usable(
  edge: string,
  asked: Promise<string | undefined> | undefined,
): Promise<string | undefined> {
  const secret = await asked?.catch((cause: unknown) => {
    throw new EdgeError(edge, 'unauthorized', 'the shared secret could not be read', { cause })
  })
  if (secret === undefined || /^[\x21-\x7e]{8,}$/.test(secret)) return secret
  throw new EdgeError(
    edge,
    'unauthorized',
    'the shared secret must be 8 or more visible ASCII characters without spaces',
  )
}
