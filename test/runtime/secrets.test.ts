import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { environment as names } from '../../functions/contracts/names.ts'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { createLogger } from '../../functions/runtime/logger.ts'
import { createPorts } from '../../functions/runtime/ports.ts'
import { awsStub } from '../aws/aws-stub.ts'
import { memoryConfig } from '../memory/ports.ts'

const planted = 'planted-secret-0xC0FFEE'
const group = memoryConfig.groups[0]

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

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

test('a secret reaches the edge, and neither an error nor the log, however it goes wrong', async () => {
  const refusing = await refuser()
  const stub = await awsStub(({ operation, body }) => {
    if (operation === 'GetParameter') return { result: { Parameter: { ...body, Value: planted } } }
    const Value = JSON.stringify({ url: `http://127.0.0.1:${refusing.port}/rpc` })
    return { result: { Parameters: [{ Name: '/control/edges/a', Value }] } }
  })
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL: stub.client.endpoint,
    AWS_REGION: stub.client.region,
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
  const callCount = {
    kind: 'asterisk',
    port: refusing.port,
    user: 'ari',
    passwordParameter: '/control/ari',
  } as const
  const ports = createPorts(
    readEnvironment({
      [names.config]: JSON.stringify({ ...memoryConfig, groups: [{ ...group, callCount }] }),
      [names.table]: 'control-table',
      [names.edgesPath]: '/control/edges',
      [names.rpcSecretParameter]: '/control/rpc-secret',
      [names.eventBus]: 'control',
      [names.stateMachine]: 'arn:aws:states:eu-central-1:123456789012:stateMachine:drain',
      [names.service]: 'control/Control',
    }),
  )
  const logger = createLogger({ drainId: 'd-1' })
  const [edge] = await ports.fleet.edges()
  for (const attempt of [
    () => edge?.list(),
    () => ports.mediaServers.activeCalls({ group: 'media', addresses: ['127.0.0.1'] }),
    () => ports.deadLetters.reject({ body: '{}' }, new Error('bad')),
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
  const lines = written.join('')
  expect(lines).toContain('"drainId":"d-1"')
  expect(lines).toContain('403')
  expect(lines).not.toContain(planted)
  expect(lines).not.toContain(basic)
})
