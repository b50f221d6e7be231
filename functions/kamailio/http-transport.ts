import { Agent, errors } from 'undici'
import type { RpcFailure, RpcTransport, SignRequest } from '../contracts/rpc.ts'
import { ReplyTooLarge, readLimited } from './limited-reply.ts'

export interface HttpTransportSettings {
  /** the edge's own, e.g. `http://10.0.0.5:8080/rpc`, or a gateway's for this edge */
  readonly url: string
  /** for each phase of one call; the message's own signal bounds all of it */
  readonly timeoutMs: number
  /** for a gateway that asks for a signature */
  readonly sign?: SignRequest
  /** connections that are shared with other transports, and outlive this one; its own by default */
  readonly agent?: Agent
}

/** Kept HTTP/1.1 connections, some for each origin; an origin without a connection is forgotten. */
export function createAgent(connectTimeoutMs: number): Agent {
  return new Agent({ connections: 8, pipelining: 1, allowH2: false, connect: { timeout: connectTimeoutMs } })
}

/** To one URL over kept connections. */
export function createHttpTransport(settings: HttpTransportSettings): RpcTransport {
  const { timeoutMs, sign } = settings
  const url = new URL(settings.url)
  const agent = settings.agent ?? createAgent(timeoutMs)
  return {
    async post({ body, correlationId, secret, generation, limit, signal }) {
      const plain = {
        'content-type': 'application/json',
        ...(correlationId !== undefined && { 'x-correlation-id': correlationId }),
        ...(secret !== undefined && { 'x-rpc-key': secret }),
        ...(generation !== undefined && { 'x-dc-generation': String(generation) }),
      }
      let headers: Readonly<Record<string, string>> = plain
      try {
        if (sign) headers = await sign({ url, headers: plain, body })
      } catch (cause) {
        return { failure: 'access-denied', why: 'the request could not be signed', cause }
      }
      try {
        const response = await agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: 'POST',
          ...{ headers, body, signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
        })
        const { 'apigw-requestid': requestId, 'x-dc-boot': boot } = response.headers
        const answer = await readLimited(response, limit)
        return { status: response.statusCode, body: answer, boot: idOf(boot), requestId: idOf(requestId) }
      } catch (error) {
        return failureOf(error)
      }
    },
    close: async () => {
      if (!settings.agent) await agent.close()
    },
  }
}

/** Kept out of error texts: whatever does not look like one. */
function idOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w=-]{1,64}$/.test(header) ? header : undefined
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
