import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { requestsOf } from '../../functions/contracts/rpc.ts'
import { clientOf, isBatch, loopback, noBatches, reply } from './loopback.ts'

const boot = '1795724058-4711'
const now = 1_795_724_060_000
const asked = z.object({ method: z.string(), params: z.array(z.string()), id: z.int() })

const noKey = "Key name doesn't exist in htable."
class Refusal extends Error {}

interface Answers {
  /** what rpc.cfg says of itself; a Refusal for an error with its message */
  readonly about?: string | Refusal
  readonly begun?: number | Refusal
  readonly begunTo?: number | Refusal
  readonly held?: Refusal
  readonly sizes?: Readonly<Record<string, number>>
  readonly dialogs?: number
  /** whether it has our rpc.cfg */
  readonly ours?: boolean
}

/** An edge with these answers, and what it was asked. */
async function edgeThat({ ours: atFirst = true, ...answers }: Answers) {
  let ours = atFirst
  const asks: string[] = []
  const server = await loopback((request, socket) => {
    if (isBatch(request) && !ours) return reply(socket, noBatches)
    const envelopes = (requestsOf(request.body) ?? [request.body]).map((line) => {
      const { method, params, id } = asked.parse(JSON.parse(line))
      asks.push([method, ...params].join(' '))
      const value = answerTo(answers, method, params)
      return value instanceof Refusal
        ? { jsonrpc: '2.0', error: { code: 500, message: value.message }, id }
        : { jsonrpc: '2.0', result: value, id }
    })
    const body = JSON.stringify(isBatch(request) ? envelopes : envelopes[0])
    reply(socket, body, '200 OK', ours ? [`X-DC-Boot: ${boot}`] : [])
  })
  const restartsWith = (files: boolean) => {
    ours = files
  }
  return { edge: clientOf(server, { now: () => now }), asks, server, restartsWith }
}

function answerTo(
  answers: Omit<Answers, 'ours'>,
  method: string,
  [first = '', key = '']: readonly string[],
): unknown {
  const { about = '', begun = 7, begunTo = 5, held, sizes = { dst: 2, src: 1 }, dialogs = 3 } = answers
  const item = (value: unknown) =>
    value instanceof Refusal ? value : { item: { name: 'x', value, flags: 0, expire: 'NEVER' } }
  switch (method) {
    case 'core.uptime':
      return { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 }
    case 'core.version':
      return 'kamailio 6.1.5 (x86_64/Linux) '
    case 'dlg.stats_active':
      return { starting: 0, connecting: 0, answering: 0, ongoing: dialogs, all: dialogs }
    case 'dlg.profile_get_size':
      return sizes[first] ?? new Refusal(`Profile not found: ${first}`)
    default:
      return item(
        { dc: about, begun: key === 'total:dst' ? begunTo : begun, held: held ?? new Refusal(noKey) }[first],
      )
  }
}

