import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Edge } from '../../lab/sip/edge.ts'
import { flagsOf, type Lab, openLab } from './lab.ts'
import { askEdge, batchOf, errorOf, requestLine } from './rpc-requests.ts'

const uri = 'sip:127.0.2.1:5060'
const read = requestLine('core.uptime')
const drain = requestLine('dispatcher.set_state', `["d",1,"${uri}"]`)
const writes = [
  drain,
  requestLine('dispatcher.set_duid_state', '["d",1,"one"]'),
  requestLine('dispatcher.reload'),
  requestLine('htable.seti', `["held","${uri}",1]`),
  requestLine('htable.delete', `["held","${uri}"]`),
  requestLine('dlg.terminate_dlg', '["a","b","c"]'),
]

describe.each(['6.1', '5.6'] as const)('the fence on Kamailio %s', (release) => {
  let lab: Lab
  let edge: Edge

  beforeAll(async () => {
    lab = await openLab(release)
    edge = await lab.edge({ destinations: [{ set: 1, uri, attrs: 'duid=one' }], endsCalls: true })
  })
  afterAll(() => lab.close())
  // The fence lasts as long as the boot.
  beforeEach(() => edge.restart())

  const ask = (body: string, generation?: string | number) =>
    askEdge(edge, {
      body,
      headers: generation === undefined ? {} : { 'x-dc-generation': `${generation}` },
    })
  const stale = (data: number) => ({ code: -32001, message: 'Stale generation', data })

  test('a lower generation is refused before anything is executed, an equal or higher one is not', async () => {
    expect((await ask(read, 7)).status).toBe(200)
    for (const body of [drain, read, batchOf([read, drain]), batchOf([read])]) {
      const reply = await ask(body, 6)
      expect(reply.status).toBe(409)
      expect(errorOf(reply)).toEqual(stale(7))
    }
    expect(await flagsOf(edge, uri)).toEqual([expect.stringMatching(/^A/)])
    expect((await ask(drain, 7)).status).toBe(200)
    expect((await ask(batchOf([drain]), 8)).status).toBe(200)
    expect(await flagsOf(edge, uri)).toEqual([expect.stringMatching(/^D/)])
  })

  test('without a generation all goes as before, until one was seen: then no write does, and reads do', async () => {
    for (const body of [...writes, batchOf(writes), read])
      expect([200, 404, 500]).toContain((await ask(body)).status)
    expect((await ask(read, 1)).status).toBe(200)
    for (const body of [...writes, ...writes.map((write) => batchOf([read, write]))]) {
      const reply = await ask(body)
      expect(reply.status).toBe(409)
      expect(errorOf(reply)).toEqual(stale(1))
    }
    for (const body of [read, batchOf([read, read])]) expect((await ask(body)).status).toBe(200)
  })

  test.each([
    [999_999_999, 1_000_000_000],
    [2_147_483_647, 2_147_483_648],
    [4_294_967_295, 4_294_967_296],
    [999_999_999_999_998, 999_999_999_999_999],
    [0, 1],
  ])('%d is lower than %d, also where numbers have 32 bits', async (lower, higher) => {
    expect((await ask(read, lower)).status).toBe(200)
    expect((await ask(read, higher)).status).toBe(200)
    expect(errorOf(await ask(read, lower))).toEqual(stale(higher))
  })

  test.each(['', 'x', '-1', '1.5', '0x10', '1 2', '1234567890123456', '1e3', '+1'])(
    'a generation that is no number is refused: "%s"',
    async (generation) => {
      expect((await ask(read, 5)).status).toBe(200)
      const reply = await ask(read, generation)
      expect(reply.status).toBe(400)
      expect(errorOf(reply)).toEqual({ code: -32600, message: 'Generation is no number' })
    },
  )

  test('spaces at the end of the header are no part of the number', async () => {
    expect((await ask(read, '7 \t')).status).toBe(200)
    expect(errorOf(await ask(read, '6 '))).toEqual(stale(7))
  })

  test('a request that is refused raises no fence', async () => {
    const refused = requestLine('core.kill')
    expect((await ask(refused, 9)).status).toBe(400)
    expect((await ask(batchOf([read, refused]), 9)).status).toBe(400)
    expect((await ask('[]', 9)).status).toBe(400)
    const stranger = { 'x-rpc-key': 'wrong', 'x-dc-generation': '9' }
    expect((await askEdge(edge, { body: read, headers: stranger })).status).toBe(401)
    expect((await ask(drain)).status).toBe(200)
  })

  test('of many generations at once none is accepted after a higher one was answered', async () => {
    const waiting = Array.from({ length: 400 }, (_, index) => ((index * 37) % 100) + index)
    let highestAnswered = 0
    const late: number[] = []
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const answeredBefore = highestAnswered
        const { status } = await ask(read, next)
        if (status !== 200) continue
        if (next < answeredBefore) late.push(next)
        highestAnswered = Math.max(highestAnswered, next)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(late).toEqual([])
    expect(errorOf(await ask(read, 0))).toEqual(stale(highestAnswered))
  })

  test('a restart forgets the fence, with everything that a late request could undo', async () => {
    expect((await ask(read, 7)).status).toBe(200)
    await edge.restart()
    expect((await ask(drain, 3)).status).toBe(200)
    expect(errorOf(await ask(read, 2))).toEqual(stale(3))
  })
})
