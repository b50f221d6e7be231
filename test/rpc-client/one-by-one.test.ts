import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RpcOutcome, RpcTransport } from '../../functions/contracts/rpc.ts'
import { createJsonRpc, type RpcCall } from '../../functions/kamailio/json-rpc.ts'
import { some } from '../present.ts'
import { isBatch, noBatches } from './loopback.ts'
import {
  answer,
  answersTo,
  knownRpcOf,
  numbered,
  refusal,
  rpcOf,
  scriptedEdge,
  sizeOf,
  sizesTo,
} from './scripted-edge.ts'

const policy = refusal('Request refused by edge policy')

const setState = (state: string, n: number): RpcCall<unknown> => ({
  method: 'dispatcher.set_state',
  params: [state, 1, numbered(n)],
  result: z.literal('Ok. Dispatcher state updated.'),
})
const hold = (n: number): RpcCall<unknown> => ({
  method: 'htable.seti',
  params: ['held', numbered(n), 1],
  result: z.literal('Ok. Key set to new value.'),
})
const release = (n: number): RpcCall<unknown> => ({
  method: 'htable.delete',
  params: ['held', numbered(n)],
  result: z.literal('Ok. Key deleted.'),
})

describe('an edge without batches', () => {
  test.each([
    ['jsonrpcs alone, which executes nothing of one', noBatches, '200 OK'],
    ['our policy of old', JSON.stringify(policy), '400 Bad Request'],
    ['somebody else’s', '', '404 Not Found'],
  ])('shows it in its answers, and never gets a second one: %s', async (_what, body, status) => {
    const edge = await scriptedEdge()
    edge.boot = undefined
    const rpc = rpcOf(edge)
    edge.instead.push((socket, envelopes, request) =>
      isBatch(request) ? answer(socket, body, undefined, status) : answer(socket, envelopes()[0]),
    )
    expect(await rpc.batch(sizesTo(5))).toEqual(answersTo(5))
    // the first may show it by being asked alone
    expect(edge.sizes().filter((size) => size > 1).length).toBeLessThanOrEqual(1)
    expect(await rpc.batch(sizesTo(5))).toEqual(answersTo(5))
    expect(await rpc.under(7).batch(sizesTo(5))).toEqual(answersTo(5))
    expect(edge.sizes()).toEqual(Array(10).fill(1))
    expect(edge.executed).toHaveLength(15)
  })

  test('is known by any answer, of a single request too', async () => {
    const edge = await scriptedEdge()
    edge.boot = undefined
    const rpc = await knownRpcOf(edge)
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([1, 1, 1])
  })

  test('that starts anew with our files gets batches again', async () => {
    const edge = await scriptedEdge()
    edge.boot = undefined
    const rpc = await knownRpcOf(edge)
    await rpc.batch(sizesTo(3))
    edge.boot = '1795724058-1'
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    edge.sizes()
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3])
  })

  test('that had them until it started anew is asked one by one from then on, and nothing is lost', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    edge.boot = undefined
    edge.sizes()
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3, 1, 1, 1])
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([1, 1, 1])
  })

  test('that starts anew with our files still gets batches: another boot is none without them', async () => {
    const edge = await scriptedEdge('1-1')
    const rpc = await knownRpcOf(edge)
    edge.boot = '2-2'
    await rpc.batch(sizesTo(3))
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3, 3])
    expect(rpc.boot()).toBe('2-2')
  })
})

/**
 * An edge at the end of a way that takes as many requests at once as there come, and answers in any order.
 */
