import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  batchLimits,
  batchOf,
  isAllowedBody,
  type RpcMethod,
  requestsOf,
  rpcMethods,
} from '../../functions/contracts/rpc.ts'
import { methodRules } from '../../functions/kamailio/rpc-methods.ts'
import { splitBatches } from '../../functions/kamailio/split-batches.ts'
import { some } from '../present.ts'
import { type EdgeRelease, edgeRecordingsOf, edgeReleases } from './edge-recordings.ts'
import { recordingsOf, releases } from './recordings.ts'

/** Less than `pv_buffer_size` of our rpc.cfg, 32 KB. */
const replyBytes = 30_000
const bounded = rpcMethods.filter((method) => methodRules[method].longestReply !== undefined)
const key = 'sip:key.example'

interface Exchange {
  readonly method: RpcMethod
  readonly body: string
  readonly id: number
  /** the parameter that a reply may repeat */
  readonly key: string
  /** of the recording */
  readonly name: string
}

/** What we ask in batches, and is answered; what is refused for its form is never asked. */
function exchangeOf(name: string, request: string, body: string): Exchange[] {
  const [, asked] = /"method": ?"([\w.]+)"/.exec(request) ?? []
  const method = bounded.find((known) => known === asked)
  const [, key = ''] = /"([^"]*)"(?:, ?1)?\], ?"id"/.exec(request) ?? []
  const [, id] = /"id": ?(\d+)\}$/.exec(request) ?? []
  // What an edge says about itself is longer than other values: see below.
  if (key === 'about') return []
  if (method === undefined || id === undefined || !body.endsWith(`"id":${id}}`)) return []
  return [{ method, body, id: Number(id), key, name }]
}

function exchangesInBatch(name: string, request: string, body: string): Exchange[] {
  const lines = requestsOf(request) ?? []
  const replies =
    z.array(z.unknown()).safeParse(body.startsWith('[') ? JSON.parse(body) : undefined).data ?? []
  return lines.flatMap((line, index) => exchangeOf(name, line, JSON.stringify(replies[index] ?? null)))
}

/**
 * All replies that are recorded of a release: alone, without our files where it was so recorded, and in
 * batches.
 */
const recorded = new Map(
  edgeReleases.map((release) => {
    const plain = releases.find((known) => known === release)
    const alone = [...(plain ? recordingsOf(plain) : []), ...edgeRecordingsOf(release)]
    const exchanges = alone.flatMap(({ name, request, response }) => [
      ...exchangeOf(name, request, response?.body ?? ''),
      ...exchangesInBatch(name, request, response?.body ?? ''),
    ])
    return [release, exchanges] as const
  }),
)

/** Bytes of a reply besides the key and the id. */
function bare(exchange: Exchange): number {
  const { body, id, key: repeated } = exchange
  return (
    Buffer.byteLength(body) - String(id).length - (repeatsKey(exchange) ? Buffer.byteLength(repeated) : 0)
  )
}

function repeatsKey({ body, key: repeated }: Exchange): boolean {
  return repeated !== '' && body.includes(`"${repeated}"`)
}

const text = (method: RpcMethod, value: string, id: number) => {
  const params: Readonly<Partial<Record<RpcMethod, string>>> = {
    'dispatcher.set_state': `"d",1,"${value}"`,
    'dispatcher.set_duid_state': `"d",1,"${value}"`,
    'dlg.profile_get_size': `"dst","${value}"`,
    'dlg.profile_list': `"dst","${value}"`,
    'dlg.terminate_dlg': `"${value}","from","to"`,
    'htable.get': `"begun","${value}"`,
    'htable.delete': `"held","${value}"`,
    'htable.seti': `"held","${value}",1`,
  }
  return `{"jsonrpc":"2.0","method":"${method}","params":[${params[method] ?? ''}],"id":${id}}`
}

