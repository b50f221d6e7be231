import { Agent, buildConnector, errors } from 'undici'
import type { EdgeTls } from '../contracts/edge-tls.ts'
import type { RpcFailure, RpcTransport, SignRequest } from '../contracts/rpc.ts'
import { ReplyTooLarge, readLimited } from './limited-reply.ts'
import { mistrust } from './tls-faults.ts'

export interface HttpTransportSettings {
  /** the edge's own, e.g. `http://10.0.0.5:8080/rpc`, or a gateway's for this edge */
  readonly url: string
  /** for each phase of one call; the message's own signal bounds all of it */
  readonly timeoutMs: number
  /** for a gateway that asks for a signature */
  readonly sign?: SignRequest
  /**
   * for an `https` url: the only CAs that are trusted, and who we are; Node's own CAs and nobody by default
   */
  readonly tls?: EdgeTls
  /**
   * connections that are shared with other transports, and outlive this one; its own by default. Made with
   * the same `tls`.
   */
  readonly agent?: Agent
}

/** Kept HTTP/1.1 connections, some for each origin; an origin without a connection is forgotten. */
export function createAgent(connectTimeoutMs: number, tls?: EdgeTls): Agent {
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    allowH2: false,
    ...(tls && { ca: tls.ca }),
    ...(tls?.client && { cert: tls.client.certificate, key: tls.client.key }),
  })
  return new Agent({ connections: 8, pipelining: 1, allowH2: false, connect: alertsFirst(connect) })
}

/**
 * With TLS 1.3 an edge refuses our certificate after the handshake is over for us: by an alert, and then it
 * closes. undici reports whichever comes last, "other side closed". A connection that ends at the alert
 * reports the alert.
 */
function alertsFirst(connector: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connector(options, (...outcome) => {
      const [, socket] = outcome
      if (options.protocol === 'https:') socket?.once('error', () => socket.destroy())
      callback(...outcome)
    })
}

/** To one URL over kept connections. */
export function createHttpTransport(settings: HttpTransportSettings): RpcTransport {
  const { timeoutMs, sign, tls } = settings
  const url = new URL(settings.url)
  const agent = settings.agent ?? createAgent(timeoutMs, tls)
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
        const untrusted = mistrust(error, url.hostname, tls)
        if (untrusted !== undefined) return { failure: 'untrusted', why: untrusted }
        // An edge that closes one kept connection often closes all: undici sees that first, and a repetition
        // uses a new one.
        await new Promise((resolve) => setImmediate(resolve))
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
  return typeof header === 'string' && /^[\w=.:[\]-]{1,72}$/.test(header) ? header : undefined
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
