import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../programs/free-port.ts'

/**
 * A TCP proxy in front of an edge's JSON-RPC that counts what passes, without understanding more of it than
 * it must.
 */
export interface CountingProxy {
  readonly url: string
  /** HTTP requests seen so far */
  readonly requests: () => number
  /** bytes to the edge and from it */
  readonly bytes: () => { readonly sent: number; readonly received: number }
  readonly close: () => Promise<void>
}

export interface CountingProxyOptions {
  /** added to each direction: half of it is a request's way there, half the way back */
  readonly roundTripMs?: number
  /** hides `X-DC-Boot`, as of an edge without our rpc.cfg: its client asks one by one */
  readonly hidesBoot?: boolean
}

const requestLine = 'POST /rpc HTTP/1.1\r\n'
const bootHeader = 'X-DC-Boot:'
const hidden = 'X-Hidden-:'

/** Stands between an edge at `host:port` and a client that is told `url`. */
export async function startCountingProxy(
  { address, rpcPort }: { readonly address: string; readonly rpcPort: number },
  { roundTripMs = 0, hidesBoot = false }: CountingProxyOptions = {},
): Promise<CountingProxy> {
  const port = await freePort(address)
  const sockets = new Set<Socket>()
  let [requests, sent, received] = [0, 0, 0]
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    // A reset by either side closes it, and that is all that there is to know.
    socket.on('error', () => socket.destroy())
  }
  const later = (pass: () => void) => {
    if (roundTripMs === 0) pass()
    else setTimeout(pass, roundTripMs / 2)
  }
  const passOn = (from: Socket, to: Socket, seen: Seen) => {
    from.on('data', (chunk: Buffer) => {
      const passed = seen.next(chunk)
      later(() => to.write(passed))
    })
    from.on('end', () => later(() => to.end(seen.rest())))
  }
  const server = createServer((client) => {
    const edge = connect(rpcPort, address)
    keep(client)
    keep(edge)
    const count = counter(() => {
      requests += 1
    })
    passOn(client, edge, {
      next: (chunk) => {
        sent += chunk.length
        count(chunk)
        return chunk
      },
      rest: () => Buffer.alloc(0),
    })
    const hide = hidesBoot ? hider() : unchanged
    passOn(edge, client, {
      next: (chunk) => {
        received += chunk.length
        return hide.next(chunk)
      },
      rest: hide.rest,
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(port, address, resolve)
  await promise
  return {
    url: `http://${address}:${port}/rpc`,
    requests: () => requests,
    bytes: () => ({ sent, received }),
    close: () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>()
      server.close(() => done())
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}

/** What becomes of the pieces of one direction of one connection. */
interface Seen {
  readonly next: (chunk: Buffer) => Buffer
  /** what was kept back, when no more comes */
  readonly rest: () => Buffer
}

const unchanged: Seen = { next: (chunk) => chunk, rest: () => Buffer.alloc(0) }

/** TCP may cut a request line anywhere: what may be its beginning is looked at again with the next piece. */
function counter(seen: () => void): (chunk: Buffer) => void {
  let tail = ''
  return (chunk) => {
    const text = tail + chunk.toString('latin1')
    const parts = text.split(requestLine)
    for (const _ of parts.slice(1)) seen()
    tail = beginningOf(requestLine, parts.at(-1) ?? '')
  }
}

/** The same for the header: what may be its beginning is kept back until the next piece shows what it is. */
function hider(): Seen {
  let tail = ''
  return {
    next: (chunk) => {
      const text = (tail + chunk.toString('latin1')).replaceAll(bootHeader, hidden)
      tail = beginningOf(bootHeader, text)
      return Buffer.from(text.slice(0, text.length - tail.length), 'latin1')
    },
    rest: () => Buffer.from(tail, 'latin1'),
  }
}

/** @returns the longest end of a text with which `whole` may begin */
function beginningOf(whole: string, text: string): string {
  for (let length = Math.min(whole.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(whole.slice(0, length))) return whole.slice(0, length)
  return ''
}
