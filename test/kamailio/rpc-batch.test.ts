import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../lab/sip/edge.ts'
import { flagsOf, type Lab, openLab, until } from './lab.ts'
import { about, askEdge, batchOf, errorOf, repliesOf, requestLine } from './rpc-requests.ts'

const one = 'sip:127.0.2.1:5060'
const two = 'sip:127.0.2.2:5060'
const uptime = requestLine('core.uptime')
const drainOne = requestLine('dispatcher.set_state', '["d",1,"sip:127.0.2.1:5060"]', 2)
const holdTwo = requestLine('htable.seti', `["held","${two}",1]`, 3)
const kill = requestLine('core.kill')
const count = (id: number) => requestLine('dlg.profile_get_size', `["dst","${two}"]`, id)

describe.each(['6.1', '5.6'] as const)('a batch on Kamailio %s', (release) => {
  let lab: Lab
  let edge: Edge

  beforeAll(async () => {
    lab = await openLab(release)
    edge = await lab.edge({ destinations: [one, two].map((uri) => ({ set: 1, uri })) })
  })
  afterAll(() => lab.close())

  const logged = (what: string) =>
    readFileSync(edge.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes(what))

  test('every request is executed and answered in its order, an error in its place', async () => {
    const reply = await askEdge(edge, {
      body: batchOf([
        requestLine('htable.get', `["held","${two}"]`, 1),
        drainOne,
        holdTwo,
        requestLine('htable.get', `["held","${two}"]`, 4),
        requestLine('dispatcher.set_state', '["d",7,"sip:nobody"]', 5),
        requestLine('dispatcher.list', '["short"]', 6),
      ]),
    })
    expect(reply.status).toBe(200)
    expect(repliesOf(reply)).toMatchObject([
      { id: 1, error: { code: 500, message: "Key name doesn't exist in htable." } },
      { id: 2, result: 'Ok. Dispatcher state updated.' },
      { id: 3, result: 'Ok. Key set to new value.' },
      { id: 4, result: { item: { name: two, value: 1 } } },
      { id: 5, error: { message: 'State Update Failed' } },
      { id: 6, result: { NRSETS: 1 } },
    ])
    expect(await flagsOf(edge, one)).toEqual([expect.stringMatching(/^D/)])
  })

  test('a batch of one and a batch of a hundred are answered whole', async () => {
    expect(repliesOf(await askEdge(edge, { body: batchOf([uptime]) }))).toHaveLength(1)
    const ids = Array.from({ length: 100 }, (_, index) => index)
    const replies = repliesOf(await askEdge(edge, { body: batchOf(ids.map(count)) }))
    expect(replies.map(({ id }) => id)).toEqual(ids)
    // The longest reply that a look asks a hundred of: a key that no table has.
    const missing = ids.map((id) => requestLine('htable.get', `["held","sip:none-${id}"]`, id))
    expect(repliesOf(await askEdge(edge, { body: batchOf(missing) }))).toHaveLength(100)
  })

  test.each([1, 2, 3])(
    'the first refused line, here %i, refuses all before anything is executed',
    async (at) => {
      await edge.call('dispatcher.set_state', ['a', 1, one])
      const lines = [drainOne, drainOne, drainOne].with(at - 1, kill).concat(kill)
      const reply = await askEdge(edge, { body: batchOf(lines) })
      expect(reply.status).toBe(400)
      expect(errorOf(reply)).toEqual({ code: -32600, message: 'Request refused by edge policy', data: at })
      expect(await flagsOf(edge, one)).toEqual([expect.stringMatching(/^A/)])
    },
  )

  test.each([
    ['no bracket at the end', `[\n${uptime}`, undefined],
    ['nothing in it', '[\n]', undefined],
    ['an empty array', '[]', undefined],
    ['all on one line', `[${uptime}]`, undefined],
    ['something after it', `${batchOf([uptime])}\n`, undefined],
    ['CRLF line ends', batchOf([uptime, uptime]).replaceAll('\n', '\r\n'), undefined],
    ['one CR', batchOf([uptime, uptime]).replace(',\n', ',\r\n'), undefined],
    ['a missing comma', `[\n${uptime},\n${uptime}\n${uptime}\n]`, 2],
    ['a comma after the last', `[\n${uptime},\n${uptime},\n]`, 2],
    ['two commas', `[\n${uptime},,\n${uptime}\n]`, 1],
    ['an empty line', `[\n${uptime},\n\n${uptime}\n]`, 2],
    ['a line with a comma alone', `[\n,\n${uptime}\n]`, 1],
  ])('%s is no batch', async (_what, body, data) => {
    const reply = await askEdge(edge, { body })
    expect(reply.status).toBe(400)
    const refused = body.includes(',,') ? 'Request refused by edge policy' : 'Malformed batch'
    expect(errorOf(reply)).toEqual({ code: -32600, message: refused, ...(data && { data }) })
  })

  test('more than a hundred requests, or more than 16,000 bytes, are refused in words', async () => {
    const many = await askEdge(edge, { body: batchOf(Array<string>(101).fill(uptime)) })
    expect(many.status).toBe(413)
    expect(errorOf(many)).toEqual({ code: -32600, message: 'Batch of 101 requests, at most 100' })
    const largest = uptime.padEnd(16_000, ' ')
    expect((await askEdge(edge, { body: largest })).status).toBe(400)
    const large = await askEdge(edge, { body: `${largest} ` })
    expect(large.status).toBe(413)
    expect(errorOf(large)).toEqual({ code: -32600, message: 'Body of 16001 bytes, at most 16000' })
  })

  test('each write of a batch is logged by itself with what it was for, and no read', async () => {
    const body = batchOf([drainOne, count(1), holdTwo])
    await askEdge(edge, { body, headers: { 'x-correlation-id': 'a-batch' } })
    await until('the last is logged', () => logged('for a-batch').length >= 2)
    const lines = logged('for a-batch')
    expect(lines).toHaveLength(2)
    expect(lines[0]?.endsWith(`write from 127.0.0.1 for a-batch: ${drainOne}`)).toBe(true)
    expect(lines[1]?.endsWith(`write from 127.0.0.1 for a-batch: ${holdTwo}`)).toBe(true)
  })

  test('every reply names the boot, refusals too, and a restart makes another one', async () => {
    const ask = (options: Parameters<typeof askEdge>[1]) => askEdge(edge, options)
    const replies = [
      await ask({ body: uptime }),
      await ask({ body: batchOf([uptime]) }),
      await ask({ body: kill }),
      await ask({ body: '[]' }),
      await ask({ body: uptime, headers: { 'x-rpc-key': 'wrong' } }),
      await ask({ body: uptime, path: '/other' }),
      await ask({ body: uptime, localAddress: '127.9.9.9' }),
      await ask({ body: uptime, headers: { 'x-dc-generation': 'x' } }),
    ]
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 400, 401, 404, 403, 400])
    const boots = new Set(replies.map(({ boot }) => boot))
    expect(boots.size).toBe(1)
    const [boot] = boots
    expect(boot).toMatch(/^[0-9]+-[0-9]+-127[.0-9]+-[0-9]+$/)
    await edge.restart()
    const together = await Promise.all(Array.from({ length: 20 }, () => ask({ body: uptime })))
    const after = new Set(together.map((reply) => reply.boot))
    expect(after.size).toBe(1)
    expect(after.has(boot)).toBe(false)
  })

  test('`about` is made anew for each request, in a batch as well', async () => {
    const start = Math.floor(Date.now() / 1000)
    const single = await about(edge)
    expect(single).toMatchObject({ version: '1', end_calls: '0', keepalives: '0', longest_call: '3600' })
    expect(single.now).toBeGreaterThanOrEqual(start)
    await until('a second has passed', async () => (await about(edge)).now > single.now)
    const [reply] = repliesOf(
      await askEdge(edge, { body: batchOf([requestLine('htable.get', '["dc","about"]')]) }),
    )
    expect(JSON.stringify(reply)).not.toContain(`now=${single.now};`)
  })
})

