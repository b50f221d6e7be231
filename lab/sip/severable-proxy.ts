import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../programs/free-port.ts'
import type { Edge } from './edge.ts'
import type { Interposed } from './interposed.ts'

/**
 * The way to an edge's JSON-RPC, which can be severed: the edge goes on with its calls, and nobody is
 * answered.
 */
export interface Severable extends Interposed {
  readonly sever: () => void
  readonly mend: () => void
}

/** Stands between an edge and whoever was told its URL, and passes bytes on while it is whole. */
export async function startSeverableProxy(edge: Edge): Promise<Severable> {
  const port = await freePort(edge.address)
  const sockets = new Set<Socket>()
  let severed = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A reset by either side closes it, and that is all that there is to know.
    socket.on('error', () => socket.destroy())
  }
  const server = createServer((client) => {
    keep(client)
    if (severed) return
    const upstream = connect(edge.rpcPort, edge.address)
    keep(upstream)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(port, edge.address, resolve))
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://${edge.address}:${port}/rpc`,
    sever: () => {
      severed = true
      drop()
    },
    mend: () => {
      severed = false
      drop()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        drop()
      }),
  }
}
