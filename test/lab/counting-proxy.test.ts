import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CountingProxyOptions, startCountingProxy } from '../../lab/sip/counting-proxy.ts'
import { some } from '../present.ts'

const request = 'POST /rpc HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'
const reply = 'HTTP/1.1 200 OK\r\nX-DC-Boot: 1-2\r\nContent-Length: 2\r\n\r\nX-'

/** A proxy, a client of it, and the socket at its other end. */
async function opened(options: CountingProxyOptions = {}) {
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>()
  const server = createServer(resolve)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const rpcPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  const proxy = await startCountingProxy({ address: '127.0.0.1', rpcPort }, options)
  const client = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  const edge = await accepted
  for (const socket of [client, edge]) socket.setNoDelay(true)
  onTestFinished(async () => {
    client.destroy()
    edge.destroy()
    await proxy.close()
    server.close()
  })
  return { proxy, client, edge }
}

/** A piece is sent only when the proxy has seen all of those before, so that TCP joins no two of them. */
async function inPieces(from: Socket, pieces: readonly string[], seen: () => number): Promise<void> {
  let sent = seen()
  for (const piece of pieces) {
    from.write(piece)
    sent += piece.length
    while (seen() < sent) await turn()
  }
}

/** All that arrives until the other side ends. */
async function whole(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const cuts = (text: string) => Array.from({ length: text.length - 1 }, (_, n) => n + 1)

describe('a request', () => {
  test('is counted once, wherever its line is cut', async () => {
    const { proxy, client, edge } = await opened()
    const arrived = whole(edge)
    const pieces = cuts(request).flatMap((at) => [request.slice(0, at), request.slice(at)])
    await inPieces(client, pieces, () => proxy.bytes().sent)
    client.end()
    expect(await arrived).toBe(pieces.join(''))
    expect(proxy.requests()).toBe(cuts(request).length)
    expect(proxy.bytes()).toEqual({ sent: pieces.join('').length, received: 0 })
  })

  test('is counted byte by byte, and several of them in one piece', async () => {
    const { proxy, client } = await opened()
    const text = request.repeat(3)
    const pieces = [...text, text, `${text}POST /rpc HTT`, 'P/1.1\r\n']
    await inPieces(client, pieces, () => proxy.bytes().sent)
    expect(proxy.requests()).toBe(10)
  })

  test('is none where only its beginning comes twice', async () => {
    const { proxy, client } = await opened()
    const pieces = ['POST /rpc HTTP', 'POST /rpc HTTP/1.1', '\r', '\n', 'POST /rpcHTTP/1.1\r\n']
    await inPieces(client, pieces, () => proxy.bytes().sent)
    expect(proxy.requests()).toBe(1)
  })
})

describe('the boot header', () => {
  test.each([true, false])(
    'is hidden (%s) wherever it is cut, and nothing else is changed or lost',
    async (hidesBoot) => {
      for (const at of some(cuts(reply))) {
        const { proxy, client, edge } = await opened({ hidesBoot })
        const arrived = whole(client)
        await inPieces(edge, [reply.slice(0, at), reply.slice(at)], () => proxy.bytes().received)
        edge.end()
        expect(await arrived).toBe(hidesBoot ? reply.replace('X-DC-Boot', 'X-Hidden-') : reply)
        expect(proxy.bytes()).toEqual({ sent: 0, received: reply.length })
      }
    },
  )

  test('holds nothing back of a reply that can not be its beginning', async () => {
    const { client, edge } = await opened({ hidesBoot: true })
    const [piece] = await Promise.all([once(client, 'data'), edge.write('HTTP/1.1 200 OK\r\nX-Other: 1\r\n')])
    expect(String(piece)).toBe('HTTP/1.1 200 OK\r\nX-Other: 1\r\n')
  })
})

test('what takes its time on the way arrives whole and in order, its end behind it', async () => {
  const { proxy, client, edge } = await opened({ roundTripMs: 4 })
  const arrived = whole(client)
  const pieces = Array.from({ length: 50 }, (_, n) => `${n} `)
  await inPieces(edge, pieces, () => proxy.bytes().received)
  edge.end()
  expect(await arrived).toBe(pieces.join(''))
})
