import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { batchOf, type HttpReply, type RpcTransport } from '../../functions/contracts/rpc.ts'

/** An edge with our files of today that lists {@link uris} in set 1. */
export interface RpcPort {
  readonly transport: RpcTransport
  readonly secret?: string
  close(): Promise<void>
}

/** So many that a hundred lists of them are too long for one reply. */
export const uris = Array.from({ length: 60 }, (_, n) => `sip:127.0.2.${n + 1}:5060`)
const [uri = ''] = uris

const line = (method: string, params = '[]', id: number | string = 1) =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params},"id":${id}}`
const uptime = line('core.uptime')
const held = line('htable.get', `["held","${uri}"]`)
const hold = line('htable.seti', `["held","${uri}",1]`)
const letGo = line('htable.delete', `["held","${uri}"]`)
const kill = line('core.kill')

const policy = { code: -32600, message: 'Request refused by edge policy' }
const malformed = { code: -32600, message: 'Malformed batch' }

/** What the RPC port of an edge answers to bad input, and that it then has executed nothing. */
export function rpcPortContract(name: string, open: () => Promise<RpcPort>): void {
  describe(`the RPC port of ${name}`, () => {
    let port: RpcPort
    beforeEach(async () => {
      port = await open()
    })
    afterEach(() => port.close())

    async function ask(body: string, generation?: number): Promise<HttpReply> {
      const outcome = await port.transport.post({
        body,
        secret: port.secret,
        limit: 1_000_000,
        signal: AbortSignal.timeout(5000),
        ...(generation !== undefined && { generation }),
      })
      if ('failure' in outcome) throw new Error(outcome.why)
      return outcome
    }
    /** Its status and its error, and that the reply names the boot as each does. */
    async function refusalOf(body: string, generation?: number) {
      const { status, boot, body: said } = await ask(body, generation)
      expect(boot).toMatch(/^[0-9]+-[0-9]+(-[0-9.]+-[0-9]+)?$/)
      const { error, id }: { error?: object; id?: number } = JSON.parse(said)
      expect(id).toBe(0)
      return { status, ...error }
    }
    const isHeld = async () => (await ask(held)).body.includes('"value":1')

    test('what is no request at all is refused as its policy refuses one', async () => {
      for (const body of [
        '',
        'rubbish',
        '{',
        'null',
        '7',
        '{}',
        `${uptime}\n`,
        ` ${uptime}`,
        kill,
        '"',
        ' [',
        '{[',
      ]) {
        expect(await refusalOf(body)).toEqual({ status: 400, ...policy })
      }
    })

    test('a body of more than 16,000 bytes is too large, whatever it is, and its bytes count', async () => {
      const tooLarge = (bytes: number) => ({
        status: 413,
        code: -32600,
        message: `Body of ${bytes} bytes, at most 16000`,
      })
      const long = (value: string) => line('dlg.profile_get_size', `["dst","${value}"]`)
      const room = 16_000 - long('').length
      expect(await refusalOf(long('x'.repeat(room + 1)))).toEqual(tooLarge(16_001))
      expect(await refusalOf(long('é'.repeat(8000)))).toMatchObject({ status: 413 })
      expect(await refusalOf('r'.repeat(16_001))).toEqual(tooLarge(16_001))
      expect(await refusalOf(`[${'r'.repeat(16_000)}`)).toEqual(tooLarge(16_001))
      expect(await refusalOf(batchOf(Array<string>(300).fill(hold)), Number.NaN)).toMatchObject({
        status: 413,
      })
      expect((await ask(long('x'.repeat(room)))).status).toBe(200)
    })

    test.each<[string, string, number?]>([
      ['an empty one', '[]'],
      ['one without requests', '[\n]'],
      ['one on one line', `[${hold}]`],
      ['half a one', `[\n${hold}`],
      ['one with something behind it', `${batchOf([hold])}\n`],
      ['one of CRLF lines', batchOf([hold, hold]).replaceAll('\n', '\r\n')],
      ['one CR', batchOf([hold, hold]).replace(',\n', ',\r\n')],
      ['a missing comma', `[\n${hold},\n${hold}\n${hold}\n]`, 2],
      ['a comma behind the last', `[\n${hold},\n${hold},\n]`, 2],
      ['an empty line', `[\n${hold},\n\n${hold}\n]`, 2],
      ['a comma alone', `[\n,\n${hold}\n]`, 1],
      ['a missing comma before a refused line', `[\n${hold}\n${kill}\n]`, 1],
    ])('%s is no batch, and nothing of it is executed', async (_what, body, data) => {
      expect(await refusalOf(body)).toEqual({ status: 400, ...malformed, ...(data && { data }) })
      expect(await isHeld()).toBe(false)
    })

    test.each<[string, string, number]>([
      ['the first', batchOf([kill, hold, kill]), 1],
      ['one in the middle', batchOf([hold, kill, hold]), 2],
      ['the last', batchOf([hold, hold, kill]), 3],
      ['rubbish', batchOf([hold, 'rubbish']), 2],
      ['a second comma', `[\n${hold},,\n${hold}\n]`, 1],
      ['two requests', batchOf([hold, `${hold},${hold}`]), 2],
      ['a refused line before a missing comma', `[\n${kill},\n${hold}\n${hold}\n]`, 1],
      ['a batch in the batch', batchOf([hold, '[]']), 2],
    ])('a line that is not allowed refuses all: %s', async (_what, body, data) => {
      expect(await refusalOf(body)).toEqual({ status: 400, ...policy, data })
      expect(await isHeld()).toBe(false)
    })

    test('more than 100 requests are too many, before any line is looked at', async () => {
      const many = { status: 413, code: -32600, message: 'Batch of 101 requests, at most 100' }
      expect(await refusalOf(batchOf([hold, ...Array<string>(100).fill(uptime)]))).toEqual(many)
      expect(await refusalOf(batchOf([kill, ...Array<string>(100).fill('x')]), Number.NaN)).toEqual(many)
      expect(await isHeld()).toBe(false)
      expect(JSON.parse((await ask(batchOf(Array<string>(100).fill(uptime)))).body)).toHaveLength(100)
    })

    test('a generation that is no number of 1 to 15 digits is refused after the policy, and raises nothing', async () => {
      for (const generation of [Number.NaN, -1, 0.5, 10 ** 15, 10 ** 21, Number.POSITIVE_INFINITY]) {
        const unread = { status: 400, code: -32600, message: 'Generation is no number' }
        expect(await refusalOf(hold, generation)).toEqual(unread)
        expect(await refusalOf(batchOf([hold]), generation)).toEqual(unread)
        expect(await refusalOf(kill, generation)).toEqual({ status: 400, ...policy })
      }
      expect(await isHeld()).toBe(false)
      expect((await ask(uptime, 0)).status).toBe(200)
      expect((await ask(hold, 10 ** 15 - 1)).status).toBe(200)
      expect(await refusalOf(letGo, 10 ** 15 - 2)).toEqual({
        ...{ status: 409, code: -32001, message: 'Stale generation' },
        data: 10 ** 15 - 1,
      })
      expect(await isHeld()).toBe(true)
    })

    test('a refused request raises no generation, and an allowed read does', async () => {
      await refusalOf(kill, 9)
      await refusalOf(batchOf([hold, kill]), 9)
      expect((await ask(hold, 5)).status).toBe(200)
      expect((await ask(uptime, 7)).status).toBe(200)
      expect(await refusalOf(letGo, 6)).toMatchObject({ status: 409, data: 7 })
      expect(await refusalOf(letGo)).toMatchObject({ status: 409, data: 7 })
      expect(await refusalOf(batchOf([uptime, letGo]))).toMatchObject({ status: 409, data: 7 })
      expect((await ask(batchOf([uptime, held]))).status).toBe(200)
      expect(await isHeld()).toBe(true)
    })

    test('a reply that does not fit says that all was executed', async () => {
      const lists = Array.from({ length: 98 }, (_, id) => line('dispatcher.list', '[]', id))
      expect(await refusalOf(batchOf([hold, ...lists]))).toEqual({
        ...{ status: 500, code: -32002, message: 'Executed, but the reply does not fit pv_buffer_size' },
      })
      expect(await isHeld()).toBe(true)
    })

    test('letters match in either case in the policy, and a method that Kamailio does not know is its error', async () => {
      const { status, body } = await ask(line('CORE.UPTIME'))
      expect(status).toBe(500)
      expect(JSON.parse(body)).toMatchObject({ error: { code: 500, message: 'Method Not Found' }, id: 1 })
      const answers: unknown = JSON.parse((await ask(batchOf([uptime, line('CORE.UPTIME', '[]', 2)]))).body)
      expect(answers).toMatchObject([{ id: 1 }, { id: 2, error: { message: 'Method Not Found' } }])
    })

    test('what the policy allows and is no JSON is a parse error, and harms no neighbour in a batch', async () => {
      const unread = line('core.uptime', '[]', '007')
      expect(await refusalOf(unread)).toEqual({ status: 400, code: -32700, message: 'Parse Error' })
      const { status, body } = await ask(batchOf([unread, uptime]))
      expect(status).toBe(200)
      expect(JSON.parse(body)).toMatchObject([
        { error: { code: -32603, message: 'No reply' }, id: 0 },
        { id: 1 },
      ])
      const upper = uptime.replace(/"[a-z]+":/g, (key) => key.toUpperCase())
      expect(JSON.parse((await ask(upper)).body)).toMatchObject({
        result: { up_since: expect.any(String) },
        id: 1,
      })
    })

    test('the counters have a total of all calls and one of those to destinations', async () => {
      for (const key of ['total', 'total:dst']) {
        const { body } = await ask(line('htable.get', `["begun","${key}"]`))
        expect(JSON.parse(body)).toMatchObject({ error: { message: "Key name doesn't exist in htable." } })
      }
    })
  })
}
