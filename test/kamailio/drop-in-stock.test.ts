import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kamailioReleases } from '../../lab/programs/program.ts'
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
  mediaServer,
  phone,
  planOf,
  resultOf,
  resultsOf,
  rpc,
  sipToRpcPort,
  socketsListed,
  statusOf,
  uriOf,
} from './drop-in/plan.ts'
import type { SipTransport } from './drop-in/sip.ts'
import type { Observation, Step } from './drop-in/steps.ts'
import { installStock, type StockFeature, whyNoStock } from './drop-in/stock.ts'
import { installStockWithOurs } from './drop-in/user-edits.ts'

const tools = await provision({ kamailio: kamailioReleases, log: (line) => console.log(line) })

const alice = `sip:alice@${edge}`
const service = `sip:svc@${edge}`
/** Stock binds every address by itself. With a `listen` it does not, so all are named, 127.0.0.1 too. */
const byAddress = [`listen=${edge}`, 'listen=127.0.0.1']
const byInterface = ['listen=lo']

const version = '{"jsonrpc":"2.0","method":"core.version","params":[],"id":1}'

/** What an edge did before anybody thought of a control plane. */
function asEver(transports: readonly SipTransport[], features: readonly StockFeature[]): readonly Step[] {
  const register = { method: 'REGISTER', uri: `sip:${edge}`, to: alice, contact: `<${uriOf(mediaServer)}>` }
  const page = { do: 'http', host: '127.0.0.1', port: 5060, method: 'POST', body: version } as const
  return [
    { do: 'fifo', name: 'version by FIFO', method: 'core.version' },
    { do: 'ask', name: 'alice registers', via: by('udp'), ...register },
    ...transports.flatMap((transport) => [
      call(`to alice by ${transport}`, alice, by(transport)),
      hangUp(`to alice by ${transport}`),
    ]),
    ...(features.includes('WITH_JSONRPC')
      ? ([
          { ...page, name: 'the stock RPC', path: '/RPC' },
          { ...page, name: 'another page', path: '/rpc' },
          { ...page, name: 'from elsewhere', path: '/RPC', host: edge, from: '10.0.2.1' },
        ] as const)
      : []),
  ]
}

const profile = 'dlg.profile_get_size'

function withControlPlane(transports: readonly SipTransport[]): readonly Step[] {
  const calls = transports.map((transport) => `to a media server by ${transport}`)
  return [
    ...transports.map((transport) => call(`to a media server by ${transport}`, service, by(transport))),
    call('from a media server', `sip:x@${phone}:5060`, by('udp', { from: mediaServer })),
    batch('counts', [
      [profile, 'dst', uriOf(mediaServer)],
      [profile, 'src', mediaServer],
      ['htable.get', 'begun', uriOf(mediaServer)],
      ['htable.get', 'begun', mediaServer],
      ['htable.get', 'begun', 'total'],
    ]),
    ...[...calls, 'from a media server'].map(hangUp),
    batch('counts at the end', [
      [profile, 'dst', uriOf(mediaServer)],
      [profile, 'src', mediaServer],
    ]),
    batch('a hundred', Array(100).fill([profile, 'dst', uriOf(mediaServer)])),
    rpc('hold', 'htable.seti', ['held', uriOf(mediaServer), 1]),
    call('to a held one', service),
    rpc('another method', 'core.kill'),
    rpc('another key', 'core.version', [], { headers: { 'x-rpc-key': 'wrong' } }),
    rpc('from another subnet', 'core.version', [], { from: '127.0.0.1' }),
    { do: 'invites', name: 'until now' },
    sipToRpcPort('SIP to the RPC port'),
    { do: 'invites', name: 'by the RPC port' },
  ]
}

