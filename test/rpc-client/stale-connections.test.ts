import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { some } from '../present.ts'
import {
  answer,
  knownRpcOf,
  numbered,
  type ScriptedEdge,
  scriptedEdge,
  sizeOf,
  sizesTo,
} from './scripted-edge.ts'

const kept = 8

/** An edge to which our client keeps eight idle connections; they are the sockets. */
async function withKeptConnections() {
  const edge = await scriptedEdge()
  const rpc = await knownRpcOf(edge)
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  for (let n = 0; n < kept; n += 1)
    edge.instead.push((socket, envelopes) => {
      sockets.add(socket)
      waiting.push(() => answer(socket, envelopes()[0], edge.boot))
      if (waiting.length === kept) for (const go of waiting) go()
    })
  await Promise.all(Array.from({ length: kept }, () => rpc.call(sizeOf(1))))
  expect(sockets.size).toBe(kept)
  edge.sizes()
  edge.executed.length = 0
  return { edge, rpc, sockets: [...sockets] }
}

/** Ways in which an edge ends the connections that it was kept. */
const ends: [string, (edge: ScriptedEdge, sockets: readonly Socket[]) => void][] = [
  ['reset at once', (_edge, sockets) => sockets.forEach((socket) => void socket.resetAndDestroy())],
  ['closed at once', (_edge, sockets) => sockets.forEach((socket) => void socket.destroy())],
  ['half-closed at once', (_edge, sockets) => sockets.forEach((socket) => void socket.end())],
  ['reset in the moment of the request', (edge, sockets) => endedByRequest(edge, sockets, 'resetAndDestroy')],
  ['closed in the moment of the request', (edge, sockets) => endedByRequest(edge, sockets, 'destroy')],
]

/** As a load balancer or NAT that has forgotten them: only their use shows it. */
function endedByRequest(edge: ScriptedEdge, sockets: readonly Socket[], how: 'destroy' | 'resetAndDestroy') {
  for (let n = 0; n < 2 * kept; n += 1)
    edge.instead.push((socket, envelopes) => {
      if (sockets.includes(socket)) return void socket[how]()
      const given = envelopes()
      answer(socket, given.length === 1 ? given[0] : given, edge.boot)
    })
}

const write = {
  method: 'dispatcher.set_state',
  params: ['d', 1, numbered(1)],
  result: z.literal('Ok. Dispatcher state updated.'),
} as const
const hold = {
  method: 'htable.seti',
  params: ['held', numbered(1), 1],
  result: z.literal('Ok. Key set to new value.'),
} as const

describe.each(ends)('eight kept connections are %s', (_how, end) => {
  test('a read succeeds at the first call', async () => {
    const { edge, rpc, sockets } = await withKeptConnections()
    end(edge, sockets)
    expect(await rpc.call(sizeOf(5))).toBe(5)
    expect(edge.executed).toHaveLength(1)
  })

  test('a write that may be done twice does too', async () => {
    const { edge, rpc, sockets } = await withKeptConnections()
    end(edge, sockets)
    expect(await rpc.call(write)).toBe('Ok. Dispatcher state updated.')
    expect(edge.executed).toEqual([`dispatcher.set_state d 1 ${numbered(1)}`])
  })

  test('so does a batch of such writes and reads', async () => {
    const { edge, rpc, sockets } = await withKeptConnections()
    end(edge, sockets)
    const answers = await rpc.batch([write, hold, sizeOf(5)])
    expect(answers.map((given) => 'result' in given)).toEqual([true, true, true])
    expect(edge.executed).toHaveLength(3)
  })

  test('so do many batches at once', async () => {
    const { edge, rpc, sockets } = await withKeptConnections()
    end(edge, sockets)
    expect((await rpc.batch(sizesTo(400))).filter((given) => 'error' in given)).toEqual([])
  })

  test.each<['dispatcher.reload' | 'dlg.terminate_dlg', string[]]>([
    ['dispatcher.reload', []],
    ['dlg.terminate_dlg', ['call', 'from', 'to']],
  ])('%s is sent once and no more', async (method, params) => {
    const { edge, rpc, sockets } = await withKeptConnections()
    end(edge, sockets)
    const outcome = await rpc.batch([{ method, params, result: z.unknown() }])
    const sent = edge.server.requests.filter(({ body }) => body.includes(method))
    expect(sent.length).toBeLessThanOrEqual(1)
    // It may have found out in time, and used a new one.
    expect('error' in outcome[0] ? outcome[0].error.fault : 'unreachable').toBe('unreachable')
    expect(edge.executed.length).toBeLessThanOrEqual(1)
  })
})

test('half a reply over a new connection is asked for once more at most', async () => {
  for (const [call, requests] of [
    [sizeOf(1), 2],
    [write, 2],
    [{ method: 'dispatcher.reload', params: [], result: z.unknown() } as const, 1],
  ] as const) {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    for (let n = 0; n < 5; n += 1)
      edge.instead.push(
        (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"jsonrpc"'),
      )
    await expect(rpc.call<unknown>(call)).rejects.toMatchObject({ fault: 'unreachable' })
    expect(edge.sizes()).toHaveLength(requests)
  }
})

test('a batch with one request in it that twice is not once is sent once', async () => {
  const edge = await scriptedEdge()
  const rpc = await knownRpcOf(edge)
  const end = { method: 'dlg.terminate_dlg', params: ['call', 'from', 'to'], result: z.unknown() } as const
  edge.instead.push((socket) => void socket.resetAndDestroy())
  const answers = await rpc.batch([write, end, sizeOf(1)])
  for (const given of some(answers)) expect(given).toMatchObject({ error: { fault: 'unreachable' } })
  expect(edge.sizes()).toEqual([3])
})
