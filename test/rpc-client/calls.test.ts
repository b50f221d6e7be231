import { describe, expect, test } from 'vitest'
import { totalCalls } from '../../functions/control/edge-facts.ts'
import {
  clientOf,
  type HttpRequest,
  idOf,
  isBatch,
  loopback,
  media,
  noBatches,
  reply,
  result,
  uriOf,
} from './loopback.ts'

interface Answers {
  /** sizes by profile and value; a profile that is not here is not found */
  readonly profiles?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** DLGLOAD of {@link media} in sets 1 and 2 */
  readonly load?: number
  /** undefined: no dialog module */
  readonly active?: number
  readonly upSince?: string
}

/** An edge whose answers can change between calls. */
async function edgeThat(answers: () => Answers) {
  const server = await loopback((request, socket) => {
    if (isBatch(request)) return reply(socket, noBatches)
    const { profiles = {}, load, active, upSince = 'then' } = answers()
    const fault = (code: number, message: string) =>
      reply(
        socket,
        JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: idOf(request) }),
        `${code} x`,
      )
    const say = (value: unknown) => reply(socket, result(request, value))
    const { method, params } = parts(request)
    if (method === 'dispatcher.list') say(listed(load))
    else if (method === 'core.version') say('kamailio 6.1.5 (x86_64/Linux) ')
    else if (method === 'core.uptime') say({ now: 'x', up_since: upSince, uptime: 4 })
    else if (method === 'dlg.stats_active' && active !== undefined) say({ all: active })
    else if (method === 'dlg.profile_get_size' && active !== undefined) {
      const [profile = '', value = ''] = params
      const sizes = profiles[profile]
      if (sizes) say(params.length === 1 ? Object.values(sizes).reduce(sum, 0) : (sizes[value] ?? 0))
      else fault(404, `Profile not found: ${profile}`)
    } else fault(500, 'Method Not Found')
  })
  return { server, edge: clientOf(server) }
}

function parts(request: HttpRequest): { method: string; params: string[] } {
  const [, method = '', params = ''] = /"method":"([^"]*)","params":\[(.*)\]/.exec(request.body) ?? []
  return { method, params: [...params.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '') }
}

function listed(load: number | undefined) {
  const runtime = load === undefined ? {} : { RUNTIME: { DLGLOAD: load } }
  const target = { DEST: { URI: media, FLAGS: 'DX', ...runtime } }
  return {
    NRSETS: 2,
    RECORDS: [{ SET: { ID: 1, TARGETS: [target] } }, { SET: { ID: 2, TARGETS: [target] } }],
  }
}

const sum = (total: number, size: unknown) => total + Number(size)
const ofMedia = { uris: [media], addresses: ['10.0.1.20'] }

describe('the dialog profiles come first', () => {
  test('each URI and each address is asked for once, verbatim, and all are summed', async () => {
    const { edge, server } = await edgeThat(() => ({
      active: 9,
      profiles: { dst: { [media]: 3, 'sip:[2001:db8::20]:5060': 2 }, src: { '10.0.1.20': 4 } },
    }))
    const uris = [media, media, uriOf('sip:[2001:db8::20]:5060')]
    expect(await edge.countOf({ uris, addresses: ['10.0.1.20', '10.0.1.20'] })).toEqual({
      calls: 9,
      source: 'profile',
      outbound: true,
    })
    const asked = server.requests.filter(({ body }) => body.includes('profile_get_size"'))
    expect(asked.filter((request) => !isBatch(request))).toHaveLength(3)
  })

  test('an IPv6 address is asked for in every spelling of ipv6_hex_style, a DNS name not at all', async () => {
    const { edge, server } = await edgeThat(() => ({ active: 0, profiles: { dst: {}, src: {} } }))
    await edge.countOf({ uris: [], addresses: ['[2001:DB8::A]', 'ip-10-0-1-20.ec2.internal'] })
    const sizes = server.requests.map(parts).filter(({ method }) => method === 'dlg.profile_get_size')
    const asked = sizes.map(({ params }) => params[1])
    expect(asked.sort()).toEqual(['2001:DB8:0:0:0:0:0:A', '2001:db8:0:0:0:0:0:a', '2001:db8::a'])
  })

  test('without src, outbound calls are said to be uncounted', async () => {
    const { edge } = await edgeThat(() => ({ active: 2, profiles: { dst: { [media]: 2 } } }))
    expect(await edge.countOf(ofMedia)).toEqual({ calls: 2, source: 'profile', outbound: false })
  })

  test('a profile that comes later is used at once', async () => {
    let answers: Answers = { active: 1, load: 1 }
    const { edge } = await edgeThat(() => answers)
    expect((await edge.countOf(ofMedia)).source).toBe('load')
    answers = { active: 1, profiles: { dst: { [media]: 1 }, src: {} } }
    expect(await edge.countOf(ofMedia)).toEqual({ calls: 1, source: 'profile', outbound: true })
  })
})

describe('the total of all calls', () => {
  const totalOf = async (answers: Answers) => totalCalls(await (await edgeThat(() => answers)).edge.facts())

  test('is that of both profiles, whatever their values', async () => {
    const profiles = { dst: { [media]: 3, 'sip:10.0.1.21': 2 }, src: { '10.0.1.20': 4 } }
    expect(await totalOf({ active: 9, profiles })).toBe(9)
  })

  test('is unknown where one of them is missing, or the edge refuses the question', async () => {
    expect(await totalOf({ active: 2, profiles: { dst: { [media]: 2 } } })).toBe(undefined)
    expect(await totalOf({})).toBe(undefined)
  })
})

describe('what stands in for them is never believed to be 0 without proof', () => {
  test('DLGLOAD above 0 counts in each set, and 0 is no answer', async () => {
    const loaded = await edgeThat(() => ({ load: 2 }))
    expect(await loaded.edge.countOf(ofMedia)).toEqual({ calls: 4, source: 'load', outbound: false })
    const empty = await edgeThat(() => ({ load: 0 }))
    await expect(empty.edge.countOf(ofMedia)).rejects.toMatchObject({ fault: 'unsupported' })
  })

  test("an edge's total of 0 counts only after calls were seen in it, since the same boot", async () => {
    let answers: Answers = { active: 0 }
    const { edge } = await edgeThat(() => answers)
    await expect(edge.countOf(ofMedia)).rejects.toThrow(/call-profiles\.cfg/)
    answers = { active: 3 }
    await expect(edge.countOf(ofMedia)).rejects.toMatchObject({ fault: 'unsupported' })
    answers = { active: 0 }
    expect(await edge.countOf(ofMedia)).toEqual({ calls: 0, source: 'edge', outbound: true })
    answers = { active: 0, upSince: 'later' }
    await expect(edge.countOf(ofMedia)).rejects.toMatchObject({ fault: 'unsupported' })
  })

  test('a fault that is not "missing" is not taken for it', async () => {
    const server = await loopback((_request, socket) => reply(socket, '', '503 Service Unavailable'))
    await expect(clientOf(server).countOf(ofMedia)).rejects.toMatchObject({ fault: 'unreachable' })
    const strange = await edgeThat(() => ({ active: 1, profiles: { dst: { [media]: '1' } } }))
    await expect(strange.edge.countOf(ofMedia)).rejects.toMatchObject({ fault: 'malformed' })
  })
})
