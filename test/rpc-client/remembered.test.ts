import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createMemoryClock } from '../memory/clock.ts'
import { MemoryEdge } from '../memory/edge.ts'
import type { MemoryEdgeOptions } from '../memory/edge-options.ts'
import { clientOf, media } from './loopback.ts'
import { answer, answersTo, knownRpcOf, refusal, rpcOf, scriptedEdge, sizesTo } from './scripted-edge.ts'

const ofMedia = [{ uris: [media], addresses: ['10.0.1.20'] }]

function memoryEdge(options: Partial<MemoryEdgeOptions>) {
  const clock = createMemoryClock()
  return {
    clock,
    edge: new MemoryEdge({ id: 'edge-a', clock, file: [{ set: 1, uri: media }], ...options }),
  }
}
/** How often it was asked for a begun counter since the last time. */
function begunAsks(edge: MemoryEdge): () => number {
  let before = 0
  return () => {
    const all = edge.requests.filter((text) => text.startsWith('htable.get begun')).length
    const since = all - before
    before = all
    return since
  }
}

describe('that an edge has no begun counters', () => {
  test('is remembered for that boot, by all leases, and asked anew in the next', async () => {
    const { clock, edge } = memoryEdge({ counters: false })
    const asks = begunAsks(edge)
    const withoutBegun = [{ calls: 0, source: 'profile', outbound: true }]
    expect(await edge.count(ofMedia)).toEqual(withoutBegun)
    expect(asks()).toBe(2)
    for (const lease of [edge, edge.under(1), edge.under(2)])
      expect(await lease.count(ofMedia)).toEqual(withoutBegun)
    expect(asks()).toBe(0)
    await clock.advance(5000)
    edge.restart()
    // Its first answer names the new boot.
    await edge.boot()
    expect(await edge.count(ofMedia)).toEqual(withoutBegun)
    expect(asks()).toBe(2)
    await edge.count(ofMedia)
    expect(asks()).toBe(0)
  })

  test.each(['former', 'none'] as const)(
    'is remembered of one that names no boot (rpc.cfg: %s)',
    async (rpcFile) => {
      const { edge } = memoryEdge({ counters: false, rpcFile })
      const asks = begunAsks(edge)
      await edge.boot()
      await edge.count(ofMedia)
      asks()
      await edge.count(ofMedia)
      expect(asks()).toBe(0)
    },
  )

  test('is not said by a profile that is missing', async () => {
    for (const profiles of [[], ['dst'], ['src']] as const) {
      const { edge } = memoryEdge({ profiles, counters: true })
      const asks = begunAsks(edge)
      for (const _ of ['at first', 'again']) {
        await edge.count(ofMedia)
        expect(asks()).toBe(2)
      }
    }
  })

  test('is not said by a profile that its policy refuses', async () => {
    const scripted = await scriptedEdge()
    const key = { jsonrpc: '2.0', result: { item: { name: 'x', value: 7 } } }
    const client = clientOf(scripted.server)
    await client.boot()
    for (const _ of ['at first', 'again']) {
      scripted.sizes()
      // begun of the URI, begun of the address, dst, src: the last is refused, and the others are sent once
      // more.
      scripted.instead.push((socket) =>
        answer(
          socket,
          refusal('Request refused by edge policy', -32600, 4),
          scripted.boot,
          '400 Bad Request',
        ),
      )
      scripted.instead.push((socket, envelopes) => {
        const [one, two, dst] = envelopes()
        answer(
          socket,
          [
            { ...key, id: one?.id },
            { ...key, id: two?.id },
            { ...dst, result: 3 },
          ],
          scripted.boot,
        )
      })
      expect(await client.count(ofMedia)).toEqual([
        { calls: 3, source: 'profile', outbound: false, begun: 14 },
      ])
      expect(scripted.sizes()).toEqual([4, 3])
    }
  })
})

describe('what stands on the way', () => {
  test.each([
    ['503 Service Unavailable', ''],
    ['503 Service Unavailable', 'no healthy upstream'],
    ['502 Bad Gateway', '<html></html>'],
    ['500 Internal Server Error', '{"message":"Internal Server Error"}'],
  ])('and answers %s %j changes nothing that is known of the edge', async (status, body) => {
    for (const boot of ['1795724058-4711', undefined]) {
      const edge = await scriptedEdge()
      edge.boot = boot
      const rpc = await knownRpcOf(edge)
      for (const ask of [() => rpc.batch(sizesTo(1)), () => rpc.batch(sizesTo(3))]) {
        for (let n = 0; n < 3; n += 1) edge.instead.push((socket) => answer(socket, body, undefined, status))
        await ask()
        edge.instead.length = 0
        expect(rpc.boot()).toBe(boot ?? null)
      }
      edge.sizes()
      expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
      expect(edge.sizes()).toEqual(boot === undefined ? [1, 1, 1] : [3])
    }
  })

  test('is no edge without our files, where nothing is known yet', async () => {
    const edge = await scriptedEdge()
    const rpc = rpcOf(edge)
    edge.instead.push((socket) => answer(socket, '', undefined, '503 Service Unavailable'))
    await rpc.batch(sizesTo(3))
    expect(rpc.boot()).toBe(undefined)
    edge.sizes()
    expect(await rpc.batch(sizesTo(3))).toEqual(answersTo(3))
    expect(edge.sizes()).toEqual([3])
  })
})

test('a reply of 30 KB to a batch is read, each answer with its own', async () => {
  const edge = await scriptedEdge()
  const rpc = await knownRpcOf(edge)
  let bytes = 0
  const text = (n: number) => `${n} `.padEnd(290, 'x')
  edge.instead.push((socket, envelopes) => {
    const body = JSON.stringify(envelopes().map((given, n) => ({ ...given, result: text(n) })))
    bytes = body.length
    answer(socket, body, edge.boot)
  })
  const calls = Array.from(
    { length: 100 },
    () => ({ method: 'core.version', params: [], result: z.string() }) as const,
  )
  expect(await rpc.batch(calls)).toEqual(calls.map((_, n) => ({ result: text(n) })))
  expect(bytes).toBeGreaterThan(30_000)
  expect(edge.sizes()).toEqual([100])
})

test('an edge with our files of before batches is read, with names whose address nobody says', async () => {
  const name = 'sip:media-1.example:5060'
  const { edge } = memoryEdge({
    rpcFile: 'former',
    names: { 'media-1.example': '10.0.1.20' },
    file: [
      { set: 1, uri: name },
      { set: 1, uri: media },
    ],
  })
  for (const _ of ['at first', 'once it is known that there are names', 'again']) {
    const { destinations, opaque } = await edge.list()
    expect(destinations.map(({ uri, address }) => [uri, address]).sort()).toEqual([
      [media, undefined],
      [name, undefined],
    ])
    expect(opaque).toEqual([])
  }
  expect(await edge.write([{ state: 'd', set: 1, uri: media }])).toEqual(['done'])
  expect(await edge.facts()).toMatchObject({ batch: false, fence: false, guard: true })
})
