import * as z from 'zod'
import { isPrivateNetwork } from '../control/private-address.ts'

/** As the edge's own policy has it (kamailio/rpc.cfg): no quotes, backslashes or control characters, in a URI nor elsewhere. */
const text = z.string().regex(/^[^"\\\p{Cc}]+$/u)
const sipUri = text.regex(/^sips?:./)
const group = z.int().min(0)
const state = z.enum(['a', 'ap', 'i', 'ip', 'd', 'dp', 't', 'tp'])
const held = z.literal('held')
const profile = z.enum(['dst', 'src'])

/** The only methods that this project says to an edge, each with its positional parameters. */
const parameters = {
  'core.uptime': z.tuple([]),
  'core.version': z.tuple([]),
  'dispatcher.list': z.tuple([]),
  'dispatcher.set_state': z.tuple([state, group, sipUri]),
  'dispatcher.set_duid_state': z.tuple([state, group, text]),
  'dispatcher.reload': z.tuple([]),
  'dlg.profile_get_size': z.union([z.tuple([profile]), z.tuple([profile, text])]),
  'dlg.profile_list': z.tuple([profile, text]),
  'dlg.stats_active': z.tuple([]),
  'dlg.terminate_dlg': z.tuple([text, text, text]),
  'htable.get': z.tuple([held, sipUri]),
  'htable.seti': z.tuple([held, sipUri, z.literal([0, 1])]),
  'htable.delete': z.tuple([held, sipUri]),
} as const
export type RpcMethod = keyof typeof parameters

const request = z.strictObject({
  jsonrpc: z.literal('2.0'),
  method: z.custom<RpcMethod>((name) => typeof name === 'string' && Object.hasOwn(parameters, name)),
  params: z.array(z.unknown()),
  id: z.int().min(0),
})

/**
 * Whether a body is exactly one of the requests that this project makes: no spaces, no key twice, no method or parameter
 * that is not listed. Of two equal keys Kamailio's JSON reader takes the first and JavaScript's the last.
 */
export function isAllowedRequest(body: string): boolean {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return false
  }
  const parsed = request.safeParse(value)
  if (!parsed.success || !parameters[parsed.data.method].safeParse(parsed.data.params).success) return false
  const { jsonrpc, method, params, id } = parsed.data
  return JSON.stringify({ jsonrpc, method, params, id }) === body
}

/** Whether a text from outside, such as a Call-ID, can be a parameter at all. One that did not come in UTF-8 was changed on the way. */
export function isSpeakable(value: string): boolean {
  return text.safeParse(value).success && !value.includes('\uFFFD')
}

/** What stands in the header `X-Correlation-Id`, and so in the edge's log, which checks the same (kamailio/rpc.cfg). */
const correlationId = z.string().regex(/^[\w.:/@=+;[\]-]{1,200}$/)

/** @returns the text as such an id; what may not be in one becomes an underscore */
export function correlationIdOf(text: string): string {
  return text.replace(/[^\w.:/@=+;[\]-]/g, '_').slice(0, 200)
}

/** One JSON-RPC request on its way to one edge. */
export interface RpcMessage {
  readonly body: string
  /** what it is sent for: see {@link correlationIdOf} */
  readonly correlationId?: string | undefined
  /** the shared secret, for the header `X-RPC-Key` */
  readonly secret: string | undefined
  /** of the reply, in bytes */
  readonly limit: number
  readonly signal: AbortSignal
}

/**
 * What came of it: an HTTP reply, from the edge or from a gateway on the way, or why there is none. `broken`: the connection
 * ended before the whole reply was there.
 */
export const rpcOutcome = z.union([
  z.object({ status: z.int(), body: z.string() }),
  z.object({
    failure: z.enum(['unreachable', 'broken', 'malformed', 'access-denied', 'no-route']),
    why: z.string(),
  }),
])
export type HttpReply = {
  readonly status: number
  readonly body: string
  /** API Gateway's, as in its access log */
  readonly requestId?: string | undefined
}
export type RpcFailure = {
  readonly failure: 'unreachable' | 'broken' | 'malformed' | 'access-denied' | 'no-route'
  readonly why: string
  readonly cause?: unknown
}
export type RpcOutcome = HttpReply | RpcFailure

/** A way to one edge. It never repeats a message and never throws: what went wrong is a value. */
export interface RpcTransport {
  post(message: RpcMessage): Promise<RpcOutcome>
  /** Ends its connections once what was posted is answered. */
  close(): Promise<void>
}

/** Headers that an HTTP request is to carry so that a gateway on the way lets it pass. */
export type SignRequest = (request: {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}) => Promise<Readonly<Record<string, string>>>

/** What the relay function is invoked with; it answers with an {@link rpcOutcome}. */
export const relayRequest = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  body: z.string(),
  secret: z.string().optional(),
  limit: z.int().min(1),
  timeoutMs: z.int().min(1),
  correlationId: correlationId.exactOptional(),
})
export type RelayRequest = z.input<typeof relayRequest>

/** Where the relay may reach edges: private networks and the one port of their JSON-RPC. */
export const relayTargets = z.strictObject({
  /** e.g. `10.0.0.0/16` */
  networks: z.array(z.cidrv4().refine(isPrivateNetwork, 'must be a private network')).min(1),
  port: z.int().min(1).max(65_535).default(8080),
})
