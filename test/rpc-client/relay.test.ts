import { LambdaClient } from '@aws-sdk/client-lambda'
import { describe, expect, test, vi } from 'vitest'
import { createRelayTransport } from '../../functions/aws/relay-transport.ts'
import { edgeAccessEnvironment } from '../../functions/contracts/names.ts'
import { batchOf } from '../../functions/contracts/rpc.ts'
import { relayHandler } from '../../functions/runtime/relay-handler.ts'
import { key, throughRelay } from './gateway-paths.ts'
import { clientOf, type HttpRequest, loopback, reply, result } from './loopback.ts'

const uptime = { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 }
const good = (request: HttpRequest, socket: Parameters<typeof reply>[0]) =>
  reply(socket, result(request, uptime))

describe('through the relay', () => {
  const post = async (url: string, body: string, targets?: object) => {
    const { transport } = await throughRelay(url, targets)
    return transport.post({ body, secret: undefined, limit: 1000, signal: AbortSignal.timeout(2000) })
  }
  const request = '{"jsonrpc":"2.0","method":"core.uptime","params":[],"id":1}'

  test('it reaches only the configured networks, port and path', async () => {
    const server = await loopback(good)
    const port = Number(new URL(server.url).port)
    const ours = { networks: ['127.0.0.0/8'], port }
    expect(await post(server.url, request, ours)).toMatchObject({ status: 200 })
    for (const [url, targets] of [
      [server.url, { ...ours, networks: ['10.0.0.0/8'] }],
      [server.url, { ...ours, port: port + 1 }],
      [server.url.replace('127.0.0.1', 'localhost'), ours],
      [server.url.replace('/rpc', '/other'), ours],
      [`${server.url}?more`, ours],
      [server.url.replace('127.', 'user@127.'), ours],
    ] as const)
      expect(await post(url, request, targets)).toMatchObject({ failure: 'no-route' })
    expect(server.requests).toHaveLength(1)
  })

  test('it keeps one set of connections to an edge, in whatever words it is named', async () => {
    const server = await loopback(good)
    const targets = { networks: ['127.0.0.0/8'], port: Number(new URL(server.url).port) }
    vi.stubEnv(edgeAccessEnvironment.relayTargets, JSON.stringify(targets))
    const relay = relayHandler()
    vi.unstubAllEnvs()
    for (let words = 0; words < 20; words += 1)
      expect(
        await relay({ url: `${server.url}#${words}`, body: request, limit: 1000, timeoutMs: 2000 }),
      ).toMatchObject({ status: 200 })
    expect(server.connections()).toBeLessThanOrEqual(8)
  })

  test('what it is asked for goes along', async () => {
    const server = await loopback(good)
    const { transport } = await throughRelay(server.url)
    await clientOf(server, { transport, correlationId: () => 'event-4711' }).boot()
    expect(server.requests[0]?.head).toMatch(/^x-correlation-id: event-4711$/im)
    const unsafe = clientOf(server, { transport, correlationId: () => 'two words' }).boot()
    await expect(unsafe).rejects.toMatchObject({ fault: 'malformed' })
    expect(server.requests).toHaveLength(1)
  })

  test('it says only what our own client may say', async () => {
    const server = await loopback(good)
    for (const body of [
      request.replace('core.uptime', 'core.shutdown'),
      request.replace('"method"', '"method":"core.kill","method"'),
      request.replace('}', ' }'),
      request.replace('[]', '["more"]'),
      'rubbish',
    ])
      expect(await post(server.url, body)).toMatchObject({ failure: 'access-denied' })
    expect(server.requests).toEqual([])
  })

  test('a batch goes through as it is, unless one of its lines is refused or it is too large', async () => {
    const server = await loopback((_request, socket) => reply(socket, '[]', '200 OK', ['X-DC-Boot: 1-2']))
    const allowed = batchOf([request, request])
    expect(await post(server.url, allowed)).toEqual({ status: 200, body: '[]', boot: '1-2' })
    expect(server.requests.map(({ body }) => body)).toEqual([allowed])
    for (const body of [
      batchOf([request, request.replace('core.uptime', 'core.shutdown')]),
      batchOf([request.replace('}', ' }'), request]),
      batchOf(Array.from({ length: 101 }, () => request)),
      allowed.replaceAll('\n', '\r\n'),
      allowed.replace(',\n', '\n'),
      `${allowed}\n`,
      '[\n\n]',
    ])
      expect(await post(server.url, body)).toMatchObject({ failure: 'access-denied' })
    expect(server.requests).toHaveLength(1)
  })

  test('the generation of a lease goes along, and one that is no number goes nowhere', async () => {
    const server = await loopback(good)
    const { transport } = await throughRelay(server.url)
    const edge = clientOf(server, { transport })
    await edge.under(4711).boot()
    await edge.boot()
    expect(server.requests.map(({ head }) => /^x-dc-generation: .*$/im.exec(head)?.[0])).toEqual([
      'x-dc-generation: 4711',
      undefined,
    ])
    for (const generation of [-1, 0.5, Number.NaN]) expect(() => edge.under(generation)).toThrow(RangeError)
    // The relay checks it too: it may be invoked by somebody else.
    for (const generation of [-1, 0.5, Number.NaN]) {
      const message = { body: request, secret: undefined, limit: 1000, signal: AbortSignal.timeout(2000) }
      expect(await transport.post({ ...message, generation })).toMatchObject({ failure: 'malformed' })
    }
    expect(server.requests).toHaveLength(2)
  })

  test('an edge that is not there is unreachable, and what it was asked with is in no answer', async () => {
    const { transport } = await throughRelay('http://127.0.0.1:1/rpc', {
      networks: ['127.0.0.1/32'],
      port: 1,
    })
    const boot = clientOf(
      { url: 'http://127.0.0.1:1/rpc' },
      {
        transport,
        key: { secret: async () => 'planted-secret', refreshSecret: async () => 'planted-secret' },
      },
    ).boot()
    await expect(boot).rejects.toMatchObject({ fault: 'unreachable' })
    await expect(boot).rejects.not.toThrow('planted-secret')
  })

  test('a relay that fails is named by its invocation, as in its own log, and what it says is not repeated', async () => {
    const lambda = await loopback((_request, socket) =>
      reply(socket, '{"errorMessage":"planted-secret"}', '200 OK', [
        'X-Amz-Function-Error: Unhandled',
        'x-amzn-RequestId: 5f3a7c1e-0000-4000-8000-000000000000',
      ]),
    )
    const endpoint = new URL(lambda.url).origin
    const client = new LambdaClient({ endpoint, region: 'eu-central-1', credentials: key, maxAttempts: 1 })
    const url = 'http://10.0.0.5:8080/rpc'
    const transport = createRelayTransport({ client, functionName: 'relay', url, timeoutMs: 2000 })
    const boot = clientOf({ url }, { transport }).boot()
    await expect(boot).rejects.toThrow('[request 5f3a7c1e-0000-4000-8000-000000000000]')
    await expect(boot).rejects.not.toThrow('planted-secret')
  })

  test('a relay that is not there is unreachable, one that we may not invoke is our own fault', async () => {
    for (const [name, status, expected] of [
      ['AccessDeniedException', '403 Forbidden', { failure: 'access-denied' }],
      ['TooManyRequestsException', '429 Too Many Requests', { status: 429 }],
      ['ResourceNotFoundException', '404 Not Found', { failure: 'unreachable' }],
    ] as const) {
      const lambda = await loopback((_request, socket) =>
        reply(socket, '{"message":"no"}', status, [`x-amzn-ErrorType: ${name}`]),
      )
      const endpoint = new URL(lambda.url).origin
      const client = new LambdaClient({ endpoint, region: 'eu-central-1', credentials: key, maxAttempts: 1 })
      const url = 'http://10.0.0.5:8080/rpc'
      const transport = createRelayTransport({ client, functionName: 'relay', url, timeoutMs: 2000 })
      const message = { body: request, secret: undefined, limit: 1000, signal: AbortSignal.timeout(2000) }
      expect(await transport.post(message)).toMatchObject(expected)
    }
  })
})
