import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type RpcMessage, type RpcTransport, requestsOf, rpcMethods } from '../../functions/contracts/rpc.ts'
import { EdgeError, StaleGeneration } from '../../functions/control/errors.ts'
import { createEdge } from '../../functions/kamailio/dispatcher.ts'
import { createJsonRpc, type RpcCall } from '../../functions/kamailio/json-rpc.ts'
import { BatchRefused, RpcRefusal, resultOf, resultsOf } from '../../functions/kamailio/rpc-faults.ts'
import { some } from '../present.ts'
import { type EdgeRecording, edgeRecordingsOf, edgeReleases, replyOf } from './edge-recordings.ts'
import { faults } from './scripted-edge.ts'

const request = z.object({
  method: z.enum(rpcMethods),
  params: z.array(z.union([z.string(), z.number()])),
  id: z.int(),
})
const envelope = z.object({
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
  id: z.int(),
})

/** The calls of which a fresh client makes exactly this request. */
function callsOf({ request: body }: EdgeRecording): RpcCall<unknown>[] {
  const lines = requestsOf(body) ?? [body]
  return lines.map((line) => {
    const { method, params } = request.parse(JSON.parse(line))
    return { method, params, result: z.unknown() }
  })
}

/** Answers with these recordings, one after the other. */
function replaying(...recordings: readonly EdgeRecording[]) {
  const posts: RpcMessage[] = []
  const transport: RpcTransport = {
    post: async (message) => {
      const recording = recordings[posts.length]
      posts.push(message)
      if (!recording) throw new Error(`nothing is recorded for ${message.body}`)
      return replyOf(recording)
    },
    close: async () => undefined,
  }
  return { posts, rpc: createJsonRpc({ edge: 'edge-a', transport, timeoutMs: 2000 }) }
}

