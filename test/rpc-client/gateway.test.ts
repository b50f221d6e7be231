import { SSMClient } from '@aws-sdk/client-ssm'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createRequestSigner } from '../../functions/aws/request-signer.ts'
import { isAllowedRequest } from '../../functions/contracts/rpc.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { key, throughGateway } from './gateway-paths.ts'
import { clientOf, type HttpRequest, loopback, media, reply, result } from './loopback.ts'

const uptime = { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 }
const good = (request: HttpRequest, socket: Parameters<typeof reply>[0]) =>
  reply(socket, result(request, uptime))

describe('through API Gateway', () => {
  test('the edge gets its own path, the secret, and the headers that API Gateway adds; never the signature', async () => {
    const server = await loopback(good)
    const { transport, gateway } = await throughGateway(server.url.replace('/rpc', '/'))
    const secret = 'the-shared-secret'
    const client = clientOf(server, {
      transport,
      key: { secret: async () => secret, refreshSecret: async () => secret },
      correlationId: () => 'event-4711',
    })
    expect(await client.boot()).toMatchObject({ uptimeSeconds: 4 })
    const [{ head } = { head: '' }] = server.requests
    expect(head).toMatch(/^POST \/rpc HTTP\/1\.1/)
    expect(head).toMatch(/^via: HTTP\/1\.1 AmazonAPIGateway$/im)
    expect(head).toMatch(/^forwarded: /im)
    expect(head).toMatch(/^x-rpc-key: the-shared-secret$/im)
    expect(head).toMatch(/^x-correlation-id: event-4711$/im)
    expect(head).not.toMatch(/^authorization:/im)
    expect(gateway.forwarded).toHaveLength(1)
  })

  test.each([
    [
      'another secret key',
      { credentials: { ...key, secretAccessKey: 'another' } },
      'request signature we calc',
    ],
    [
      'an unknown access key',
      { credentials: { ...key, accessKeyId: 'AKIDOTHER' } },
      'security token included',
    ],
    ['no signature', { signed: false }, 'Missing Authentication Token'],
  ])(
    '%s is our own fault, not the edge’s secret, which is not asked for again',
    async (_what, options, said) => {
      const server = await loopback(good)
      const { transport } = await throughGateway(server.url, options)
      const refreshSecret = vi.fn(async () => 'another-secret')
      const client = clientOf(server, { transport, key: { secret: async () => 'one-secret', refreshSecret } })
      const boot = client.boot()
      await expect(boot).rejects.toMatchObject({ fault: 'access-denied' })
      await expect(boot).rejects.toThrow(said)
      await expect(boot).rejects.toThrow('execute-api:Invoke')
      expect(refreshSecret).not.toHaveBeenCalled()
      expect(server.requests).toEqual([])
    },
  )

  test('a body or header that was changed on the way does not pass', async () => {
    const server = await loopback(good)
    const { gateway } = await throughGateway(server.url)
    const post = async (body: string, headers: Record<string, string>) =>
      (await fetch(`${gateway.endpoint}/edges/edge-a/rpc`, { method: 'POST', body, headers })).status
    const sign = createRequestSigner(new SSMClient({ region: 'eu-central-1', credentials: key }).config)
    const url = new URL(`${gateway.endpoint}/edges/edge-a/rpc`)
    const headers = {
      ...(await sign({ url, headers: { 'x-rpc-key': 'the-shared-secret' }, body: '{"id":1}' })),
    }
    expect(await post('{"id":1}', headers)).toBe(200)
    expect(await post('{"id":2}', headers)).toBe(403)
    expect(await post('{"id":1}', { ...headers, 'x-rpc-key': 'another-secret' })).toBe(403)
    expect(await post('{"id":1}', { ...headers, 'x-amz-more': 'unsigned' })).toBe(403)
  })

  test('an edge without a route is named as that', async () => {
    const server = await loopback(good)
    const { transport, gateway } = await throughGateway(server.url)
    gateway.routes.clear()
    const boot = clientOf(server, { transport }).boot()
    await expect(boot).rejects.toMatchObject({ fault: 'no-route' })
    await expect(boot).rejects.toThrow(/edge-a: no-route: .*edgeAccess\.edges/)
  })

  test("the edge's own 401, 403 and 404 stay the edge's", async () => {
    for (const [status, fault] of [
      ['401 Unauthorized', 'unauthorized'],
      ['403 Forbidden', 'unauthorized'],
      ['404 Not Found', 'unsupported'],
    ] as const) {
      const server = await loopback((_request, socket) => reply(socket, '', status))
      const { transport } = await throughGateway(server.url)
      await expect(clientOf(server, { transport }).boot()).rejects.toMatchObject({ fault })
    }
  })

  test.each([
    [500, 'Internal Server Error', 'unreachable'],
    [502, 'Bad Gateway', 'unreachable'],
    [503, 'Service Unavailable', 'unreachable'],
    [504, 'Endpoint request timed out', 'unreachable'],
    [429, 'Too Many Requests', 'throttled'],
    [403, 'Forbidden', 'access-denied'],
    [404, 'Not Found', 'no-route'],
  ])('%i %s is %s', async (status, message, fault) => {
    const server = await loopback(good)
    const { transport, gateway } = await throughGateway(server.url)
    gateway.answerNext(1, status, message)
    await expect(clientOf(server, { transport }).boot()).rejects.toMatchObject({ fault })
  })

  test('an edge that is gone, hangs up or is slower than API Gateway waits is unreachable', async () => {
    const hangsUp = await loopback((_request, socket) => socket.destroy())
    const silent = await loopback(() => undefined)
    for (const url of ['http://127.0.0.1:1/rpc', hangsUp.url, silent.url]) {
      const { transport } = await throughGateway(url, { timeoutMs: 100 })
      await expect(clientOf({ url }, { transport }).boot()).rejects.toMatchObject({ fault: 'unreachable' })
    }
  })

  test.each([
    ['503 Service Unavailable', '{"message":"Service Unavailable"}'],
    ['401 Unauthorized', ''],
    ['200 OK', 'rubbish'],
    ['200 OK', '{"jsonrpc":"2.0","error":{"code":500,"message":"no"},"id":1}'],
  ])('a request that failed with %s %s is named as in the access log', async (status, body) => {
    const apiOf = (id: string) =>
      loopback((_request, socket) => reply(socket, body, status, [`Apigw-Requestid: ${id}`]))
    const failed = clientOf(await apiOf('JKJaXmPLvHcESHA=')).boot()
    await expect(failed).rejects.toThrow('[API request JKJaXmPLvHcESHA=]')
    await expect(clientOf(await apiOf('what is no id')).boot()).rejects.not.toThrow('no id')
  })

  test('what was throttled is said again, a write too, with a longer wait each time and an end', async () => {
    const ok = 'Ok. Dispatcher state updated.'
    const server = await loopback((request, socket) => reply(socket, result(request, ok)))
    const { transport, gateway } = await throughGateway(server.url)
    const backOff = vi.fn(async (_attempt: number) => undefined)
    const client = clientOf(server, { transport, backOff })
    gateway.answerNext(3, 429, 'Too Many Requests')
    await client.setState('d', 1, media)
    expect(backOff.mock.calls).toEqual([[1], [2], [3]])
    expect(server.requests).toHaveLength(1)
    gateway.answerNext(4, 429, 'Too Many Requests')
    await expect(client.setState('d', 1, media)).rejects.toMatchObject({ fault: 'throttled' })
    expect(server.requests).toHaveLength(1)
  })
})

