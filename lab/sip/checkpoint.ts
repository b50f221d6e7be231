import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { freePort } from '../programs/free-port.ts'
import { send } from './edge-rpc.ts'

/** One half of an exchange: the request on its way, or the answer on its way back. */
export interface Passing {
  readonly half: 'request' | 'answer'
  /** of a request to DynamoDB, e.g. `PutItem`; of any other '' */
  readonly action: string
  /** the request's body, with either half */
  readonly body: string
}

/** Something that is not let through. */
export interface Stop {
  /** Resolves when the first one has come. */
  readonly reached: Promise<void>
  /** The connections on which an answer is waited for. */
  readonly waiting: () => readonly Socket[]
  /** What comes from now on passes. What was stopped never does. */
  readonly lift: () => void
}

/** Stands between our functions and an HTTP server, and lets everything pass but what it is told to stop. */
export interface Checkpoint {
  /** where it stands, e.g. `http://127.0.0.1:4711` */
  readonly origin: string
  /** Stops whatever `isMeant`, repetitions too: a client that waits too long asks again. */
  readonly stop: (isMeant: (passing: Passing) => boolean) => Stop
  readonly close: () => Promise<void>
}

interface Server {
  readonly host: string
  readonly port: number
}

/** @param behind the server; a promise where it is not up yet, and nobody asks before */
export async function startCheckpoint(
  address: string,
  behind: Server | Promise<Server>,
): Promise<Checkpoint> {
  const port = await freePort(address)
  const stops = new Set<(passing: Passing, socket: Socket) => boolean>()
  const isStopped = (passing: Passing, socket: Socket) =>
    [...stops].some((isMeant) => isMeant(passing, socket))
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers, socket } = request
    const body = await text(request)
    const action = String(headers['x-amz-target'] ?? '').replace(/^.*\./, '')
    if (isStopped({ half: 'request', action, body }, socket)) return
    const reply = await send(await behind, { path, method, headers: passedOn(headers), body })
    if (isStopped({ half: 'answer', action, body }, socket)) return
    const boot = reply.boot !== undefined && { 'x-dc-boot': reply.boot }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...boot }).end(reply.body)
  }
  const server = createServer((request, response) => {
    // Whatever broke on one side breaks on the other.
    pass(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  return {
    origin: `http://${address}:${port}`,
    stop: (isMeant) => {
      const reached = Promise.withResolvers<void>()
      const waiting = new Set<Socket>()
      const stop = (passing: Passing, socket: Socket) => {
        if (!isMeant(passing)) return false
        waiting.add(socket)
        socket.once('close', () => waiting.delete(socket))
        reached.resolve()
        return true
      }
      stops.add(stop)
      return {
        reached: reached.promise,
        waiting: () => [...waiting],
        lift: () => void stops.delete(stop),
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Of one connection alone, not of the message. */
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding']

function passedOn(headers: IncomingMessage['headers']): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !hopByHop.includes(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
}
