import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KamailioProgram, kamailioReleases } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { some } from '../present.ts'
import { observe, whyNoNamespace } from './drop-in/namespace.ts'
import {
  batch,
  by,
  call,
  check,
  edge,
  hangUp,
  inVain,
  mediaServer,
  phone,
  planOf,
  resultOf,
  resultsOf,
  rpc,
  secondServer,
  sipToRpcPort,
  socketsListed,
  statusOf,
  uriOf,
} from './drop-in/plan.ts'
import type { Observation, Step } from './drop-in/steps.ts'
import { installCertificate, installProductFiles } from './drop-in/stock.ts'
import { editSettings, secretHash } from './drop-in/user-edits.ts'

const why = whyNoNamespace()
if (why !== undefined) console.warn(`An edge with a configuration of its own is not tried: ${why}`)

const config = join(import.meta.dirname, 'drop-in/kamailio.cfg')
const secondAddress = '10.0.0.11'
const service = `sip:svc@${edge}`
const byDomain = `sip:domain@${edge}`
const calls = ['udp', 'tcp', 'tls', 'domain', 'outbound']
const metrics = (name: string, path = '/metrics'): Step => ({
  do: 'http',
  name,
  host: secondAddress,
  port: 9090,
  method: 'GET',
  path,
})

const asEver: readonly Step[] = [
  { do: 'fifo', name: 'sockets', method: 'core.sockets_list' },
  { do: 'fifo', name: 'version by FIFO', method: 'core.version' },
  ...(['udp', 'tcp', 'tls'] as const).map((transport) => call(transport, service, by(transport))),
  call('domain', byDomain),
  call('outbound', `sip:x@${phone}:5060`, by('udp', { host: secondAddress, port: 5070, from: mediaServer })),
  { do: 'invites', name: 'invited' },
  metrics('metrics with calls up'),
  metrics('another page', '/other'),
  {
    do: 'ask',
    name: 'what its own first route drops',
    via: inVain(by('udp', { from: '10.0.2.66' })),
    method: 'OPTIONS',
    uri: `sip:${edge}`,
    to: `sip:${edge}`,
  },
]

const atTheEnd: readonly Step[] = [...calls.map(hangUp), metrics('metrics at the end')]

const profile = 'dlg.profile_get_size'
const withControlPlane: readonly Step[] = [
  batch('counts', [
    [profile, 'dst', uriOf(mediaServer)],
    [profile, 'src', mediaServer],
    ['htable.get', 'begun', uriOf(mediaServer)],
    ['htable.get', 'begun', mediaServer],
  ]),
  ...atTheEnd,
  batch('counts at the end', [
    [profile, 'dst', uriOf(mediaServer)],
    [profile, 'src', mediaServer],
  ]),
  rpc('hold', 'htable.seti', ['held', uriOf(mediaServer), 1]),
  call('to a held one', service),
  call('to a held one by domain', byDomain),
  { do: 'invites', name: 'invited while one is held' },
  rpc('another method', 'core.kill'),
  rpc('another key', 'core.version', [], { headers: { 'x-rpc-key': 'wrong' } }),
  rpc('the metrics page at the RPC port', '', [], { method: 'GET', path: '/metrics' }),
  rpc('our path at another port', 'core.version', [], { host: secondAddress, port: 9090 }),
  sipToRpcPort('SIP to the RPC port'),
  { do: 'invites', name: 'invited by the RPC port' },
]

