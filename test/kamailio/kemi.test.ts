import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { provision } from '../../lab/programs/provision.ts'
import { observe, whyNoNamespace } from './drop-in/namespace.ts'
import {
  batch,
  by,
  call,
  edge,
  hangUp,
  mediaServer,
  phone,
  planOf,
  resultOf,
  resultsOf,
  rpc,
  secondServer,
  sipToRpcPort,
  statusOf,
  uriOf,
} from './drop-in/plan.ts'
import type { Observation, Plan, Step } from './drop-in/steps.ts'
import { installProductFiles } from './drop-in/stock.ts'
import { editSettings, secretHash } from './drop-in/user-edits.ts'

const log = (dir: string) => readFileSync(join(dir, 'kamailio.log'), 'utf8')
const example = resolve(import.meta.dirname, '../../kamailio/kemi')
const tools = await provision({ kamailio: ['6.1'], log: (line) => console.log(line) })
const kamailio = tools.kamailio.get('6.1')
const why =
  kamailio?.lua === true ? whyNoNamespace() : 'this Kamailio 6.1 has no app_lua (kamailio-lua-modules)'
if (why !== undefined) console.warn(`The edge in Lua is not tried: ${why}`)

const service = `sip:svc@${edge}`
const [good, refusing] = [uriOf(mediaServer), uriOf(secondServer)]
const profile = 'dlg.profile_get_size'

/** Of two media servers one refuses every call; each step that follows asks what became of it. */
const steps: readonly Step[] = [
  { do: 'ask', name: 'OPTIONS', via: by('udp'), method: 'OPTIONS', uri: `sip:${edge}`, to: `sip:${edge}` },
  ...['first', 'second', 'third'].map((name) => call(name, service)),
  call('outbound', `sip:x@${phone}:5060`, by('udp', { from: mediaServer })),
  { do: 'invites', name: 'invited at first' },
  batch('counts', [
    [profile, 'dst', good],
    [profile, 'dst', refusing],
    [profile, 'src', mediaServer],
    ['htable.get', 'begun', good],
    ['htable.get', 'begun', mediaServer],
  ]),
  rpc('list after a refusal', 'dispatcher.list', ['short']),
  rpc('active again', 'dispatcher.set_state', ['a', 1, refusing]),
  batch('hold both', [
    ['htable.seti', 'held', good, 1],
    ['htable.seti', 'held', refusing, 1],
  ]),
  call('all are held', service),
  { do: 'invites', name: 'invited while all are held' },
  rpc('give the refusing one back', 'htable.delete', ['held', refusing]),
  // Twice: round robin begins with the held one and with the refusing one in turn.
  call('fail-over to a held one', service),
  rpc('active once more', 'dispatcher.set_state', ['a', 1, refusing]),
  call('and again', service),
  { do: 'invites', name: 'invited while the good one is held' },
  ...['first', 'second', 'third', 'outbound'].map(hangUp),
  batch('counts at the end', [
    [profile, 'dst', good],
    [profile, 'src', mediaServer],
    ['htable.get', 'begun', good],
  ]),
  rpc('another method', 'core.kill'),
  rpc('another key', 'core.version', [], { headers: { 'x-rpc-key': 'wrong' } }),
  rpc('from another subnet', 'core.version', [], { from: '127.0.0.1' }),
  rpc('at the SIP port', 'core.version', [], { port: 5060 }),
  sipToRpcPort('SIP to the RPC port'),
  { do: 'invites', name: 'invited by the RPC port' },
]

/** The example's two files beside ours, as a user copies them; `edit` is what the user changes in them. */
function install(home: string, edit: (file: string, text: string) => string = (_file, text) => text): Plan {
  if (kamailio === undefined) throw new Error('no Kamailio 6.1')
  const dir = mkdtempSync(join(home, 'edge-'))
  installProductFiles(dir)
  for (const file of ['kamailio.cfg', 'edge.lua'])
    writeFileSync(join(dir, file), edit(file, readFileSync(join(example, file), 'utf8')))
  writeFileSync(join(dir, 'dispatcher.list'), `1 ${good}\n1 ${refusing}\n`)
  editSettings(dir, {
    DC_RPC_KEY_SHA256: secretHash(),
    DISPATCHER_LIST: `"${dir}/dispatcher.list"`,
    PING_SECONDS: '60',
  })
  const plan = planOf(kamailio, dir, steps)
  return {
    ...plan,
    kamailio: [...plan.kamailio, '-A', `EDGE_SCRIPT="${dir}/edge.lua"`],
    servers: plan.servers.map((server) =>
      server.host === secondServer ? { ...server, invite: 503 } : server,
    ),
  }
}

