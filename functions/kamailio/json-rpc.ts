import { errors, Pool } from 'undici'
import type * as z from 'zod'
import { EdgeError } from '../control/errors.ts'
import { ReplyTooLarge, readLimited } from './limited-reply.ts'
import { type HttpReply, resultOf } from './rpc-faults.ts'

const kilobyte = 1024
/**
 * The only methods that this client can say. `read` may be asked again on a connection that broke; `limit` is the largest reply
 * in bytes (a list is about 400 bytes per destination).
 */
const methods = {
  'core.uptime': { read: true, limit: 64 * kilobyte },
  'dispatcher.list': { read: true, limit: 8192 * kilobyte },
  'dispatcher.set_state': { read: false, limit: 64 * kilobyte },
  'dispatcher.set_duid_state': { read: false, limit: 64 * kilobyte },
  'dispatcher.reload': { read: false, limit: 64 * kilobyte },
  'dlg.profile_get_size': { read: true, limit: 64 * kilobyte },
  'dlg.stats_active': { read: true, limit: 64 * kilobyte },
  'htable.get': { read: true, limit: 64 * kilobyte },
  'htable.seti': { read: false, limit: 64 * kilobyte },
  'htable.delete': { read: false, limit: 64 * kilobyte },
} as const
export type RpcMethod = keyof typeof methods

/** Where an edge's shared secret (header `X-RPC-Key`) comes from. Undefined where the edge asks for none. */
export interface RpcSecret {
  secret(): Promise<string | undefined>
  /** Asked when the edge answers 401 or 403: the secret may have been rotated. */
  refreshSecret(): Promise<string | undefined>
}

export interface RpcSettings {
  /** the edge's id, for error texts */
  readonly edge: string
  /** e.g. `http://10.0.0.5:8080/rpc` */
  readonly url: string
  /** for one call in all: waiting for a connection, sending, the whole reply */
  readonly timeoutMs: number
  readonly key?: RpcSecret
}

/** JSON-RPC of one Kamailio over HTTP/1.1. */
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
  const { edge, timeoutMs, key } = settings
  const { origin, pathname, search } = new URL(settings.url)
  const pool = new Pool(origin, {
    connections: 8,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  let lastId = 0

  async function post(method: RpcMethod, body: string, secret: string | undefined, signal: AbortSignal) {
    const headers = {
      'content-type': 'application/json',
      ...(secret !== undefined && { 'x-rpc-key': secret }),
    }
    const request = { path: pathname + search, method: 'POST', headers, body, signal } as const
    try {
      const response = await pool.request(request)
      const text = await readLimited(response, methods[method].limit)
      // a gateway may echo what it was sent; from here on no error text can hold the secret
      const harmless = secret === undefined ? text : text.replaceAll(secret, '[secret]')
      return { status: response.statusCode, body: harmless }
    } catch (error) {
      throw transportError(edge, method, timeoutMs, error)
    }
  }

  async function send(...call: Parameters<typeof post>): Promise<HttpReply> {
    try {
      return await post(...call)
    } catch (error) {
      // that the edge has closed a kept connection meanwhile is only seen when it is used
      if (methods[call[0]].read && error instanceof BrokenConnection) return post(...call)
      throw error
    }
  }

  return {
    async call(method, params, result) {
      const id = ++lastId
      const body = JSON.stringify({ jsonrpc: '2.0', method, params, id })
      const secret = await usable(edge, key?.secret())
      const signal = AbortSignal.timeout(timeoutMs)
      let reply = await send(method, body, secret, signal)
      if (key && (reply.status === 401 || reply.status === 403)) {
        const fresh = await usable(edge, key.refreshSecret())
        if (fresh !== secret) reply = await send(method, body, fresh, signal)
      }
      const parsed = result.safeParse(resultOf({ edge, method, id }, reply))
      if (parsed.success) return parsed.data
      const issue = parsed.error.issues[0]
      const where = ['result', ...(issue?.path ?? [])].join('.')
      throw new EdgeError(edge, 'malformed', `${method}: ${where}: ${issue?.message}`)
    },
    close: () => pool.close(),
  }
}

/** The connection ended before the whole reply was there. */
class BrokenConnection extends EdgeError {}

function transportError(edge: string, method: RpcMethod, timeoutMs: number, cause: unknown): EdgeError {
  // an HTTPParserError keeps the bytes it choked on: it is not passed on as a cause
  if (cause instanceof errors.HTTPParserError || cause instanceof errors.HeadersOverflowError)
    return new EdgeError(edge, 'malformed', `${method}: the reply is not HTTP (${cause.code})`)
  if (cause instanceof ReplyTooLarge) return new EdgeError(edge, 'malformed', `${method}: ${cause.message}`)
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return new EdgeError(edge, 'unreachable', `${method}: no reply within ${timeoutMs} ms`, { cause })
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const why = `${method}: ${code}${cause instanceof Error && cause.message ? ` (${cause.message})` : ''}`
  if (['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code))
    return new BrokenConnection(edge, 'unreachable', why, { cause })
  return new EdgeError(edge, 'unreachable', why, { cause })
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
