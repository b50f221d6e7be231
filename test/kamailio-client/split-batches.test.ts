import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  batchLimits,
  batchOf,
  isAllowedBody,
  type RpcMethod,
  rpcMethods,
} from '../../functions/contracts/rpc.ts'
import { methodRules } from '../../functions/kamailio/rpc-methods.ts'
import { splitBatches } from '../../functions/kamailio/split-batches.ts'
import { type Recording, recordingsOf, releases } from './recordings.ts'

/** Less than `pv_buffer_size` of our rpc.cfg, 32 KB. */
const replyBytes = 30_000
const bounded = rpcMethods.filter((method) => methodRules[method].longestReply !== undefined)
const key = 'sip:key.example'

interface Exchange {
  readonly method: RpcMethod
  readonly body: string
  /** the parameter that a reply may repeat */
  readonly key: string
  readonly recording: Recording
  readonly release: string
}

/** Recorded replies to what we ask in batches; what is refused for its form is never asked. */
const exchanges: readonly Exchange[] = releases
  .flatMap((release) => recordingsOf(release).map((recording) => ({ release, recording })))
  .flatMap(({ release, recording }) => {
    const [, name] = /"method": ?"([\w.]+)"/.exec(recording.request) ?? []
    const method = bounded.find((known) => known === name)
    const [, last = ''] = /"([^"]*)"(?:, ?1)?\], ?"id"/.exec(recording.request) ?? []
    const body = recording.response?.body
    if (method === undefined || body === undefined || !body.endsWith('"id":1}')) return []
    return [{ method, body, key: last, recording, release }]
  })

/** Bytes of a reply besides the key and the id. */
function bare({ body, key: repeated }: Exchange): number {
  const repeats = repeated !== '' && body.includes(`"${repeated}"`)
  return Buffer.byteLength(body) - '1'.length - (repeats ? Buffer.byteLength(repeated) : 0)
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
  test('is recorded on both releases, but for what no recording shows', () => {
    const shown = new Set(exchanges.map(({ method }) => method))
    expect(bounded.filter((method) => !shown.has(method))).toEqual([])
  })

  test.each(releases)('holds for all that real Kamailio %s said', (release) => {
    const ofRelease = exchanges.filter((exchange) => exchange.release === release)
    expect(ofRelease.length).toBeGreaterThan(30)
    for (const exchange of ofRelease) {
      const longest = methodRules[exchange.method].longestReply ?? 0
      expect(bare(exchange), exchange.recording.name).toBeLessThanOrEqual(longest)
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

/** The longest recorded reply of a method, with another key and id. */
const worst = new Map(
  bounded.map((method) => {
    const [longest] = exchanges.filter((one) => one.method === method).sort((a, b) => bare(b) - bare(a))
    // The key comes back only in the item of htable.get; each method may have another reply that does and is shorter.
    const repeating = exchanges.find(
      (one) => one.method === method && one.key !== '' && one.body.includes(`"${one.key}"`),
    )
    return [method, [longest, repeating].filter((one) => one !== undefined)] as const
  }),
)

function worstReply({ method, value, id }: { method: RpcMethod; value: string; id: number }): number {
  const replies = (worst.get(method) ?? []).map((exchange) => {
    const repeats = exchange.key !== '' && exchange.body.includes(`"${exchange.key}"`)
    return bare(exchange) + String(id).length + (repeats ? Buffer.byteLength(value) : 0)
  })
  return Math.max(...replies)
}

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
  .chain((methods) => fc.array(line(methods), { maxLength: 350, size: 'max' }))

describe('requests are dealt out', () => {
  test('in order, none lost, none twice, and no batch is past what an edge can take or answer', () => {
    fc.assert(
      fc.property(lines, (given) => {
        const batches = splitBatches(given)
        expect(batches.flat()).toEqual(given)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          if (batch.length === 1) continue
          const body = batchOf(batch.map((one) => one.text))
          expect(batch.length).toBeLessThanOrEqual(batchLimits.requests)
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(batchLimits.bytes)
          expect(isAllowedBody(body)).toBe(true)
          const reply = batch.reduce((bytes, one) => bytes + worstReply(one) + 1, 1)
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
        batches.slice(1).forEach((batch, index) => {
          const together = [...(batches[index] ?? []), ...batch.slice(0, 1)]
          expect(splitBatches(together).length).toBe(2)
        })
      }),
    )
  })

  test('what has no bound stands alone, and so does a reload', () => {
    const alone = rpcMethods.filter((method) => methodRules[method].longestReply === undefined)
    expect(alone).toEqual(['dispatcher.list', 'dispatcher.reload', 'dlg.profile_list'])
    for (const method of alone) {
      const made = (['core.uptime', method, method, 'core.uptime'] as const).map((one, id) => ({
        method: one,
        text: text(one, key, id),
      }))
      expect(splitBatches(made).map((batch) => batch.length)).toEqual([1, 1, 1, 1])
    }
  })

  test('500 counts of usual destinations take 5 requests', () => {
    const counts = Array.from({ length: 500 }, (_, id) => ({
      method: 'dlg.profile_get_size' as const,
      text: text('dlg.profile_get_size', `sip:10.0.1.${id % 256}:5060`, 1_000_000 + id),
    }))
    expect(splitBatches(counts)).toHaveLength(5)
  })
})