describe('the longest reply of each method', () => {
  test.each(edgeReleases)(
    'is recorded on Kamailio %s: a reply to each method that goes in batches',
    (release) => {
      const shown = new Set(recorded.get(release)?.map(({ method }) => method))
      expect(bounded.filter((method) => !shown.has(method))).toEqual([])
    },
  )

  test.each(edgeReleases)(
    'is no longer than we reckon with, in any reply recorded on Kamailio %s',
    (release) => {
      for (const exchange of some(recorded.get(release) ?? []))
        expect(bare(exchange), exchange.name).toBeLessThanOrEqual(
          methodRules[exchange.method].longestReply ?? 0,
        )
    },
  )

  test.each(edgeReleases)('on Kamailio %s is the error that we reckon with', (release) => {
    const exchanges = (recorded.get(release) ?? []).map(({ method, body }) => `${method} ${body}`)
    for (const [method, words] of [
      ['dlg.profile_get_size', 'Profile not found: dst'],
      ['htable.get', "Key name doesn't exist in htable."],
      ['htable.delete', 'Key not found in htable.'],
      ['dispatcher.set_state', 'State Update Failed'],
      ['dispatcher.set_duid_state', 'State Update Failed'],
    ] as const)
      expect(
        exchanges.some((text) => text.startsWith(`${method} `) && text.includes(words)),
        method,
      ).toBe(true)
  })

  test.each(edgeReleases)('on Kamailio %s, asked as often as one batch takes, fits the buffer', (release) => {
    for (const method of some(bounded)) {
      const asked = Array.from({ length: 300 }, (_, n) => ({
        method,
        value: `sip:10.0.1.${n}:5060`,
        id: 10 ** 9 + n,
      }))
      for (const batch of some(
        splitBatches(asked.map((one) => ({ ...one, text: text(method, one.value, one.id) }))),
      )) {
        const reply = batch.reduce((bytes, one) => bytes + worstReply(one, worstOf([release])) + 1, 1)
        expect(reply, method).toBeLessThanOrEqual(replyBytes)
        expect(isAllowedBody(batchOf(batch.map((one) => one.text)))).toBe(true)
      }
    }
  })

  test.each<[RpcMethod, unknown]>([
    [
      'core.uptime',
      { now: 'Sun Nov 22 20:16:50 2026', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 2 ** 31 },
    ],
    ['core.version', `kamailio 6.1.5-dev12 (x86_64/Linux) ${'f'.repeat(40)}-dirty `],
    ['dlg.profile_get_size', 2 ** 31],
    ['dlg.stats_active', { starting: 9e6, connecting: 9e6, answering: 9e6, ongoing: 9e6, all: 36e6 }],
    ['htable.get', { item: { name: '', value: -(2 ** 63), flags: 0, expire: 'NEVER' } }],
    ['htable.get', { item: { name: '', value: 2 ** 53, flags: 0, expire: 2 ** 31 } }],
  ])('of %s holds for the largest numbers too', (method, result) => {
    const reply = JSON.stringify({ jsonrpc: '2.0', result, id: 0 })
    expect(Buffer.byteLength(reply) - 1).toBeLessThanOrEqual(methodRules[method].longestReply ?? 0)
  })
})

type Worst = ReadonlyMap<RpcMethod, readonly Exchange[]>

/** The longest recorded replies of each method: with the key in it, where it comes back, and without. */
function worstOf(of: readonly EdgeRelease[]): Worst {
  const all = of.flatMap((release) => recorded.get(release) ?? [])
  return new Map(
    bounded.map((method) => {
      const longestFirst = all.filter((one) => one.method === method).sort((a, b) => bare(b) - bare(a))
      const [longest] = longestFirst
      return [method, [longest, longestFirst.find(repeatsKey)].filter((one) => one !== undefined)] as const
    }),
  )
}

/** Such a reply with another key and id. */
function worstReply(
  { method, value, id }: { method: RpcMethod; value: string; id: number },
  worst: Worst,
): number {
  const replies = (worst.get(method) ?? []).map(
    (exchange) => bare(exchange) + String(id).length + (repeatsKey(exchange) ? Buffer.byteLength(value) : 0),
  )
  return Math.max(...replies)
}

