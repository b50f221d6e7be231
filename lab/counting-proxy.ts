import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** A TCP proxy in front of an edge's JSON-RPC that counts what passes, without understanding more of it than it must. */
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
  const passOn = (from: Socket, to: Socket, seen: (chunk: Buffer) => Buffer) => {
    from.on('data', (chunk: Buffer) => {
      const passed = seen(chunk)
      if (roundTripMs === 0) to.write(passed)
      else setTimeout(() => to.write(passed), roundTripMs / 2)
    })
    from.on('end', () => setTimeout(() => to.end(), roundTripMs / 2))
  }
  const server = createServer((client) => {
    const edge = connect(rpcPort, address)
    keep(client)
    keep(edge)
    let tail = ''
    passOn(client, edge, (chunk) => {
      sent += chunk.length
      // A request line may be cut anywhere: what may be its beginning is kept for the next piece.
      const text = tail + chunk.toString('latin1')
      requests += text.split(requestLine).length - 1
      tail = text.slice(-(requestLine.length - 1))
      return chunk
    })
    passOn(edge, client, (chunk) => {
      received += chunk.length
      if (!hidesBoot) return chunk
      return Buffer.from(chunk.toString('latin1').replaceAll('X-DC-Boot:', 'X-Hidden-:'), 'latin1')
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