describe.each(edgeReleases)('what real Kamailio %s with our files answers', (release) => {
  const recordings = edgeRecordingsOf(release)
  const one = (name: string): EdgeRecording => {
    const found = recordings.find((recording) => recording.name === name)
    if (!found) throw new Error(`nothing is recorded as ${name}`)
    return found
  }

  /**
   * Answers each request, alone or in a batch, with the recording of exactly it, or with the one that is
   * named for it.
   */
  function edgeOver(named: Readonly<Record<string, string>> = {}) {
    const answerTo = (line: string, id: number) => {
      const asked = line.replace(/"id":\d+\}$/, '"id":1}')
      const name = Object.entries(named).find(([part]) => line.includes(part))?.[1]
      const found = name === undefined ? recordings.find((each) => each.request === asked) : one(name)
      if (!found) throw new Error(`nothing is recorded for ${line}`)
      return { ...replyOf(found), body: found.response.body.replace(/"id":\s*1\s*\}$/, `"id":${id}}`) }
    }
    const transport: RpcTransport = {
      post: async ({ body }) => {
        const lines = requestsOf(body)
        const answers = (lines ?? [body]).map((line) => answerTo(line, request.parse(JSON.parse(line)).id))
        const [first] = answers
        if (!first) throw new Error('an empty batch')
        return lines
          ? { ...first, status: 200, body: `[${answers.map((each) => each.body).join(',')}]` }
          : first
      },
      close: async () => undefined,
    }
    return createEdge({ id: 'edge-a', transport, restoresDialogs: false, timeoutMs: 2000 })
  }

  test('names its boot, a refusal too, and an edge without our files names none', () => {
    const isPlain = ({ name }: (typeof recordings)[number]) => name.startsWith('plain.')
    for (const { name, response } of some(recordings.filter((each) => !isPlain(each))))
      expect(response.headers['x-dc-boot'], name).toMatch(/^\d+-\d+-[\d.]+-\d+$/)
    for (const { name, response } of some(recordings.filter(isPlain)))
      expect(response.headers['x-dc-boot'], name).toBe(undefined)
  })

  test('to a batch of all methods is read, each answer with its own request, which is written as recorded', async () => {
    const mixed = one('batch.mixed')
    const { posts, rpc } = replaying(mixed)
    const answers = await rpc.batch(callsOf(mixed))
    expect(posts.map(({ body }) => body)).toEqual([mixed.request])
    const replies = z.array(envelope).parse(JSON.parse(mixed.response.body))
    expect(replies.map(({ id }) => id)).toEqual(replies.map((_, index) => index + 1))
    expect(answers).toEqual(
      replies.map(({ result, error }) =>
        error
          ? { error: expect.objectContaining({ name: 'EdgeError', fault: 'refused', reason: error.message }) }
          : { result },
      ),
    )
    expect(answers.filter((given) => 'error' in given)).toHaveLength(5)
    expect(rpc.boot()).toBe(mixed.response.headers['x-dc-boot'])
  })

  test('to a batch with a refused line makes the client send it once more without that line', async () => {
    const [refused, leftOut] = [one('batch.ending_refused'), one('batch.ending_left_out')]
    const { posts, rpc } = replaying(refused, leftOut)
    const answers = await rpc.batch(callsOf(refused))
    expect(posts.map(({ body }) => body)).toEqual([refused.request, leftOut.request])
    expect(faults(answers)).toEqual(['none', 'unsupported', 'refused'])
    expect(answers[1]).toMatchObject({ error: expect.any(BatchRefused) })
    expect(answers[2]).toMatchObject({ error: { reason: "Key name doesn't exist in htable." } })
  })

  const pair = [1, 2].map((id) => ({ method: 'core.uptime', id }))
  const thrownBy = (read: () => unknown): unknown => {
    try {
      return read()
    } catch (error) {
      return error
    }
  }

  test.each<[string, { executed: boolean; line?: number; message: string }]>([
    ['batch.refused_line', { executed: false, line: 2, message: 'Request refused by edge policy' }],
    ['batch.101', { executed: false, message: 'Batch of 101 requests, at most 100' }],
    ['batch.crlf', { executed: false, message: 'Malformed batch' }],
    ['batch.missing_comma', { executed: false, line: 1, message: 'Malformed batch' }],
    ['batch.empty', { executed: false, message: 'Malformed batch' }],
    ['body.too_large', { executed: false, message: 'Body of 16001 bytes, at most 16000' }],
    ['batch.max_while_loops', { executed: false, message: 'max_while_loops is too small for this batch' }],
    [
      'batch.reply_too_long',
      { executed: true, message: 'Executed, but the reply does not fit pv_buffer_size' },
    ],
    ['plain.batch', { executed: false, message: 'no batch of replies' }],
  ])(
    'to %s is a refused batch, and whether it was executed is known',
    (name, { executed, line, message }) => {
      const error = thrownBy(() => resultsOf('edge-a', pair, replyOf(one(name))))
      expect(error).toBeInstanceOf(BatchRefused)
      expect(error).toMatchObject({ executed, message: expect.stringContaining(message) })
      expect(error instanceof BatchRefused ? error.line : undefined).toBe(line)
    },
  )

  test.each<[string, string, string]>([
    ['single.rubbish', 'unsupported', 'HTTP 400'],
    ['single.refused', 'unsupported', 'HTTP 400'],
    ['single.not_json', 'malformed', 'Parse Error'],
    ['body.too_large', 'malformed', 'Body of 16001 bytes, at most 16000'],
    ['generation.no_number', 'malformed', 'Generation is no number'],
    ['wrong_key', 'unauthorized', 'shared secret'],
    ['wrong_path', 'unsupported', 'HTTP 404'],
    ['plain.begun', 'unsupported', 'Method Not Found'],
    ['htable.get.missing', 'refused', "Key name doesn't exist in htable."],
    ['begun.no_table', 'refused', 'No such htable'],
    ['dlg.profile_get_size.no_profile', 'refused', 'Profile not found: dst'],
  ])('to %s is %s, in its words', (name, fault, message) => {
    const error = thrownBy(() => resultOf('edge-a', { method: 'recorded', id: 1 }, replyOf(one(name))))
    expect(error).toBeInstanceOf(EdgeError)
    expect(error).toMatchObject({ fault, message: expect.stringContaining(message) })
  })

  test('to a generation that is too low, or missing from a write, says which it has seen', async () => {
    for (const name of ['generation.stale', 'generation.missing'])
      expect(
        thrownBy(() => resultOf('edge-a', { method: 'recorded', id: 1 }, replyOf(one(name)))),
      ).toMatchObject({
        name: 'EdgeError',
        seen: 7,
      })
    const stale = one('generation.stale_batch')
    const { posts, rpc } = replaying(stale)
    const answers = await rpc.under(6).batch(callsOf(stale))
    expect(posts.map(({ body, generation }) => [body, String(generation)])).toEqual([
      [stale.request, stale.generation],
    ])
    for (const given of some(answers)) expect(given).toEqual({ error: expect.any(StaleGeneration) })
  })

  const guardProbe = { 'guard-probe.invalid': 'htable.get.missing' }

  test('makes its facts: all of our files, and the calls that were there', async () => {
    const boot = one('single').response.headers['x-dc-boot']
    expect(await edgeOver(guardProbe).facts()).toMatchObject({
      version: expect.stringContaining(`kamailio ${release}`),
      ...{ bootId: boot, batch: true, fence: true, guard: true, counters: true, profiles: ['dst', 'src'] },
      ...{ dialogs: 0, callsTo: 0, callsFrom: 0, begun: 2, begunTo: 2 },
      ...{ endsCalls: true, keepalives: false, longestCallSeconds: 3600 },
    })
  })

  test('makes the facts of one that counts no calls, and of one that has none of our files', async () => {
    const less = {
      ...guardProbe,
      begun: 'begun.no_table',
      'dlg.profile_get_size': 'dlg.profile_get_size.no_profile',
    }
    const facts = await edgeOver(less).facts()
    expect(facts).toMatchObject({ batch: true, counters: false, profiles: [] })
    for (const key of ['begun', 'begunTo', 'callsTo', 'callsFrom']) expect(facts).not.toHaveProperty(key)
  })

  test('counts the calls that ever began for a destination, and none where the key is missing', async () => {
    const [begun, missing] = [one('begun'), one('begun.missing')]
    for (const [recording, expected] of [
      [begun, { result: 2 }],
      [missing, { error: expect.any(RpcRefusal) }],
    ] as const) {
      const { posts, rpc } = replaying(recording)
      const result = z.object({ item: z.object({ value: z.int() }) }).transform(({ item }) => item.value)
      const [call] = callsOf(recording)
      if (!call) throw new Error('it has one request')
      expect(await rpc.batch([{ ...call, result }])).toEqual([expected])
      expect(posts.map(({ body }) => body)).toEqual([recording.request])
    }
  })

  test('lists what can be read, and of the rest its set, its text and the address that it resolved', async () => {
    const odd = { '"params":[]': 'dispatcher.list.odd', '"full"': 'dispatcher.list.odd.full' }
    const { destinations, opaque } = await edgeOver(odd).list()
    expect(destinations.map(({ uri, address }) => [uri, address]).sort()).toEqual([
      ['sip:127.0.2.1:5060', undefined],
      ['sip:fs1.lab.test:5060', '127.0.2.88'],
    ])
    const shown = opaque.map(({ set, text, address }) => [set, text, address])
    expect(shown.sort()).toEqual([
      [1, 'sip:127.0.62.1:', '127.0.62.1'],
      [1, 'sip:127.0.62.1:0', '127.0.62.1'],
      [1, 'sip:127.0.62.1;x="q"', '127.0.62.1'],
      [1, 'sip:x.lab.test:0', '127.0.2.89'],
    ])
  })
})