describe.skipIf(why).each(kamailioReleases)('a configuration of its own on Kamailio %s', (release) => {
  const home = mkdtempSync(join(tmpdir(), 'drop-in-own-'))
  afterAll(() => rmSync(home, { recursive: true }))
  let kamailio: KamailioProgram
  let before: Observation
  let after: Observation

  const install = (settings: Readonly<Record<string, string | undefined>> = {}) => {
    const dir = mkdtempSync(join(home, 'edge-'))
    writeFileSync(join(dir, 'kamailio.cfg'), readFileSync(config, 'utf8').replaceAll('EDGE_DIR', dir))
    installCertificate(dir, 'edge')
    installProductFiles(dir)
    editSettings(dir, {
      DC_RPC_KEY_SHA256: secretHash(),
      DC_OWN_PRE_ROUTING: '',
      DC_PROFILES_WITH_VALUE: '"dst;src;tenant;trunk"',
      DC_JSONRPC_PRETTY_FORMAT: '1',
      ...settings,
    })
    const list = [`1 ${uriOf(mediaServer)} 0 10`, `1 ${uriOf(secondServer)} 0 5`, '']
    writeFileSync(join(dir, 'dispatcher.list'), list.join('\n'))
    return dir
  }
  const planIn = (dir: string, steps: readonly Step[], more: readonly string[]) => {
    const plan = planOf(kamailio, dir, steps)
    return { ...plan, addresses: [edge, secondAddress], kamailio: [...plan.kamailio, ...more] }
  }
  const lineOf = (dir: string, text: string) => {
    const lines = readFileSync(join(dir, 'kamailio.cfg'), 'utf8').split('\n')
    return lines.findIndex((line) => line.includes(text)) + 1
  }
  const ours = ['-A', 'WITH_DISPATCHER_CONTROL']

  beforeAll(async () => {
    const tools = await provision({ kamailio: [release], log: (line) => console.log(line) })
    const found = tools.kamailio.get(release)
    if (found === undefined) throw new Error(`no Kamailio ${release}`)
    kamailio = found
    before = await observe(planIn(install(), [...asEver, ...atTheEnd], []))
    after = await observe(planIn(install(), [...asEver, ...withControlPlane], ours))
  })

  test('our files add one socket and take none away', () => {
    const added = `tcp ${edge}:8080`
    expect(before.sockets).not.toContain(added)
    expect(after.sockets).toContain(added)
    expect(after.sockets.filter((socket) => socket !== added)).toEqual(before.sockets)
    const listed = socketsListed(after, 'sockets').filter((socket) => socket !== added)
    expect(listed).toEqual(socketsListed(before, 'sockets'))
  })

  test('calls, the FIFO, its own pages, profiles, tables and event routes are as before', () => {
    const { sockets: _, ...as } = before.noted
    expect(after.noted).toMatchObject(as)
    for (const name of some(calls)) expect([as[name], as[`${name} ended`]]).toEqual([200, 200])
    expect(as['metrics with calls up']).toMatchObject({
      body: 'started 5 ended 0 workers 1 acme 4 trunk 1 all 5',
    })
    expect(as['metrics at the end']).toMatchObject({
      body: 'started 5 ended 5 workers 1 acme 0 trunk 0 all 0',
    })
    expect(as['another page']).toMatchObject({ status: 404, body: 'no such page' })
    expect(as['what its own first route drops']).toBe(0)
  })

  test('calls are counted, selected by address or by domain', () => {
    expect(resultsOf(after, 'counts')).toEqual([4, 1, 4, 1])
    expect(resultsOf(after, 'counts at the end')).toEqual([0, 0])
  })

  test('a held destination gets no call; selected by domain, the next is called by its own name', () => {
    expect(resultOf(after, 'hold')).toMatch(/^Ok\./)
    expect(after.noted['invited while one is held']).toEqual([
      `${secondServer}:5060 ${service}`,
      `${secondServer}:5060 sip:domain@${secondServer}:5060`,
    ])
  })

  test('the RPC is locked and has its port for itself', () => {
    expect(statusOf(after, 'another method')).toBe(400)
    expect(statusOf(after, 'another key')).toBe(401)
    expect(statusOf(after, 'the metrics page at the RPC port')).toBe(404)
    expect(after.noted['our path at another port']).toMatchObject({ status: 404, body: 'no such page' })
    expect(after.noted['SIP to the RPC port']).toBe(0)
    expect(after.noted['invited by the RPC port']).toEqual([])
  })

  test('a profile of its own that is not in DC_PROFILES_WITH_VALUE stops the start, not `kamailio -c`, and is named', async () => {
    const dir = install({ DC_PROFILES_WITH_VALUE: undefined })
    expect(check(kamailio, dir, ...ours)).toMatchObject({ ok: true })
    await expect(observe(planIn(dir, [], ours))).rejects.toThrow()
    const log = readFileSync(join(dir, 'kamailio.log'), 'utf8')
    expect(log).toContain('profile <tenant> not defined')
    expect(log).toContain(`${dir}/kamailio.cfg:${lineOf(dir, 'set_dlg_profile("tenant"')}`)
  })

  test('a second event_route[core:pre-routing] without DC_OWN_PRE_ROUTING stops `kamailio -c`, which names the line where it ends', () => {
    const dir = install({ DC_OWN_PRE_ROUTING: undefined })
    const { ok, words } = check(kamailio, dir, ...ours)
    expect(ok).toBe(false)
    const end = lineOf(dir, 'if ($si == "10.0.2.66") drop;') + 1
    expect(words).toContain(`${dir}/kamailio.cfg, line ${end}, column 1: duplicate route`)
  })
})