function crowded(boot?: string) {
  const seen = { boot, now: 0, most: 0, executed: [] as string[], posts: 0 }
  const transport: RpcTransport = {
    async post(message): Promise<RpcOutcome> {
      seen.now += 1
      seen.posts += 1
      seen.most = Math.max(seen.most, seen.now)
      const { method, params, id }: { method?: string; params?: unknown[]; id?: number } =
        message.body.startsWith('{') ? JSON.parse(message.body) : {}
      // What came first is done last.
      for (let left = 40 - (seen.posts % 40); left > 0; left -= 1) await turn()
      seen.now -= 1
      if (method === undefined) return { status: 200, body: noBatches }
      seen.executed.push([method, ...(params ?? [])].join(' '))
      const results: Readonly<Record<string, unknown>> = {
        'dispatcher.set_state': 'Ok. Dispatcher state updated.',
        'htable.seti': 'Ok. Key set to new value.',
        'htable.delete': 'Ok. Key deleted.',
      }
      return {
        status: 200,
        body: JSON.stringify({ jsonrpc: '2.0', result: results[method] ?? 0, id }),
        boot: seen.boot,
      }
    },
    close: async () => undefined,
  }
  return { seen, rpc: createJsonRpc({ edge: 'edge-a', transport, timeoutMs: 20_000 }) }
}

describe('one by one', () => {
  test.each(['before', 'meanwhile', 'by a restart'])(
    'is at most 16 at a time, however many there are (seen %s)',
    async (when) => {
      const { seen, rpc } = crowded()
      if (when === 'before') await rpc.batch(sizesTo(2))
      if (when === 'by a restart') await rpc.call(sizeOf(1))
      seen.boot = undefined
      for (const count of [250, 300, 950]) expect(await rpc.batch(sizesTo(count))).toHaveLength(count)
      expect(seen.most).toBeLessThanOrEqual(16)
      expect(seen.most).toBeGreaterThan(8)
    },
  )

  test('is at most 16 at a time over all leases and callers of an edge, of which nothing is known yet', async () => {
    const { seen, rpc } = crowded()
    const [first, second] = [rpc.under(1), rpc.under(2)]
    const [some, others, more] = await Promise.all([
      first.batch(sizesTo(250)),
      second.batch(sizesTo(300)),
      rpc.batch(sizesTo(40)),
      ...sizesTo(30).map((size) => second.call(size)),
    ])
    expect([some.length, others.length, more.length]).toEqual([250, 300, 40])
    expect(seen.executed).toHaveLength(250 + 300 + 40 + 30)
    expect(seen.most).toBe(16)
  })

  test('keeps the order of writes that depend on each other: of two methods, and of one to the same destination', async () => {
    const { seen, rpc } = crowded()
    await rpc.batch(sizesTo(2))
    seen.executed.length = 0
    const writes = [
      ...[hold(1), hold(2), setState('d', 1), setState('d', 2), setState('a', 1), setState('ip', 1)],
      ...[release(2), hold(2), setState('a', 2)],
    ]
    const answers = await rpc.batch(writes)
    expect(answers.filter((given) => 'error' in given)).toEqual([])
    const about = (n: number) =>
      seen.executed.filter((text) => text.endsWith(numbered(n)) || text.includes(`${numbered(n)} `))
    expect(about(1)).toEqual([
      `htable.seti held ${numbered(1)} 1`,
      ...['d', 'a', 'ip'].map((state) => `dispatcher.set_state ${state} 1 ${numbered(1)}`),
    ])
    expect(about(2)).toEqual([
      `htable.seti held ${numbered(2)} 1`,
      `dispatcher.set_state d 1 ${numbered(2)}`,
      `htable.delete held ${numbered(2)}`,
      `htable.seti held ${numbered(2)} 1`,
      `dispatcher.set_state a 1 ${numbered(2)}`,
    ])
  })
})

