import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../lab/sip/edge.ts'
import { send } from '../../lab/sip/edge-rpc.ts'
import { type Lab, openLab, until } from './lab.ts'

const uri = 'sip:127.0.2.1:5060'
const envelope = (method: string, params: string) =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params},"id":7}`
const uptime = envelope('core.uptime', '[]')

describe.each(['6.1', '5.6'] as const)('RPC lock-down on Kamailio %s', (release) => {
  let lab: Lab
  let edge: Edge

  beforeAll(async () => {
    lab = await openLab(release)
    edge = await lab.edge({
      destinations: [{ set: 1, uri, attrs: 'duid=one' }],
      secret: 'the-old-secret',
      nextSecret: 'the-new-secret',
    })
  })
  afterAll(() => lab.close())

  const ask = (
    body: string,
    options: { key?: string; path?: string; method?: string; localAddress?: string } = {},
  ) => {
    const { key = 'the-old-secret', ...rest } = options
    return send({ host: edge.address, port: edge.rpcPort }, { ...rest, body, headers: { 'x-rpc-key': key } })
  }

  test('both secrets of a rotation are accepted, no other, and no missing one', async () => {
    expect((await ask(uptime)).status).toBe(200)
    expect((await ask(uptime, { key: 'the-new-secret' })).status).toBe(200)
    expect((await ask(uptime, { key: 'the-wrong-secret' })).status).toBe(401)
    expect((await ask(uptime, { key: '' })).status).toBe(401)
    const keyless = await send({ host: edge.address, port: edge.rpcPort }, { body: uptime })
    expect(keyless.status).toBe(401)
  })

  test('spaces at the end of a header are no part of its value', async () => {
    expect((await ask(uptime, { key: 'the-old-secret \t' })).status).toBe(200)
    expect((await ask(uptime, { key: 'the-old-secret x' })).status).toBe(401)
  })

  test.each([
    ['an empty second hash', '""'],
    ['the hash of an empty secret', `"${createHash('sha256').update('').digest('hex')}"`],
    ['no second hash', undefined],
  ])('%s lets in nobody but who has the secret', async (_what, next) => {
    const settings = { DC_RPC_NEXT_KEY_SHA256: next }
    const rotated = await lab.edge({ destinations: [{ set: 1, uri }], dialogDb: false, settings })
    const endpoint = { host: rotated.address, port: rotated.rpcPort }
    expect((await send(endpoint, { body: uptime })).status).toBe(401)
    for (const key of ['', ' ', '\t', ' \t ', 'other'])
      expect((await send(endpoint, { body: uptime, headers: { 'x-rpc-key': key } })).status).toBe(401)
    const headers = { 'x-rpc-key': rotated.secret }
    expect((await send(endpoint, { body: uptime, headers })).status).toBe(200)
  })

  test('any other path or verb is 404', async () => {
    for (const path of ['/', '/rpc/', '/rpc?x=1', '/RPC', '/rpcx'])
      expect((await ask(uptime, { path })).status).toBe(404)
    expect((await ask(uptime, { method: 'PUT' })).status).toBe(404)
  })

  test('a source outside of the subnet is 403, even with the secret', async () => {
    expect((await ask(uptime, { localAddress: '127.9.9.9' })).status).toBe(403)
  })

  test.each([
    ['dispatcher.list', '[]'],
    ['dispatcher.set_state', `["d",1,"${uri}"]`],
    ['dispatcher.set_state', `["ap",1,"${uri}"]`],
    ['dispatcher.set_duid_state', '["a",1,"one"]'],
    ['dispatcher.reload', '[]'],
    ['dlg.profile_get_size', `["dst","${uri}"]`],
    ['dlg.profile_get_size', '["src","127.0.2.1"]'],
    ['dlg.profile_get_size', '["dst"]'],
    ['dlg.profile_get_size', '["src"]'],
    ['dlg.stats_active', '[]'],
    ['core.version', '[]'],
    ['core.uptime', '[]'],
    ['dispatcher.list', '["short"]'],
    ['dispatcher.list', '["full"]'],
    ['htable.get', '["dc","about"]'],
    ['htable.seti', `["held","${uri}",1]`],
    ['htable.get', `["held","${uri}"]`],
    ['htable.delete', `["held","${uri}"]`],
  ])('allowed: %s %s', async (method, params) => {
    const reply = await ask(envelope(method, params))
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.body)).toMatchObject({ jsonrpc: '2.0', id: 7 })
    expect(reply.body).not.toContain('"result":{}')
  })

  test('only with DC_RPC_END_CALLS can calls be listed and ended, each by its id and tags', async () => {
    const ends = await lab.edge({ destinations: [{ set: 1, uri }], endsCalls: true })
    expect(await ends.call('dlg.profile_list', ['dst', uri])).toEqual([])
    expect(await ends.call('dlg.profile_list', ['src', '127.0.2.1'])).toEqual([])
    const unknown = ends.call('dlg.terminate_dlg', ['a', 'b', 'c'])
    await expect(unknown).rejects.toThrow('Couldnt find callid in dialog')
    const refused = 'Request refused by edge policy'
    await expect(ends.call('dlg.profile_list', ['other', uri])).rejects.toThrow(refused)
    await expect(ends.call('dlg.terminate_dlg', ['a', 'b'])).rejects.toThrow(refused)
    await expect(ends.call('dlg.terminate_dlg', ['a', 'b', 'c', 'X-Header: y'])).rejects.toThrow(refused)
    await expect(ends.call('dlg.terminate_dlg', ['a"', 'b', 'c'])).rejects.toThrow(refused)
    await expect(ends.call('dlg.end_dlg', [1, 2])).rejects.toThrow(refused)
  })

  test('each write is logged with its source, what it was for and its body; no read is, and never the key', async () => {
    const id = 'lifecycle/i-0123:[2001:db8::5]'
    const write = envelope('dispatcher.set_state', `["a",1,"${uri}"]`)
    const headers = { 'x-rpc-key': 'the-old-secret' }
    const say = (body: string, correlation: string) =>
      send(
        { host: edge.address, port: edge.rpcPort },
        { body, headers: { ...headers, 'x-correlation-id': correlation } },
      )
    expect((await say(write, id)).status).toBe(200)
    expect((await say(uptime, 'a-read')).status).toBe(200)
    expect((await say(write, 'two words')).status).toBe(200)
    expect((await say(write, 'x'.repeat(201))).status).toBe(200)
    expect((await say('[]', 'a-refused-one')).status).toBe(400)
    const lines = () =>
      readFileSync(edge.logFile, 'utf8')
        .split('\n')
        .filter((line) => line.includes('rpc: '))
    await until('the last is logged', () => lines().some((line) => line.includes('for a-refused-one')))
    const logged = (what: string) => lines().filter((line) => line.endsWith(`rpc: ${what}`)).length
    expect(logged(`write from 127.0.0.1 for ${id}: ${write}`)).toBe(1)
    expect(logged(`write from 127.0.0.1 for -: ${write}`)).toBeGreaterThanOrEqual(2)
    expect(logged('request refused from 127.0.0.1 for a-refused-one')).toBe(1)
    expect(lines().filter((line) => line.includes('a-read'))).toEqual([])
    expect(lines().filter((line) => /the-(old|new|wrong)-secret/.test(line))).toEqual([])
  })

  test.each([
    ['another method', envelope('core.kill', '[]')],
    ['another method of dispatcher', envelope('dispatcher.remove', `[1,"${uri}"]`)],
    ['a whole set', envelope('dispatcher.set_state', '["d",1,"all"]')],
    ['a set as a string, which Kamailio reads as 0', envelope('dispatcher.set_state', `["d","1","${uri}"]`)],
    ['an unknown state', envelope('dispatcher.set_state', `["drain",1,"${uri}"]`)],
    ['another table', envelope('htable.seti', `["other","${uri}",1]`)],
    ['another value', envelope('htable.seti', `["held","${uri}",0]`)],
    ['a counter that is lowered', envelope('htable.seti', `["begun","${uri}",1]`)],
    ['the fence itself', envelope('htable.get', '["dc","generation"]')],
    ['another mode of the list', envelope('dispatcher.list', '["long"]')],
    ['another profile', envelope('dlg.profile_get_size', '["other","x"]')],
    [
      'the calls of a destination, where ending them is not allowed',
      envelope('dlg.profile_list', `["dst","${uri}"]`),
    ],
    ['the end of a call, where it is not allowed', envelope('dlg.terminate_dlg', '["a","b","c"]')],
    ['an escape', envelope('dispatcher.set_duid_state', '["d",1,"one\\"]')],
    ['a second method', uptime.replace('{', '{"method":"core.kill",')],
    ['a second method at the end', uptime.replace('}', ',"method":"core.kill"}')],
    ['two requests without a batch around them', `${uptime}\n${uptime}`],
    ['something after the request', `${uptime}{}`],
    ['spaces', uptime.replaceAll(',', ', ')],
    ['half a body', uptime.slice(0, 20)],
    ['no JSON', 'hello'],
    ['nothing', ''],
  ])('refused with 400, not with silence: %s', async (_what, body) => {
    const reply = await ask(body)
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.body)).toEqual({
      jsonrpc: '2.0',
      error: { code: -32600, message: 'Request refused by edge policy' },
      id: 0,
    })
  })
})