const worstOfAll = worstOf(edgeReleases)
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.nat(60).map((more) => key + 'x'.repeat(more)) },
  { weight: 2, arbitrary: fc.nat(300).map((more) => key + 'é'.repeat(more)) },
  { weight: 1, arbitrary: fc.nat(16_500).map((more) => key + 'x'.repeat(more)) },
)
const line = (methods: readonly RpcMethod[]) =>
  fc
    .record({ method: fc.constantFrom(...methods), value: keys, id: fc.oneof(fc.nat(), fc.maxSafeNat()) })
    .map((made) => ({ ...made, text: text(made.method, made.value, made.id) }))
const lines = fc
  .oneof(
    fc.constant(rpcMethods),
    fc.constantFrom(...rpcMethods).map((only) => [only]),
  )
  .chain((methods) => fc.array(line(methods), { minLength: 1, maxLength: 350, size: 'max' }))

describe('requests are dealt out', () => {
  test('in order, none lost, none twice, and no batch is past what an edge can take or answer', () => {
    expect(splitBatches([])).toEqual([])
    fc.assert(
      fc.property(lines, (given) => {
        const batches = splitBatches(given)
        expect(batches.flat()).toEqual(given)
        for (const batch of some(batches)) {
          expect(batch.length).toBeGreaterThan(0)
          if (batch.length === 1) continue
          const body = batchOf(batch.map((one) => one.text))
          expect(batch.length).toBeLessThanOrEqual(batchLimits.requests)
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(batchLimits.bytes)
          expect(isAllowedBody(body)).toBe(true)
          const reply = batch.reduce((bytes, one) => bytes + worstReply(one, worstOfAll) + 1, 1)
          expect(reply).toBeLessThanOrEqual(replyBytes)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('to few: two neighbours would not have gone in one', () => {
    fc.assert(
      fc.property(lines, (given) => {
        const batches = splitBatches(given)
        fc.pre(batches.length > 1)
        some(batches.slice(1)).forEach((batch, index) => {
          const together = [...(batches[index] ?? []), ...batch.slice(0, 1)]
          expect(splitBatches(together).length).toBe(2)
        })
      }),
    )
  })

  test('what has no bound stands alone, and so does a reload', () => {
    const alone = rpcMethods.filter((method) => methodRules[method].longestReply === undefined)
    expect(alone).toEqual(['dispatcher.list', 'dispatcher.reload', 'dlg.profile_list', 'htable.dump'])
    for (const method of some(alone)) {
      const made = (['core.uptime', method, method, 'core.uptime'] as const).map((one, id) => ({
        method: one,
        text: text(one, key, id),
      }))
      expect(splitBatches(made).map((batch) => batch.length)).toEqual([1, 1, 1, 1])
    }
  })

  test('by the longest that an edge says about itself, which is longer than other values', () => {
    const told = `version=1;now=1795724058;end_calls=0;keepalives=0;longest_call=43200;sip_error=${'x'.repeat(200)}`
    const item = { name: 'about', value: told, flags: 2, expire: 'NEVER' }
    const longest = JSON.stringify({ jsonrpc: '2.0', result: { item }, id: 1_000_000 }).length
    const asked = Array.from({ length: 100 }, (_, id) => ({
      method: 'htable.get' as const,
      text: text('htable.get', 'about', 1_000_000 + id).replace('"begun"', '"dc"'),
    }))
    for (const batch of some(splitBatches(asked)))
      expect(batch.length * (longest + 1) + 1).toBeLessThanOrEqual(replyBytes)
  })

  test('500 counts of usual destinations take 5 requests', () => {
    const counts = Array.from({ length: 500 }, (_, id) => ({
      method: 'dlg.profile_get_size' as const,
      text: text('dlg.profile_get_size', `sip:10.0.1.${id % 256}:5060`, 1_000_000 + id),
    }))
    expect(splitBatches(counts)).toHaveLength(5)
  })
})