describe('once the way to an edge fails', () => {
  const writes = Array.from({ length: 250 }, (_, n) => setState('d', n))

  test.each<[string, string | undefined, string]>([
    ['504 Gateway Timeout', 'Endpoint request timed out', 'unreachable'],
    ['429 Too Many Requests', 'Too Many Requests', 'throttled'],
    ['403 Forbidden', 'Forbidden', 'access-denied'],
    ['404 Not Found', 'Not Found', 'no-route'],
    ['401 Unauthorized', undefined, 'unauthorized'],
  ])(
    'with %s nothing more is sent, and all that is left is answered with it',
    async (status, message, fault) => {
      for (const boot of ['1-1', undefined]) {
        const edge = await scriptedEdge()
        edge.boot = boot
        const rpc = await knownRpcOf(edge)
        await rpc.batch(writes.slice(0, 20))
        edge.sizes()
        edge.executed.length = 0
        for (let n = 0; n < 16; n += 1)
          edge.instead.push((socket) =>
            answer(socket, message === undefined ? '' : { message }, undefined, status),
          )
        const answers = await rpc.batch(writes)
        expect(answers).toHaveLength(250)
        for (const given of some(answers)) expect(given).toMatchObject({ error: { fault } })
        expect(edge.executed).toEqual([])
        expect(edge.sizes().length).toBeLessThanOrEqual(boot === undefined ? 16 : 1)
      }
    },
  )

  test('that it is not trusted is of the way too', async () => {
    let posts = 0
    const transport: RpcTransport = {
      post: async () => {
        posts += 1
        return { failure: 'untrusted', why: 'the edge refused our certificate' }
      },
      close: async () => undefined,
    }
    const rpc = createJsonRpc({ edge: 'edge-a', transport, timeoutMs: 2000 })
    const answers = await rpc.batch(writes)
    for (const given of some(answers)) expect(given).toMatchObject({ error: { fault: 'untrusted' } })
    expect(posts).toBe(1)
  })

  test('in the middle, what was done before is said to be done', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push((socket, envelopes) => answer(socket, envelopes(), '1-1'))
    edge.instead.push((socket) => answer(socket, '', undefined, '503 Service Unavailable'))
    const answers = await rpc.batch(writes)
    expect(answers.map((given) => ('error' in given ? given.error.fault : 'done'))).toEqual([
      ...Array(100).fill('done'),
      ...Array(150).fill('unreachable'),
    ])
    expect(edge.executed).toHaveLength(100)
    expect(edge.sizes()).toEqual([100, 100])
  })

  test('writes go one batch after the other, in order', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    await rpc.batch(writes)
    expect(edge.executed).toEqual(writes.map(({ method, params }) => [method, ...params].join(' ')))
    expect(edge.sizes()).toEqual([100, 100, 50])
  })
})

describe('under a lease', () => {
  test('its generation is on every request: alone, in batches, one by one, and sent once more', async () => {
    for (const boot of ['1-1', undefined]) {
      const edge = await scriptedEdge()
      edge.boot = boot
      const key = { secret: async () => 'the-old-secret', refreshSecret: async () => 'the-new-secret' }
      const rpc = rpcOf(edge, { key, backOff: async () => undefined }).under(4711)
      const resets = (socket: { resetAndDestroy(): void }) => void socket.resetAndDestroy()
      await rpc.batch([...sizesTo(30), hold(1)])
      edge.instead.push(resets, (socket) => answer(socket, '', undefined, '401 Unauthorized'))
      edge.instead.push((socket) => answer(socket, { message: 'Too Many Requests' }, undefined, '429 x'))
      await rpc.call(sizesTo(1)[0] ?? hold(1))
      await rpc.batch([hold(1), setState('d', 1)])
      for (const { head } of some(edge.server.requests)) expect(head).toMatch(/^x-dc-generation: 4711$/im)
      expect(edge.server.requests.length).toBeGreaterThan(5)
    }
  })

  test('that of another is on none, and without one there is none', async () => {
    const edge = await scriptedEdge()
    const rpc = rpcOf(edge)
    await rpc.under(7).under(8).batch(sizesTo(2))
    const before = edge.server.requests.length
    await rpc.batch(sizesTo(2))
    const heads = edge.server.requests.map(({ head }) => /^x-dc-generation: (.*)$/im.exec(head)?.[1])
    expect(new Set(heads.slice(0, before))).toEqual(new Set(['8']))
    expect(new Set(heads.slice(before))).toEqual(new Set([undefined]))
  })
})
