import * as z from 'zod'
import { isPrivateNetwork } from '../control/private-address.ts'
import { edgeTls } from './edge-tls.ts'

/**
 * A character of a string parameter: no quote, no backslash, no control character. Each side has its own way
 * to write them.
 */
const character = { edge: '[^"\\[:cntrl:]]', ours: '[^"\\\\\\x00-\\x1f\\x7f]' } as const
const text = '<text>'
const sipUri = `sips?:${text}`
const state = '([adt]p?|ip?)'
const profile = '(dst|src)'

/**
 * The only requests that this project makes, as patterns of method and parameters: the client, the relay and
 * the memory edge check them, and an edge checks the same ones (`route[DISPATCHER_CONTROL_RPC_ALLOWED]`
 * in kamailio/rpc.cfg, which a test compares). They are POSIX extended regular expressions, `<text>` is one
 * or more characters of a string; letters match in either case.
 */
export const allowedRequests: readonly AllowedRequest[] = [
  { methods: ['dispatcher.reload', 'dlg.stats_active', 'core.version', 'core.uptime'], params: '' },
  { methods: ['dispatcher.list'], params: '("(short|full)")?' },
  { methods: ['dispatcher.set_state'], params: `"${state}",[0-9]+,"${sipUri}"` },
  { methods: ['dispatcher.set_duid_state'], params: `"${state}",[0-9]+,"${text}"` },
  { methods: ['dlg.profile_get_size'], params: `"${profile}"(,"${text}")?` },
  { methods: ['htable.get', 'htable.delete'], params: `"held","${sipUri}"` },
  { methods: ['htable.seti'], params: `"held","${sipUri}",1` },
  { methods: ['htable.get'], params: `"begun","${text}"` },
  { methods: ['htable.dump'], params: '"begun"' },
  { methods: ['htable.get'], params: '"dc","about"' },
  { methods: ['dlg.profile_list'], params: `"${profile}","${text}"`, endsCalls: true },
  { methods: ['dlg.terminate_dlg'], params: `"${text}","${text}","${text}"`, endsCalls: true },
]
export interface AllowedRequest {
  readonly methods: readonly RpcMethod[]
  readonly params: string
  /** only where the edge lets its calls be ended (DC_RPC_END_CALLS) */
  readonly endsCalls?: true
}

export const rpcMethods = [
  'core.uptime',
  'core.version',
  'dispatcher.list',
  'dispatcher.reload',
  'dispatcher.set_duid_state',
  'dispatcher.set_state',
  'dlg.profile_get_size',
  'dlg.profile_list',
  'dlg.stats_active',
  'dlg.terminate_dlg',
  'htable.delete',
  'htable.dump',
  'htable.get',
  'htable.seti',
] as const
export type RpcMethod = (typeof rpcMethods)[number]

/**
 * @returns one allowed request as the edge writes it in its configuration, an extended regular expression for
 * the whole line
 */
export function edgePattern({ methods, params }: AllowedRequest): string {
  return patternOf(methods, params, character.edge)
}

function patternOf(methods: readonly RpcMethod[], params: string, one: string): string {
  const names = methods.map((method) => method.replace('.', '\\.'))
  const method = names.length === 1 ? names[0] : `(${names.join('|')})`
  const body = params.replaceAll(text, `${one}+`)
  return `^\\{"jsonrpc":"2\\.0","method":"${method}","params":\\[${body}\\],"id":[0-9]+\\}$`
}

const allowedLines = allowedRequests.map(
  ({ methods, params }) =>
    // Kamailio's =~ ignores case too; it compares method names exactly, so that such a request is executed by
    // nobody.
    new RegExp(patternOf(methods, params, character.ours), 'i'),
)

/**
 * Whether a text is exactly one of the requests that this project makes: no spaces, no key twice, nothing
 * that is not listed.
 */
export function isAllowedRequest(line: string): boolean {
  return Buffer.byteLength(line) <= batchLimits.bytes && allowedLines.some((pattern) => pattern.test(line))
}

/**
 * What one body may hold: requests of a batch, and bytes (the edge's read buffer takes 32 KB at the most).
 */
export const batchLimits = { requests: 100, bytes: 16_000 } as const

/** @returns a JSON-RPC batch as an edge with our rpc.cfg reads it: one request a line */
export function batchOf(requests: readonly string[]): string {
  return `[\n${requests.join(',\n')}\n]`
}

/** @returns the requests of such a batch, as they are written; undefined when it is none */
export function requestsOf(body: string): readonly string[] | undefined {
  const lines = body.split('\n')
  if (lines.length < 3 || lines[0] !== '[' || lines.at(-1) !== ']') return undefined
  const requests = lines.slice(1, -1)
  const separated = requests.every((line, index) => line.endsWith(',') === index < requests.length - 1)
  return separated ? requests.map((line) => line.replace(/,$/, '')) : undefined
}

/** Whether a body is one allowed request, or a batch of them that is within its limits. */
export function isAllowedBody(body: string): boolean {
  if (!body.startsWith('[')) return isAllowedRequest(body)
  const requests = requestsOf(body)
  if (requests === undefined || requests.length > batchLimits.requests) return false
  return Buffer.byteLength(body) <= batchLimits.bytes && requests.every(isAllowedRequest)
}

/**
 * Whether a text from outside, such as a Call-ID, can be a parameter at all. One that did not come in UTF-8
 * was changed on the way.
 */
export function isSpeakable(value: string): boolean {
  return wholeText.test(value) && !value.includes('\uFFFD')
}
const wholeText = new RegExp(`^${character.ours}+$`)

/**
 * What stands in the header `X-Correlation-Id`, and so in the edge's log, which checks the same
 * (kamailio/rpc.cfg).
 */
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
  /**
   * of the lease that it is sent under, for the header `X-DC-Generation`: an edge refuses one below the
   * highest it has seen
   */
  readonly generation?: number | undefined
  /** of the reply, in bytes */
  readonly limit: number
  readonly signal: AbortSignal
}

/**
 * What came of it: an HTTP reply, from the edge or from a gateway on the way, or why there is none. `broken`:
 * the connection ended before the whole reply was there. `untrusted`: one side refused the other's
 * certificate, before anything was sent.
 */
export const rpcOutcome = z.union([
  z.object({ status: z.int(), body: z.string(), boot: z.string().exactOptional() }),
  z.object({
    failure: z.enum(['unreachable', 'broken', 'malformed', 'untrusted', 'access-denied', 'no-route']),
    why: z.string(),
  }),
])
export type HttpReply = {
  readonly status: number
  readonly body: string
  /**
   * `X-DC-Boot`: which boot of the edge it comes from; only an edge with our rpc.cfg names it, in each reply
   */
  readonly boot?: string | undefined
  /** API Gateway's, as in its access log */
  readonly requestId?: string | undefined
}
export type RpcFailure = {
  readonly failure: 'unreachable' | 'broken' | 'malformed' | 'untrusted' | 'access-denied' | 'no-route'
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
  generation: z.int().min(0).exactOptional(),
  tls: edgeTls.exactOptional(),
})
export type RelayRequest = z.input<typeof relayRequest>

/** Where the relay may reach edges: private networks and the one port of their JSON-RPC. */
export const relayTargets = z.strictObject({
  /** e.g. `10.0.0.0/16` */
  networks: z.array(z.cidrv4().refine(isPrivateNetwork, 'must be a private network')).min(1),
  port: z.int().min(1).max(65_535).default(8080),
})