test('whatever a body is made of, the allow-list lets through only what serializes to itself', () => {
  const method = fc.constantFrom(
    'core.uptime',
    'dispatcher.set_state',
    'htable.seti',
    'core.shutdown',
    'toString',
  )
  const parameter = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constantFrom('d', 'held', 'sip:10.0.1.20:5060', 'all'),
  )
  fc.assert(
    fc.property(method, fc.array(parameter, { maxLength: 3 }), fc.nat(), (name, params, id) => {
      const body = JSON.stringify({ jsonrpc: '2.0', method: name, params, id })
      if (!isAllowedRequest(body)) return
      expect(['core.uptime', 'dispatcher.set_state', 'htable.seti']).toContain(name)
      expect(params).not.toContain('all')
      expect(isAllowedRequest(`${body} `)).toBe(false)
      expect(isAllowedRequest(body.replace('"id"', '"method":"x","id"'))).toBe(false)
    }),
  )
  expect(
    isAllowedRequest('{"jsonrpc":"2.0","method":"dispatcher.set_state","params":["d",1,"all"],"id":1}'),
  ).toBe(false)
})

test('a secret is rotated while a drain goes on: no call of it fails, nothing is deployed', async () => {
  // As kamailio/rpc.cfg: the edge takes the current secret and the next one.
  const accepted = new Set(['secret-of-old'])
  const server = await loopback((request, socket) => {
    const secret = /^x-rpc-key: (.*)$/im.exec(request.head)?.[1] ?? ''
    if (accepted.has(secret)) good(request, socket)
    else reply(socket, '', '401 Unauthorized')
  })
  let stored = 'secret-of-old'
  let cached = stored
  const refreshSecret = vi.fn(async () => {
    cached = stored
    return cached
  })
  const transport = createHttpTransport({ url: server.url, timeoutMs: 2000 })
  const client = clientOf(server, { transport, key: { secret: async () => cached, refreshSecret } })
  const step = () => expect(client.boot()).resolves.toMatchObject({ uptimeSeconds: 4 })
  await step()
  accepted.add('secret-of-new')
  await step()
  stored = 'secret-of-new'
  await step()
  expect(refreshSecret).not.toHaveBeenCalled()
  accepted.delete('secret-of-old')
  await Promise.all([step(), step(), step()])
  const before = refreshSecret.mock.calls.length
  await step()
  expect(refreshSecret).toHaveBeenCalledTimes(before)
})
