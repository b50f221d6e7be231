import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { destinationUri } from '../../functions/control/destination.ts'
import { createEdge, type EdgeSettings } from '../../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { oneAtATime } from '../port-contracts/one-at-a-time.ts'

export interface HttpRequest {
  readonly head: string
  readonly body: string
  /** from 1, over all connections */
  readonly number: number
  /** from 1 */
  readonly connection: number
}

export interface Loopback {
  readonly url: string
  readonly requests: readonly HttpRequest[]
  connections(): number
}

/** A TCP server that speaks as much HTTP as `answer` makes it. It ends with the test. */
export async function loopback(
  answer: (request: HttpRequest, socket: Socket) => void,
  connected: (socket: Socket) => void = () => undefined,
): Promise<Loopback> {
  const requests: HttpRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    // a client that gives up resets the connection, which is what some tests are about
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    connected(socket)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (;;) {
        const [head = '', rest] = split(text)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        if (rest === undefined || rest.length < length) return
        text = rest.slice(length)
        const request = { head, body: rest.slice(0, length), number: requests.length + 1, connection }
        requests.push(request)
        answer(request, socket)
      }
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port}/rpc`, requests, connections: () => connections }
}

function split(text: string): [string, string?] {
  const end = text.indexOf('\r\n\r\n')
  return end === -1 ? [text] : [text.slice(0, end), text.slice(end + 4)]
}

/** A complete HTTP reply. */
export function reply(
  socket: Socket,
  body: string,
  status = '200 OK',
  headers: readonly string[] = [],
): void {
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body]
  socket.write(lines.join('\r\n'))
}

/** What jsonrpcs itself answers to a batch, of which it executes nothing (6.1.5, 5.6.3). */
export const noBatches = '{"jsonrpc":"2.0","result":{}}'

export function isBatch({ body }: HttpRequest): boolean {
  return body.startsWith('[')
}

/** A JSON-RPC result for the request's own id. */
export function result(request: HttpRequest, value: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', result: value, id: idOf(request) })
}

export function idOf(request: HttpRequest): number {
  return Number(/"id":(\d+)\}$/.exec(request.body)?.[1])
}

/** Our client of that server, closed with the test. */
export function clientOf(server: { url: string }, settings: Partial<EdgeSettings> = {}) {
  const edge = createEdge({
    id: 'edge-a',
    transport: createHttpTransport({ url: server.url, timeoutMs: settings.timeoutMs ?? 2000 }),
    restoresDialogs: false,
    timeoutMs: 2000,
    ...settings,
  })
  onTestFinished(() => edge.close())
  return { ...edge, ...oneAtATime(edge) }
}

export function uriOf(text: string) {
  const uri = destinationUri(text)
  if (!uri) throw new Error(`${text} is no SIP URI`)
  return uri
}
export const media = uriOf('sip:10.0.1.20:5060')
