import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { SSMClient } from '@aws-sdk/client-ssm'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { controlConfig } from '../../functions/contracts/config.ts'
import { edgeTransports } from '../../functions/runtime/edge-transports.ts'
import { memoryConfig } from '../memory/ports.ts'
import { loopback, reply } from '../rpc-client/loopback.ts'
import { clientOf, held, ours, post } from '../rpc-client/tls-contract.ts'

const signing = new SSMClient({
  region: 'eu-central-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
}).config
const source = held({ ca: ours.certificate, client: clientOf(ours) })
const none = {
  get: () => Promise.reject(new Error('it was asked for')),
  refresh: () => Promise.reject(new Error('it was asked for')),
}
const config = controlConfig.parse(memoryConfig)
const parameter = (url: string) => ({ url, restoresDialogs: false })

afterEach(() => vi.unstubAllEnvs())

async function tlsEdge() {
  const { certificate: cert, key } = ours.issue({ name: 'edge', host: '127.0.0.1' })
  const server = createTlsServer(
    { cert, key, ca: ours.certificate, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      request.resume()
      response.end('{}')
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`
}

test('an edge with an https url is shown our certificate; for one with http it is not even read', async () => {
  const secured = edgeTransports({ config }, signing, source)('edge-a', parameter(await tlsEdge()))
  expect(await post(secured)).toMatchObject({ status: 200 })
  await secured.close()

  const plain = await loopback((_request, socket) => reply(socket, '{}'))
  const inClear = edgeTransports({ config }, signing, none)('edge-b', parameter(plain.url))
  expect(await post(inClear)).toMatchObject({ status: 200 })
  await inClear.close()
})

test('by the relay it goes with the invocation for an https url, and for no other', async () => {
  const invocations: string[] = []
  const lambda = await loopback((request, socket) => {
    invocations.push(request.body)
    reply(socket, '{"status":200,"body":"{}"}')
  })
  vi.stubEnv('AWS_ENDPOINT_URL', new URL(lambda.url).origin)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'stub')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'stub')
  const transportOf = edgeTransports({ config, edgeRelay: 'edge-relay' }, signing, source)
  for (const url of ['https://10.0.0.5:8443/rpc', 'http://10.0.0.6:8080/rpc'])
    expect(await post(transportOf('edge-a', parameter(url)))).toMatchObject({ status: 200 })
  const { ca, client } = await source.get()
  expect(invocations.map((text) => JSON.parse(text))).toMatchObject([
    { url: 'https://10.0.0.5:8443/rpc', tls: { ca, client } },
    { url: 'http://10.0.0.6:8080/rpc' },
  ])
  expect(invocations[1]).not.toContain('CERTIFICATE')
})
