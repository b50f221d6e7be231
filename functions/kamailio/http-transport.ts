import { errors, Pool } from 'undici'
import type { RpcFailure, RpcTransport, SignRequest } from '../contracts/rpc.ts'
import { ReplyTooLarge, readLimited } from './limited-reply.ts'

export interface HttpTransportSettings {
  /** the edge's own, e.g. `http://10.0.0.5:8080/rpc`, or a gateway's for this edge */
  readonly url: string
  /** for each phase of one call; the message's own signal bounds all of it */
  readonly timeoutMs: number
  /** for a gateway that asks for a signature */
  readonly sign?: SignRequest
}

/** To one URL over kept HTTP/1.1 connections. */
export function createHttpTransport({ url: text, timeoutMs, sign }: HttpTransportSettings): RpcTransport {
  const url = new URL(text)
  const pool = new Pool(url.origin, {
    connections: 8,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  return {
    async post({ body, secret, limit, signal }) {
      const plain = {
        'content-type': 'application/json',
        ...(secret !== undefined && { 'x-rpc-key': secret }),
      }
      let headers: Readonly<Record<string, string>> = plain
      try {
        if (sign) headers = await sign({ url, headers: plain, body })
      } catch (cause) {
        return { failure: 'access-denied', why: 'the request could not be signed', cause }
      }
      try {
        const request = { path: url.pathname + url.search, method: 'POST', headers, body, signal } as const
        const response = await pool.request(request)
        return { status: response.statusCode, body: await readLimited(response, limit) }
      } catch (error) {
        return failureOf(error)
      }
    },
    close: () => pool.close(),
  }
}

function failureOf(cause: unknown): RpcFailure {
  // an HTTPParserError keeps the bytes it choked on: it is not passed on as a cause
  if (cause instanceof errors.HTTPParserError || cause instanceof errors.HeadersOverflowError)
    return { failure: 'malformed', why: `the reply is not HTTP (${cause.code})` }
  if (cause instanceof ReplyTooLarge) return { failure: 'malformed', why: cause.message }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const why = `${code}${cause instanceof Error && cause.message ? ` (${cause.message})` : ''}`
  const broken = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code)
  return { failure: broken ? 'broken' : 'unreachable', why, cause }
}
