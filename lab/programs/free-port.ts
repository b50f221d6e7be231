import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/**
 * A port of `host` that nobody listens on, for UDP and TCP alike.
 * @throws when there is none after ten attempts
 */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const port = await freeUdpPort(host)
    if (await tcpIsFree(host, port)) return port
  }
  throw new Error(`no port of ${host} is free for both UDP and TCP`)
}

function freeUdpPort(host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.once('error', reject)
  socket.bind(0, host, () => {
    const { port } = socket.address()
    socket.close(() => resolve(port))
  })
  return promise
}

function tcpIsFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, host, () => server.close(() => resolve(true)))
  return promise
}