describe('what an edge is', () => {
  test('it says itself, and what its rpc.cfg adds is read key by key, unknown ones left alone', async () => {
    const about =
      'version=1;now=1795724055;end_calls=1;keepalives=0;longest_call=7200;max_loops=2000;later=x;sip_error=flags=2 is missing'
    const { edge } = await edgeThat({ about })
    expect(await edge.facts()).toEqual({
      version: 'kamailio 6.1.5 (x86_64/Linux)',
      bootTime: 'Sun Nov 22 20:16:46 2026',
      uptimeSeconds: 4,
      bootId: boot,
      ...{ batch: true, fence: true, guard: true, counters: true },
      profiles: ['dst', 'src'],
      ...{ dialogs: 3, callsTo: 2, callsFrom: 1, begun: 7, begunTo: 5 },
      ...{ longestCallSeconds: 7200, endsCalls: true, keepalives: false },
      clockDifferenceSeconds: -5,
      configurationError: 'flags=2 is missing',
    })
  })

  test.each([
    ['nothing', ''],
    ['empty values', 'version=1;now=;end_calls=;keepalives=;longest_call=;sip_error='],
    ['what are no numbers', 'now=soon;longest_call=a while'],
    ['no pairs', 'rubbish'],
  ])('is unknown where its rpc.cfg says %s of it', async (_what, about) => {
    const facts = await (await edgeThat({ about })).edge.facts()
    expect(facts).toMatchObject({ batch: true, counters: true })
    for (const key of [
      'longestCallSeconds',
      'endsCalls',
      'keepalives',
      'clockDifferenceSeconds',
      'configurationError',
    ])
      expect(facts).not.toHaveProperty(key)
  })

  test.each([
    [
      'counters that counted nothing yet',
      { begun: new Refusal(noKey), begunTo: new Refusal(noKey) },
      { counters: true, begun: 0, begunTo: 0 },
    ],
    ['no call to a destination', { begunTo: new Refusal(noKey) }, { begun: 7, begunTo: 0 }],
    [
      'no counters',
      { begun: new Refusal('No such htable'), begunTo: new Refusal('No such htable') },
      { counters: false },
    ],
    [
      'no table of its own',
      { about: new Refusal('No such htable') },
      { batch: true, counters: true, begun: 7 },
    ],
    ['no guard', { held: new Refusal('No such htable') }, { guard: false }],
    ['one profile', { sizes: { dst: 2 } }, { profiles: ['dst'], callsTo: 2 }],
    ['no profile', { sizes: {} }, { profiles: [] }],
  ])('%s is told from none', async (_what, answers, expected) => {
    const facts = await (await edgeThat(answers)).edge.facts()
    expect(facts).toMatchObject(expected)
    expect('callsTo' in facts).toBe(facts.profiles.includes('dst'))
    expect('callsFrom' in facts).toBe(facts.profiles.includes('src'))
    expect(['begun' in facts, 'begunTo' in facts]).toEqual([facts.counters, facts.counters])
  })

  test('an edge without our rpc.cfg is not asked for what it would refuse, and log', async () => {
    const { edge, asks } = await edgeThat({ ours: false })
    // Its first answer shows that it has none.
    await edge.boot()
    const facts = await edge.facts()
    expect(facts).toMatchObject({
      batch: false,
      fence: false,
      counters: false,
      guard: true,
      callsTo: 2,
      callsFrom: 1,
    })
    expect(facts).not.toHaveProperty('bootId')
    expect(asks.filter((text) => /begun|dc/.test(text))).toEqual([])
  })

  test('all of it is two requests, and what its rpc.cfg tells goes with the counters', async () => {
    const { edge, server } = await edgeThat({})
    await edge.facts()
    const about = server.requests.filter(({ body }) => body.includes('"about"'))
    expect(about.map(isBatch)).toEqual([true])
    expect(server.requests).toHaveLength(2)
  })

  test('an edge that starts anew with our rpc.cfg has all of it at once', async () => {
    const { edge, restartsWith } = await edgeThat({ ours: false, about: 'version=1;longest_call=60' })
    await edge.boot()
    expect(await edge.facts()).toMatchObject({ batch: false, counters: false })
    restartsWith(true)
    const all = { batch: true, fence: true, counters: true, begun: 7, begunTo: 5, longestCallSeconds: 60 }
    expect(await edge.facts()).toMatchObject({ ...all, bootId: boot })
  })

  test('an edge that starts anew without it has nothing of it at once', async () => {
    const { edge, restartsWith } = await edgeThat({})
    expect(await edge.facts()).toMatchObject({ batch: true, fence: true, bootId: boot })
    restartsWith(false)
    const facts = await edge.facts()
    expect(facts).toMatchObject({ batch: false, fence: false })
    expect(facts).not.toHaveProperty('bootId')
  })

  test('a guard that can not be read is no fact but an error', async () => {
    const { edge } = await edgeThat({ held: new Refusal('Interval timeout') })
    await expect(edge.facts()).rejects.toMatchObject({
      name: 'EdgeError',
      fault: 'refused',
      message: expect.stringContaining('Interval timeout'),
    })
  })

  test('what every Kamailio has and this one does not answer is no fact but an error', async () => {
    const server = await loopback((_request, socket) => reply(socket, '', '503 Service Unavailable'))
    await expect(clientOf(server).facts()).rejects.toMatchObject({ name: 'EdgeError', fault: 'unreachable' })
  })
})
