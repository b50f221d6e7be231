import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import { type KnownKey, signatureFault } from './signature-check.ts'

export interface ApiGatewayOptions {
  readonly region: string
  /** whose signature is accepted */
  readonly key: KnownKey
  /** How long the edge may take; AWS: 30 s. */
  readonly timeoutMs?: number
  /** Where the access log is written, one JSON object a line. */
  readonly logFile?: string
}

/** One line of the access log: what the stage logs of a request. */
interface Access {
  readonly requestId: string
  readonly time: string
  readonly route: string
  readonly status: number
  readonly error?: string
}

/** An HTTP API with a VPC link, as far as an edge's caller can tell; without its network. */
export interface ApiGateway {
  /** what the functions get as `EDGE_API_URL` */
  readonly endpoint: string
  /** edge → its own JSON-RPC's URL; the path behind it is `POST /edges/<edge>/rpc` */
  readonly routes: Map<string, string>
  /** what was let through, with the headers that the edge got */
  readonly forwarded: readonly { readonly edge: string; readonly headers: Readonly<Record<string, string>> }[]
  /** what was answered to every request, refused ones too */
  readonly accessLog: readonly Access[]
  /** Answers the next requests like this instead of asking the edge. */
  answerNext(count: number, status: number, message: string): void
  close(): Promise<void>
}

/** Hop by hop, or kept by API Gateway for itself. */
const notForwarded = [
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'transfer-encoding',
  'via',
  'forwarded',
]

/** Of the edge's reply; API Gateway writes its own in their place. */
const notReturned = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date', 'server']

/** What it knows, what it is to answer, and what it has done. */
interface State {
  readonly routes: Map<string, string>
  readonly forwarded: { edge: string; headers: Record<string, string> }[]
  readonly planned: { status: number; message: string }[]
  readonly accessLog: Access[]
}

/**
 * A reverse proxy on loopback that behaves like API Gateway: checks each signature, knows its routes alone,
 * writes the edge's path over its own, adds `Via` and `Forwarded`, and answers in API Gateway's words for
 * what goes wrong.
 */
export async function startApiGateway(options: ApiGatewayOptions): Promise<ApiGateway> {
  const state: State = { routes: new Map(), forwarded: [], planned: [], accessLog: [] }
  const handle = requestHandler(options, state)
  const server = createServer((incoming, outgoing) => {
    // A caller that gave up has no use for an answer.
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(asError(error)))
  })
  const { promise: listening, resolve: listens } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listens)
  await listening
  const address = server.address()
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`,
    routes: state.routes,
    forwarded: state.forwarded,
    accessLog: state.accessLog,
    answerNext: (count, status, message) => {
      state.planned.push(...Array.from({ length: count }, () => ({ status, message })))
    },
    close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      return promise
    },
  }
}

type RequestHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

function requestHandler(
  { region, key, timeoutMs = 30_000, logFile }: ApiGatewayOptions,
  { routes, forwarded, planned, accessLog }: State,
): RequestHandler {
  function logged(incoming: IncomingMessage, requestId: string, status: number, error?: string): void {
    const route = `${incoming.method} ${incoming.url}`
    const line = { requestId, time: new Date().toISOString(), route, status, ...(error && { error }) }
    accessLog.push(line)
    if (logFile !== undefined) appendFileSync(logFile, `${JSON.stringify(line)}\n`)
  }

  function answer(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    status: number,
    message: string,
  ): void {
    if (outgoing.headersSent) return
    const requestId = randomUUID()
    logged(incoming, requestId, status, message)
    outgoing.writeHead(status, { 'content-type': 'application/json', 'apigw-requestid': requestId })
    outgoing.end(JSON.stringify({ message }))
  }

  return async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks).toString()
    const { method = '', url: path = '', headers } = incoming
    const edge = /^\/edges\/([^/]+)\/rpc$/.exec(path)?.[1] ?? ''
    const target = routes.get(edge)
    if (target === undefined || method !== 'POST') return answer(incoming, outgoing, 404, 'Not Found')
    const fault = signatureFault({ method, path, headers, body }, { ...key, region })
    if (fault !== undefined) return answer(incoming, outgoing, 403, fault)
    const plan = planned.shift()
    if (plan) return answer(incoming, outgoing, plan.status, plan.message)
    const passed = Object.entries(headers).filter(([name]) => !notForwarded.includes(name))
    const sent = {
      ...Object.fromEntries(passed.map(([name, value]) => [name, String(value)])),
      via: 'HTTP/1.1 AmazonAPIGateway',
      forwarded: `by=127.0.0.1;for=127.0.0.1;host=${headers.host};proto=https`,
    }
    forwarded.push({ edge, headers: sent })
    const reply = await askEdge(target, sent, body, timeoutMs)
    if ('message' in reply) return answer(incoming, outgoing, reply.status, reply.message)
    const requestId = randomUUID()
    logged(incoming, requestId, reply.status)
    const returned = Object.entries(reply.headers).filter(([name]) => !notReturned.includes(name))
    outgoing.writeHead(reply.status, { ...Object.fromEntries(returned), 'apigw-requestid': requestId })
    outgoing.end(reply.body)
  }
}

/** What the edge replied, or in API Gateway's words why it did not. */
type EdgeReply =
  | { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  | { readonly status: number; readonly message: string }

function askEdge(
  target: string,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
): Promise<EdgeReply> {
  const { promise, resolve } = Promise.withResolvers<EdgeReply>()
  const signal = AbortSignal.timeout(timeoutMs)
  // The integration's path is written over: whatever the route was, the edge is asked for this one.
  const asked = request(new URL('/rpc', target), { method: 'POST', headers, signal })
  const failed = (error: Error & { code?: string }) => {
    if (signal.aborted) resolve({ status: 504, message: 'Endpoint request timed out' })
    else if (error.code?.startsWith('HPE_') || error.code === 'ECONNRESET')
      resolve({ status: 502, message: 'Bad Gateway' })
    else resolve({ status: 503, message: 'Service Unavailable' })
  }
  asked.on('error', failed)
  asked.on('response', (answer) => {
    const received: Buffer[] = []
    answer.on('error', failed)
    answer.on('data', (chunk: Buffer) => received.push(chunk))
    answer.on('end', () =>
      resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(received) }),
    )
  })
  asked.end(body)
  return promise
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