describe.each(['6.1', '5.6'] as const)('a batch on Kamailio %s with too small core settings', (release) => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab(release)
  })
  afterAll(() => lab.close())

  test('a reply that does not fit is an error in words, and what was executed is said', async () => {
    const edge = await lab.edge({
      destinations: [{ set: 1, uri: one }],
      settings: { DC_PV_BUFFER_SIZE: 2048 },
    })
    const reply = await askEdge(edge, { body: batchOf([drainOne, ...Array<string>(60).fill(uptime)]) })
    expect(reply.status).toBe(500)
    expect(errorOf(reply)).toEqual({
      code: -32002,
      message: 'Executed, but the reply does not fit pv_buffer_size',
    })
    expect(await flagsOf(edge, one)).toEqual([expect.stringMatching(/^D/)])
  })

  test('a list of megabytes in a batch is the same error, and what stands behind it is executed', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => `sip:127.20.${index >> 8}.${index & 255}:5060`)
    const destinations = [one, ...many].map((uri) => ({ set: 1, uri }))
    const edge = await lab.edge({ destinations, pingSeconds: 600, dialogDb: false })
    const list = requestLine('dispatcher.list')
    const reply = await askEdge(edge, { body: batchOf([list, list, list, holdTwo]) })
    expect(reply.status).toBe(500)
    expect(errorOf(reply).message).toBe('Executed, but the reply does not fit pv_buffer_size')
    expect(await edge.call('htable.get', ['held', two])).toMatchObject({ item: { value: 1 } })
  })

  test('lines that max_while_loops would leave unseen are not executed', async () => {
    const edge = await lab.edge({
      destinations: [{ set: 1, uri: one }],
      settings: { DC_MAX_WHILE_LOOPS: 10 },
    })
    expect(repliesOf(await askEdge(edge, { body: batchOf(Array<string>(10).fill(uptime)) }))).toHaveLength(10)
    const reply = await askEdge(edge, { body: batchOf([drainOne, ...Array<string>(10).fill(uptime)]) })
    expect(reply.status).toBe(500)
    expect(errorOf(reply)).toEqual({
      code: -32603,
      message: 'max_while_loops is too small for this batch',
    })
    expect(await flagsOf(edge, one)).toEqual([expect.stringMatching(/^A/)])
  })
})
