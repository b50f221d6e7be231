import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { edgeAccessEnvironment, environment as names } from '../../functions/contracts/names.ts'
import { EdgeError } from '../../functions/control/errors.ts'
import { readEdgeEnvironment } from '../../functions/runtime/edge-environment.ts'
import { createEdgePorts } from '../../functions/runtime/edge-ports.ts'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { createLogger } from '../../functions/runtime/logger.ts'
import { createPorts } from '../../functions/runtime/ports.ts'
import { awsStub } from '../aws/aws-stub.ts'
import { memoryConfig } from '../memory/ports.ts'
import { some } from '../present.ts'
import { clientOf, expectNothingOf, ours, theirs } from '../rpc-client/tls-contract.ts'
import { edgeVariables, functionVariables } from './function-environment.ts'

const planted = 'planted-secret-0xC0FFEE'
const group = memoryConfig.groups[0]

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** AWS on loopback. @returns all that has been written since */
function watched({ endpoint, region }: { readonly endpoint: string; readonly region: string }): () => string {
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'stub',
    AWS_SECRET_ACCESS_KEY: planted,
    POWERTOOLS_LOG_LEVEL: 'DEBUG',
  }))
    vi.stubEnv(name, value)
  const written: string[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(String(text))
      return true
    })
  return () => written.join('')
}

/** An edge or a media server that refuses everybody. */
async function refuser() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    asked.push(JSON.stringify(request.headers))
    response.writeHead(403).end('no')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { asked, port, close }
}

/**
 * Edges that speak TLS: one refuses the secret, one has a CA that is not ours, one takes no client of ours.
 */
async function tlsEdges() {
  const shown: (string | undefined)[] = []
  const open = async (authority: typeof ours, ca: string) => {
    const { certificate: cert, key } = authority.issue({ name: 'edge', host: '127.0.0.1' })
    const server = createTlsServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        request.resume()
        response.writeHead(403).end('no')
      },
    )
    server.on('secureConnection', (socket) => shown.push(socket.getPeerX509Certificate()?.subject))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close().closeAllConnections())
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`
  }
  const urls = [
    await open(ours, ours.certificate),
    await open(theirs, ours.certificate),
    await open(ours, theirs.certificate),
  ]
  return { urls, shown }
}

test("a client certificate's key proves who we are to the edge, and is in no error and no line of the log", async () => {
  const { urls, shown } = await tlsEdges()
  const client = clientOf(ours)
  const values = { '/tls/ca': ours.certificate, '/tls/client': client.certificate, '/tls/key': client.key }
  const stub = await awsStub(({ operation, body }) => {
    if (operation === 'GetParameter') return { result: { Parameter: { ...body, Value: planted } } }
    const stored = operation === 'GetParameters' ? Object.entries(values) : []
    const edges = urls.map((url, nth) => [`/control/edges/${'abc'[nth]}`, JSON.stringify({ url })] as const)
    const found = operation === 'GetParameters' ? stored : edges
    return { result: { Parameters: found.map(([Name, Value]) => ({ Name, Value, Type: 'SecureString' })) } }
  })
  const written = watched(stub.client)
  const { fleet } = createEdgePorts(
    readEdgeEnvironment({
      ...edgeVariables,
      [edgeAccessEnvironment.tls]: JSON.stringify({
        caParameter: '/tls/ca',
        certificateParameter: '/tls/client',
        keyParameter: '/tls/key',
      }),
    }),
  )
  const logger = createLogger({ drainId: 'd-1' })
  const faults: unknown[] = []
  for (const edge of some(await fleet.edges())) {
    const error = await edge.list().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EdgeError)
    faults.push(error instanceof EdgeError && error.fault)
    expectNothingOf({ ca: ours.certificate, client }, error)
    logger.error('It went wrong', { error })
  }
  // The last is a server of Node's, which closes and does not say why.
  expect(faults).toEqual(['unauthorized', 'untrusted', 'unreachable'])
  expect(shown).toContain('CN=dispatcher-control')
  expect(written()).toContain('"drainId":"d-1"')
  expect(written()).toContain('not signed by our CA')
  expectNothingOf({ ca: ours.certificate, client }, written())
})

test('a secret reaches the edge, and neither an error nor the log, however it goes wrong', async () => {
  const refusing = await refuser()
  const stub = await awsStub(({ operation, body }) => {
    if (operation === 'GetParameter') return { result: { Parameter: { ...body, Value: planted } } }
    const Value = JSON.stringify({ url: `http://127.0.0.1:${refusing.port}/rpc` })
    return { result: { Parameters: [{ Name: '/control/edges/a', Value }] } }
  })
  const written = watched(stub.client)
  const callCount = {
    kind: 'asterisk',
    port: refusing.port,
    user: 'ari',
    passwordParameter: '/control/ari',
  } as const
  const { deadLetters } = createPorts(readEnvironment(functionVariables))
  const ports = createEdgePorts(
    readEdgeEnvironment({
      ...edgeVariables,
      [names.config]: JSON.stringify({ ...memoryConfig, groups: [{ ...group, callCount }] }),
    }),
  )
  const logger = createLogger({ drainId: 'd-1' })
  const [edge] = await ports.fleet.edges()
  for (const attempt of [
    () => edge?.list(),
    () => ports.mediaServers.activeCalls({ group: 'media', addresses: ['127.0.0.1'] }),
    () => deadLetters.reject({ body: '{}', senderId: 'AIDA1', sentAt: 0 }, new Error('bad')),
  ]) {
    const error = await Promise.resolve(attempt()).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(Error)
    logger.error('It went wrong', { error })
  }
  ports.metrics.count('Rejected', 1, { edge: 'a' })
  refusing.close()

  const basic = Buffer.from(`ari:${planted}`).toString('base64')
  expect(refusing.asked.join()).toContain(planted)
  expect(refusing.asked.join()).toContain(basic)
  const lines = written()
  expect(lines).toContain('"drainId":"d-1"')
  expect(lines).toContain('403')
  expect(lines).not.toContain(planted)
  expect(lines).not.toContain(basic)
})
