import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { EdgeError, type EdgeFault, StaleGeneration } from '../../functions/control/errors.ts'
import { RpcRefusal } from '../../functions/kamailio/rpc-faults.ts'
import { some } from '../present.ts'
import {
  answer,
  answersTo,
  type Envelope,
  faults,
  type Instead,
  knownRpcOf,
  numbered,
  refusal,
  scriptedEdge,
  sizesTo,
} from './scripted-edge.ts'

const boot = '1795724058-4711'
/** Answers with what it would have, changed. */
const changed =
  (change: (envelopes: Envelope[]) => unknown): Instead =>
  (socket, envelopes) =>
    answer(socket, change(envelopes()), boot)
const replying =
  (value: unknown, status: string, named: string | undefined = boot): Instead =>
  (socket) =>
    answer(socket, value, named, status)
const all = (fault: EdgeFault | 'none') => Array<EdgeFault | 'none'>(3).fill(fault)

describe('many requests go in one', () => {
  test('and are answered in order, whatever their methods', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    expect(await rpc.batch(sizesTo(250))).toEqual(answersTo(250))
    expect(edge.sizes()).toEqual([100, 100, 50])
    expect(edge.server.requests.at(-1)?.body).toMatch(/^\[\n(\{.*\},\n){49}\{.*\}\n\]$/)
  })

  test('one alone is no batch, and none is nothing', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    expect(await rpc.batch([])).toEqual([])
    expect(edge.sizes()).toEqual([])
    await rpc.batch(sizesTo(1))
    expect(edge.server.requests.at(-1)?.body).toMatch(/^\{/)
  })

  test('an error of one is the answer to that one', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    const error = { code: 404, message: 'Profile not found: dst' }
    edge.instead.push(
      changed(([a, b, c]) => [a, { jsonrpc: '2.0', error, id: b?.id }, { ...c, result: 'x' }]),
    )
    const answers = await rpc.batch(sizesTo(3))
    expect(faults(answers)).toEqual(['none', 'refused', 'malformed'])
    expect(answers[1]).toMatchObject({ error: expect.any(RpcRefusal) })
    expect(answers[1]).toMatchObject({ error: { reason: 'Profile not found: dst' } })
    expect(edge.sizes()).toEqual([3])
  })

  test('one that can not be sent is refused by ourselves, and takes no other with it', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    const [first, second] = sizesTo(2)
    if (!first || !second) throw new Error('there are two')
    const quoted = { ...first, params: ['dst', 'sip:"@x'] }
    expect(faults(await rpc.batch([first, quoted, second]))).toEqual(['none', 'refused', 'none'])
    expect(edge.sizes()).toEqual([2])
  })
})

