import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { EdgeFault } from '../../functions/control/errors.ts'
import { clientOf, type HttpRequest, idOf, loopback, media, reply, result } from './loopback.ts'

const uptime = { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 }
const error = (request: HttpRequest, code: number, message: string) =>
  JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: idOf(request) })

describe('a reply that is not the documented one is malformed, never a value', () => {
  test.each<[string, (request: HttpRequest) => string]>([
    ['an empty result', (request) => result(request, {})],
    ['an empty result without an id', () => '{"jsonrpc":"2.0","result":{}}'],
    ['another id', (request) => result({ ...request, body: '"id":99}' }, uptime)],
    ['no id', () => JSON.stringify({ jsonrpc: '2.0', result: uptime })],
    ['rubbish', () => 'rubbish'],
    ['an empty body', () => ''],
    [
      'a result and an error',
      (r) => result(r, uptime).replace('"result"', '"error":{"code":1,"message":""},"result"'),
    ],
    ['another protocol', (request) => result(request, uptime).replace('2.0', '1.0')],
    ['a result of another type', (request) => result(request, 'Sun Nov 22 20:16:46 2026')],
    ['a negative uptime', (request) => result(request, { ...uptime, uptime: -1 })],
  ])('%s', async (_what, body) => {
    const server = await loopback((request, socket) => reply(socket, body(request)))
    await expect(clientOf(server).boot()).rejects.toMatchObject({ name: 'EdgeError', fault: 'malformed' })
  })

  test('a state that was "set" with any other text than the documented one', async () => {
    for (const text of ['Ok.', 'ok. dispatcher state updated.', '', {}, 1, null]) {
      const server = await loopback((request, socket) => reply(socket, result(request, text)))
      await expect(clientOf(server).setState('d', 1, media)).rejects.toMatchObject({ fault: 'malformed' })
    }
  })

  test('a count that is no whole number from 0 up', async () => {
    for (const value of [{}, '0', -1, 0.5, null, [0], true]) {
      const server = await loopback((request, socket) => reply(socket, result(request, value)))
      const count = clientOf(server).countOf({ uris: [media], addresses: [] })
      await expect(count).rejects.toMatchObject({ fault: 'malformed' })
    }
  })

  test('something that is not HTTP', async () => {
    const server = await loopback((_request, socket) => socket.write('SIP/2.0 200 OK\r\n\r\n'))
    await expect(clientOf(server).boot()).rejects.toMatchObject({ fault: 'malformed' })
  })

  test.each(['announced', 'unannounced'])(
    '10 MB of rubbish, %s, is given up early and the connection closed',
    async (how) => {
      const closed = Promise.withResolvers<void>()
      const server = await loopback((_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${how === 'announced' ? 'Content-Length: 10485760\r\n' : ''}\r\n`)
        const chunk = Buffer.alloc(65_536, 'x')
        let sent = 0
        const more = () => {
          while (sent < 10_485_760 && socket.writable) {
            sent += chunk.length
            if (!socket.write(chunk)) return
          }
        }
        socket.on('drain', more)
        socket.on('close', () => closed.resolve())
        more()
      })
      const list = clientOf(server).list()
      await expect(list).rejects.toMatchObject({ fault: 'malformed' })
      await expect(list).rejects.toThrow(/exceeds 8388608 bytes/)
      await closed.promise
      const small = clientOf(server).boot()
      await expect(small).rejects.toThrow(/exceeds 65536 bytes/)
    },
  )
})

describe('no whole reply is unreachable: neither done nor failed', () => {
  test('no reply', async () => {
    const server = await loopback(() => undefined)
    const edge = clientOf(server, { timeoutMs: 60 })
    await expect(edge.setState('d', 1, media)).rejects.toMatchObject({ fault: 'unreachable' })
    await expect(edge.list()).rejects.toThrow(/dispatcher\.list: no reply within 60 ms/)
    expect(server.requests.length).toBe(2)
  })

  test('half a body and silence', async () => {
    const server = await loopback((_request, socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"jsonrpc"'),
    )
    await expect(clientOf(server, { timeoutMs: 60 }).boot()).rejects.toMatchObject({ fault: 'unreachable' })
  })

  test('half a body and the end of the connection', async () => {
    const server = await loopback((_request, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"jsonrpc"'),
    )
    await expect(clientOf(server).boot()).rejects.toMatchObject({ fault: 'unreachable' })
  })

  test('a connection that ends at once, or is reset', async () => {
    const ends = await loopback(
      () => undefined,
      (socket) => socket.end(),
    )
    await expect(clientOf(ends).boot()).rejects.toMatchObject({ fault: 'unreachable' })
    const resets = await loopback((_request, socket) => socket.resetAndDestroy())
    await expect(clientOf(resets).boot()).rejects.toMatchObject({ fault: 'unreachable' })
  })

  test('nobody listening', async () => {
    const server = createServer()
    const { promise, resolve } = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', resolve)
    await promise
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    await new Promise((done) => server.close(done))
    const boot = clientOf({ url: `http://127.0.0.1:${port}/rpc` }).boot()
    await expect(boot).rejects.toMatchObject({ fault: 'unreachable' })
    await expect(boot).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('a status or message that refuses is told apart', () => {
  test.each<[number, string, EdgeFault]>([
    [500, 'Ongoing reload', 'busy'],
    [500, 'Not ready for reload', 'busy'],
    [500, 'No Destination Sets', 'empty-list'],
    [500, 'Method Not Found', 'unsupported'],
    [500, 'State Update Failed', 'refused'],
    [500, 'Reload Failed', 'refused'],
    [404, 'Something else', 'refused'],
  ])('%i %s is %s', async (code, message, fault) => {
    const server = await loopback((request, socket) =>
      reply(socket, error(request, code, message), `${code} ${message}`),
    )
    await expect(clientOf(server).reload()).rejects.toMatchObject({ name: 'EdgeError', fault })
  })

  test.each<[string, EdgeFault]>([
    ['400 Bad Request', 'unsupported'],
    ['401 Unauthorized', 'unauthorized'],
    ['403 Forbidden', 'unauthorized'],
    ['404 Not Found', 'unsupported'],
    ['429 Too Many Requests', 'throttled'],
    ['502 Bad Gateway', 'unreachable'],
    ['503 Service Unavailable', 'unreachable'],
    ['504 Gateway Timeout', 'unreachable'],
    ['302 Found', 'malformed'],
    ['500 Internal Server Error', 'malformed'],
    ['204 No Content', 'malformed'],
  ])('HTTP %s without a JSON-RPC reply is %s', async (status, fault) => {
    const server = await loopback((_request, socket) => reply(socket, '', status))
    await expect(clientOf(server).list()).rejects.toMatchObject({ name: 'EdgeError', fault })
  })

  test("the edge's own policy, which answers with id 0, is unsupported, and for the guard that means: none", async () => {
    const policy =
      '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Request refused by edge policy"},"id":0}'
    const server = await loopback((_request, socket) => reply(socket, policy, '400 Bad Request'))
    await expect(clientOf(server).list()).rejects.toMatchObject({ fault: 'unsupported' })
    expect(await clientOf(server).readGuard(media)).toBe('no-guard')
    expect(await clientOf(server).setGuard(media, true)).toBe('no-guard')
  })

  test('a result that comes with a status of failure is not believed', async () => {
    const server = await loopback((request, socket) =>
      reply(socket, result(request, uptime), '500 Internal Server Error'),
    )
    await expect(clientOf(server).boot()).rejects.toMatchObject({ fault: 'malformed' })
  })
})