describe.skipIf(why)('an edge whose routing is written in Lua, on Kamailio 6.1', () => {
  const home = mkdtempSync(join(tmpdir(), 'kemi-'))
  afterAll(() => rmSync(home, { recursive: true }))
  let seen: Observation
  beforeAll(async () => {
    seen = await observe(install(home))
  })

  test('calls are counted in both directions where they are, and remembered as begun', () => {
    const { noted } = seen
    expect([noted['OPTIONS'], noted['first'], noted['second'], noted['third']]).toEqual([200, 200, 200, 200])
    expect(noted['outbound']).toBe(200)
    expect(resultsOf(seen, 'counts')).toEqual([3, 0, 1, 3, 1])
    expect(resultsOf(seen, 'counts at the end')).toEqual([0, 0, 3])
  })

  test('a destination that refuses is marked down, and the call goes to the next', () => {
    expect(seen.noted['invited at first']).toContain(`${secondServer}:5060 ${service}`)
    expect(JSON.stringify(resultOf(seen, 'list after a refusal'))).toMatch(
      new RegExp(`"URI":"${refusing}","FLAGS":"IP"`),
    )
  })

  test('a held destination gets no call, neither by selection nor by fail-over', () => {
    expect(resultsOf(seen, 'hold both')).toEqual([expect.stringMatching(/^Ok/), expect.stringMatching(/^Ok/)])
    expect(seen.noted['all are held']).toBe(503)
    expect(seen.noted['invited while all are held']).toEqual([])
    expect(seen.noted['fail-over to a held one']).toBe(503)
    expect(seen.noted['and again']).toBe(503)
    const once = `${secondServer}:5060 ${service}`
    expect(seen.noted['invited while the good one is held']).toEqual([once, once])
  })

  test('calls that are up are hung up by both ends as ever', () => {
    for (const name of ['first', 'second', 'third', 'outbound']) expect(seen.noted[`${name} ended`]).toBe(200)
  })

  test('the RPC is locked as in a kamailio.cfg without Lua', () => {
    expect(statusOf(seen, 'another method')).toBe(400)
    expect(statusOf(seen, 'another key')).toBe(401)
    expect(statusOf(seen, 'from another subnet')).toBe(403)
    expect(statusOf(seen, 'at the SIP port')).toBe(404)
    expect(seen.noted['SIP to the RPC port']).toBe(0)
    expect(seen.noted['invited by the RPC port']).toEqual([])
  })

  test('without the include of drain-guard.cfg calls are refused, and the log names what is missing', async () => {
    const plan = install(home, (_file, text) => text.replace('include_file "drain-guard.cfg"', ''))
    const { noted } = await observe({ ...plan, steps: [call('one', service)] })
    expect(noted['one']).toBe(503)
    expect(log(plan.dir)).toContain('no route[DISPATCHER_CONTROL_SELECT]: include the file that has it')
  })

  test('where Lua has the callbacks of HTTP and of all that comes in, one line in each keeps the RPC locked', async () => {
    const plan = install(home, (file, text) =>
      file === 'kamailio.cfg' ? withCallbacks(text) : `${text}\n${ownCallbacks}`,
    )
    const own = await observe({
      ...plan,
      steps: [
        rpc('version', 'core.version'),
        rpc('another method', 'core.kill'),
        rpc('another key', 'core.version', [], { headers: { 'x-rpc-key': 'wrong' } }),
        rpc('a page of its own', '', [], { port: 5060, path: '/page' }),
        call('one', service),
        { do: 'invites', name: 'invited by one' },
        sipToRpcPort('SIP to the RPC port'),
        { do: 'invites', name: 'invited by the RPC port' },
      ],
    })
    expect(resultOf(own, 'version')).toMatch(/^kamailio 6\.1/)
    expect(statusOf(own, 'another method')).toBe(400)
    expect(statusOf(own, 'another key')).toBe(401)
    expect(own.noted['a page of its own']).toMatchObject({ status: 200, body: 'by Lua' })
    expect(own.noted['one']).toBe(200)
    expect(own.noted['SIP to the RPC port']).toBe(0)
    expect(own.noted['invited by the RPC port']).toEqual([])
  })

  test('where the callback of all that comes in leaves our line out, the RPC answers 500 to everybody', async () => {
    const callbacks = ownCallbacks.replace(/^.*DISPATCHER_CONTROL_NO_SIP.*\n/m, '')
    const plan = install(home, (file, text) =>
      file === 'kamailio.cfg' ? withCallbacks(text) : `${text}\n${callbacks}`,
    )
    const own = await observe({ ...plan, steps: [rpc('version', 'core.version')] })
    expect(statusOf(own, 'version')).toBe(500)
    expect(log(plan.dir)).toContain('the RPC socket speaks SIP')
  })
})

function withCallbacks(text: string): string {
  return text
    .replace(/^event_route\[xhttp:request\] \{[^}]*\}/m, '')
    .replace(
      'cfgengine',
      'modparam("xhttp", "event_callback", "ksr_xhttp")\nkemi.pre_routing_callback="ksr_first"\ncfgengine',
    )
}

const ownCallbacks = `
function ksr_first(event)
  if KSR.cfgutils.route_if_exists("DISPATCHER_CONTROL_NO_SIP") == 0 then KSR.x.drop() end
  return 1
end

function ksr_xhttp(event)
  -- 0: it replied.
  if KSR.cfgutils.route_if_exists("DISPATCHER_CONTROL_RPC") == 0 then return end
  KSR.xhttp.xhttp_reply(200, "OK", "text/plain", "by Lua")
end
`