describe('a reply that is not the documented one answers none of them', () => {
  test.each<[string, Instead]>([
    ['one element too few', changed((e) => e.slice(1))],
    ['the last element missing', changed((e) => e.slice(0, -1))],
    ['one element too many', changed((e) => [...e, e[2]])],
    ['none', changed(() => [])],
    ['another order', changed(([a, b, c]) => [b, a, c])],
    ['an id twice', changed(([a, , c]) => [a, { ...c, id: a?.id }, c])],
    ['an id twice, and all the results', changed(([a, b, c]) => [a, { ...b, id: a?.id }, c])],
    ['an id of another type', changed(([a, b, c]) => [a, { ...b, id: String(b?.id) }, c])],
    ['no id', changed(([a, b, c]) => [a, { ...b, id: undefined }, c])],
    ['the id 0 of what was not executed', changed(([a, b, c]) => [a, { ...b, id: 0 }, c])],
    ['neither a result nor an error', changed(([a, b, c]) => [a, { ...b, result: undefined }, c])],
    ['both', changed(([a, b, c]) => [a, { ...b, error: { code: 1, message: '' } }, c])],
    ['null for an element', changed(([a, , c]) => [a, null, c])],
    ['another protocol', changed(([a, b, c]) => [a, { ...b, jsonrpc: '1.0' }, c])],
    ['an array in the array', changed((e) => [e])],
    ['an object', changed(([a]) => a)],
    ['an empty result, by an edge with our files', replying({ jsonrpc: '2.0', result: {} }, '200 OK')],
    ['what is not JSON', replying('[{"jsonrpc":"2.0"', '200 OK')],
    ['nothing', replying('', '200 OK')],
    ['no content', replying('', '204 No Content')],
    ['a place to go to', replying('', '302 Found')],
    [
      'replies with a status of failure',
      (socket, e) => answer(socket, e(), boot, '500 Internal Server Error'),
    ],
  ])('%s', async (_what, instead) => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push(instead)
    const answers = await rpc.batch(sizesTo(3))
    expect(faults(answers)).toEqual(all('malformed'))
    expect(edge.sizes()).toEqual([3])
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3])
  })

  test('half a reply is asked for once more, and then answers nothing', async () => {
    const half: Instead = (socket, e) =>
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n${JSON.stringify(e()).slice(0, 90)}`)
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push(half)
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3, 3])
    edge.instead.push(half, half)
    expect(faults(await rpc.batch(sizesTo(3)))).toEqual(all('unreachable'))
    expect(edge.sizes()).toEqual([3, 3])
  })

  test('no reply is waited for once, and is neither done nor failed', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge, { timeoutMs: 200 })
    edge.instead.push(() => undefined)
    const answers = await rpc.batch(sizesTo(3))
    expect(faults(answers)).toEqual(all('unreachable'))
    expect(answers[0]).toMatchObject({
      error: { message: expect.stringContaining('batch of 3: no reply within') },
    })
    expect(edge.sizes()).toEqual([3])
  })
})

describe('what an edge did not execute', () => {
  test.each<[string, Instead]>([
    ['a policy that names no line', replying(refusal('Request refused by edge policy'), '400 Bad Request')],
    ['a line beyond them', replying(refusal('Request refused by edge policy', -32600, 4), '400 Bad Request')],
    ['a batch that it can not read', replying(refusal('Malformed batch'), '400 Bad Request')],
    ['too many lines', replying(refusal('Batch of 101 requests, at most 100'), '413 Content Too Large')],
    ['too many bytes', replying(refusal('Body of 16384 bytes, at most 16000'), '413 Content Too Large')],
    ['max_while_loops', replying(refusal('max_while_loops is too small for this batch', -32603), '500 x')],
    [
      'a reply that does not fit',
      (socket, envelopes) => {
        envelopes()
        answer(socket, refusal('Executed, but the reply does not fit pv_buffer_size', -32002), boot, '500 x')
      },
    ],
  ])('is asked one by one (%s), and batches go on', async (_what, instead) => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push(instead)
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3, 1, 1, 1])
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3])
  })

  const policyAt = (line: number) =>
    replying(refusal('Request refused by edge policy', -32600, line), '400 Bad Request')

  test.each([1, 2, 3])(
    'for its line %i is sent once more without it, and only that one is refused',
    async (at) => {
      const edge = await scriptedEdge()
      const rpc = await knownRpcOf(edge)
      edge.instead.push(policyAt(at))
      const answers = await rpc.batch(sizesTo(3))
      expect(faults(answers)).toEqual(all('none').with(at - 1, 'unsupported'))
      expect(answers[at - 1]).toMatchObject({
        error: { message: expect.stringContaining('refused by edge policy') },
      })
      expect(answers.toSpliced(at - 1, 1)).toEqual(answersTo(3).toSpliced(at - 1, 1))
      expect(edge.sizes()).toEqual([3, 2])
      expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
      expect(edge.sizes()).toEqual([3])
    },
  )

  test('for a second line as well is asked one by one, and only what is refused again is refused', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push(policyAt(2), policyAt(1))
    const honest: Instead = (socket, envelopes, { body }) =>
      body.includes(`${numbered(0)}"`)
        ? answer(socket, refusal('Request refused by edge policy'), boot, '400 Bad Request')
        : answer(socket, envelopes()[0], boot)
    edge.instead.push(honest, honest, honest)
    const answers = await rpc.batch(sizesTo(4))
    expect(faults(answers)).toEqual(['unsupported', 'unsupported', 'none', 'none'])
    expect(answers.slice(2)).toEqual(answersTo(4).slice(2))
    expect(edge.sizes()).toEqual([4, 3, 1, 1, 1])
  })

  test('but may have executed is never sent again where twice is not once', async () => {
    const edge = await scriptedEdge()
    const rpc = await knownRpcOf(edge)
    edge.instead.push((socket, envelopes) => {
      envelopes()
      answer(socket, refusal('Executed, but the reply does not fit pv_buffer_size', -32002), boot, '500 x')
    })
    const end = (id: string) =>
      ({ method: 'dlg.terminate_dlg', params: [id, 'from', 'to'], result: z.unknown() }) as const
    const answers = await rpc.batch([end('a'), end('b'), end('c')])
    expect(edge.executed).toEqual(['a', 'b', 'c'].map((id) => `dlg.terminate_dlg ${id} from to`))
    expect(some(answers).every((given) => 'error' in given && given.error instanceof EdgeError)).toBe(true)
  })

  test('since somebody else has its lease is not asked again', async () => {
    const edge = await scriptedEdge()
    const rpc = (await knownRpcOf(edge)).under(6)
    edge.instead.push(replying(refusal('Stale generation', -32001, 7), '409 Conflict'))
    const answers = await rpc.batch(sizesTo(3))
    expect(faults(answers)).toEqual(all('stale'))
    const error = expect.any(StaleGeneration)
    for (const given of some(answers)) expect(given).toEqual({ error })
    expect(answers[0]).toMatchObject({ error: { seen: 7 } })
    expect(edge.sizes()).toEqual([3])
  })

  test('a 409 that does not say which generation it has seen is malformed', async () => {
    const edge = await scriptedEdge()
    const rpc = (await knownRpcOf(edge)).under(6)
    edge.instead.push(replying(refusal('Stale generation', -32001), '409 Conflict'))
    expect(faults(await rpc.batch(sizesTo(3)))).toEqual(all('malformed'))
  })

  test.each([3, 1])(
    'for another reason than its policy is our own mistake for each of %i, in its words',
    async (count) => {
      const edge = await scriptedEdge()
      const rpc = await knownRpcOf(edge)
      const unread = replying(refusal('Generation is no number'), '400 Bad Request')
      edge.instead.push(unread, unread, unread, unread)
      const answers = await rpc.batch(sizesTo(count))
      expect(faults(answers)).toEqual(Array(count).fill('malformed'))
      for (const given of some(answers))
        expect(given).toMatchObject({
          error: { message: expect.stringContaining('Generation is no number') },
        })
      expect(edge.executed).toEqual([])
    },
  )

  test.each([Number.NaN, -1, 0.5, 10 ** 15, Number.POSITIVE_INFINITY])(
    'a generation of %d is never sent',
    async (generation) => {
      const edge = await scriptedEdge()
      const rpc = await knownRpcOf(edge)
      expect(() => rpc.under(generation)).toThrow(RangeError)
      expect(edge.sizes()).toEqual([])
    },
  )
})