describe.each([...tools.kamailio])("Debian's stock kamailio.cfg of Kamailio %s", (_release, kamailio) => {
  const why = whyNoNamespace() ?? whyNoStock(kamailio)
  if (why !== undefined) console.warn(`Debian's stock kamailio.cfg is not tried: ${why}`)
  const home = mkdtempSync(join(tmpdir(), 'drop-in-stock-'))
  afterAll(() => rmSync(home, { recursive: true }))

  const install = (features: readonly StockFeature[], listens?: readonly string[]) => {
    const dir = mkdtempSync(join(home, 'edge-'))
    if (listens === undefined) installStock(kamailio, dir, features)
    else installStockWithOurs(kamailio, dir, { features, listens, mediaServers: [uriOf(mediaServer)] })
    return dir
  }

  describe.skipIf(why).each([
    { features: [], transports: ['udp', 'tcp'], listens: byInterface },
    { features: ['WITH_TLS', 'WITH_JSONRPC'], transports: ['udp', 'tcp', 'tls'], listens: byAddress },
  ] as const)('with $features and $listens', ({ features, transports, listens }) => {
    const sockets: Step = { do: 'fifo', name: 'sockets', method: 'core.sockets_list' }
    let before: Observation
    let after: Observation

    beforeAll(async () => {
      const ever = asEver(transports, features)
      const run = (dir: string, steps: readonly Step[]) => observe(planOf(kamailio, dir, steps))
      before = await run(install(features), [sockets, ...ever])
      after = await run(install(features, listens), [sockets, ...ever, ...withControlPlane(transports)])
    })

    test('our files add one socket and take none away, and the first of each protocol stays one of SIP', () => {
      const added = `tcp ${edge}:8080`
      expect(after.sockets.filter((socket) => socket !== added)).toEqual(before.sockets)
      expect(after.sockets).toContain(added)
      const listed = socketsListed(after, 'sockets')
      expect(listed.filter((socket) => socket !== added).sort()).toEqual(
        [...socketsListed(before, 'sockets')].sort(),
      )
      for (const transport of some(transports))
        expect(listed.find((socket) => socket.startsWith(transport))).toMatch(/:506[01]$/)
    })

    test('calls, registrations, the FIFO and the stock HTTP pages answer as before', () => {
      const { sockets: _, ...as } = before.noted
      expect(after.noted).toMatchObject(as)
      for (const transport of some(transports)) {
        expect(as[`to alice by ${transport}`]).toBe(200)
        expect(as[`to alice by ${transport} ended`]).toBe(200)
      }
      expect(as['alice registers']).toBe(200)
    })

    test('calls of both directions are counted while they are up, and remembered as begun', () => {
      const up = transports.length
      for (const transport of some(transports))
        expect(after.noted[`to a media server by ${transport}`]).toBe(200)
      expect(after.noted['from a media server']).toBe(200)
      expect(resultsOf(after, 'counts')).toEqual([up, 1, up, 1, up + 1])
      expect(resultsOf(after, 'counts at the end')).toEqual([0, 0])
    })

    test('a batch of a hundred fits with indented replies too, as stock has them', () => {
      expect(resultsOf(after, 'a hundred')).toEqual(Array(100).fill(0))
    })

    test('a held destination gets no call', () => {
      expect(resultOf(after, 'hold')).toMatch(/^Ok\./)
      expect(after.noted['to a held one']).toBe(503)
    })

    test('the RPC is locked, and its port speaks no SIP', () => {
      expect(statusOf(after, 'another method')).toBe(400)
      expect(statusOf(after, 'another key')).toBe(401)
      expect(statusOf(after, 'from another subnet')).toBe(403)
      expect(after.noted['SIP to the RPC port']).toBe(0)
      expect(after.noted['by the RPC port']).toEqual([])
    })
  })

  test.each([
    ['WITH_HTABLE', 'WITH_TLS'],
    ['WITH_ANTIFLOOD', 'WITH_JSONRPC'],
  ] as const)('the same lines fit with %s and %s', (...features) => {
    expect(check(kamailio, install(features, byAddress))).toMatchObject({ ok: true })
  })
})
