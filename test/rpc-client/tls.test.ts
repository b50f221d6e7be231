import { createServer } from 'node:https'
import { freePort } from '../../lab/programs/free-port.ts'
import { type TlsEdge, type TlsEdgeSpec, tlsContract } from './tls-contract.ts'

const address = '127.0.1.61'

async function open({ identity, clientCa, newest }: TlsEdgeSpec): Promise<TlsEdge> {
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      maxVersion: newest,
      ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => {
      request.resume()
      response.end('{"jsonrpc":"2.0","result":{},"id":1}')
    },
  )
  const port = await freePort(address)
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `https://${address}:${port}/rpc`, died: async () => undefined, close }
}

tlsContract('a server', () => ({ address, open, saysWhy: false, bearsTwo: true }))
