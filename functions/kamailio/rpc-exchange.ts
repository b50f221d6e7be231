import pLimit from 'p-limit'
import type { HttpReply, RpcFailure, RpcTransport } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'

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
  /** for one HTTP request in all: waiting for a connection, sending, the whole reply */
  readonly timeoutMs: number
  readonly key?: RpcSecret
  /** what is being worked on, for the edge's log */
  readonly correlationId?: () => string | undefined
  /**
   * Waits, longer at each attempt (from 1), before what a gateway throttled is repeated; without it it is
   * not.
   */
  readonly backOff?: (attempt: number) => Promise<void>
}

export interface Message {
  /** for error texts: a method, or how many of them */
  readonly what: string
  readonly body: string
  readonly generation: number | undefined
  /** repeated once when its connection breaks before the whole reply was there */
  readonly idempotent: boolean
  /** of the reply, in bytes */
  readonly limit: number
}

/**
 * HTTP requests under way to one edge, at the most; further ones wait for their turn, outside of their
 * timeout.
 */
export const requestsAtOnce = 16

/** With a back-off that doubles from 100 ms these end within a second or so, well before the RPC timeout. */
const throttledTries = 4

/**
 * Sends one message and answers with the edge's reply, whatever its status. Never repeated after a timeout,
 * which is neither done nor failed.
 * @throws EdgeError when there is no reply, or the secret can't be used
 */
export function createExchange(settings: RpcSettings): (message: Message) => Promise<HttpReply> {
  const { edge, transport, timeoutMs, key, backOff } = settings
  const gate = pLimit(requestsAtOnce)

  async function once(message: Message, secret: string | undefined, signal: AbortSignal): Promise<HttpReply> {
    const { what, body, generation, limit } = message
    const correlationId = settings.correlationId?.()
    const outcome = await transport.post({ body, correlationId, secret, generation, limit, signal })
    if ('failure' in outcome) throw failed(edge, what, outcome, signal.aborted ? timeoutMs : undefined)
    // A gateway may echo what it was sent; from here on no error text can hold the secret.
    return secret === undefined ? outcome : { ...outcome, body: outcome.body.replaceAll(secret, '[secret]') }
  }

  async function unbroken(message: Message, secret: string | undefined, signal: AbortSignal) {
    try {
      return await once(message, secret, signal)
    } catch (error) {
      // That the edge has closed a kept connection meanwhile is only seen when it is used.
      if (message.idempotent && error instanceof BrokenConnection && !signal.aborted)
        return once(message, secret, signal)
      throw error
    }
  }

  /** What was throttled was not executed: it may be repeated, whatever it is. */
  async function patiently(message: Message, secret: string | undefined, signal: AbortSignal) {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await unbroken(message, secret, signal)
      if (reply.status !== 429 || !backOff || attempt === throttledTries) return reply
      await backOff(attempt)
      if (signal.aborted) return reply
    }
  }

  async function sent(message: Message): Promise<HttpReply> {
    const secret = await usable(edge, key?.secret())
    const signal = AbortSignal.timeout(timeoutMs)
    const reply = await patiently(message, secret, signal)
    const refused = (reply.status === 401 || reply.status === 403) && !gatewayFault(reply)
    if (!key || !refused) return reply
    const fresh = await usable(edge, key.refreshSecret())
    return fresh === secret ? reply : patiently(message, fresh, signal)
  }

  return (message) => gate(() => sent(message))
}

/** The connection ended before the whole reply was there. */
class BrokenConnection extends EdgeError {}

function failed(edge: string, what: string, failure: RpcFailure, timedOutMs?: number): EdgeError {
  const options = failure.cause === undefined ? undefined : { cause: failure.cause }
  if (timedOutMs !== undefined && failure.failure !== 'malformed')
    return new EdgeError(edge, 'unreachable', `${what}: no reply within ${timedOutMs} ms`, options)
  const why = `${what}: ${failure.why}`
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
