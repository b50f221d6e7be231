import { describe, expect, test } from 'vitest'
import { clientOf, type HttpRequest, idOf, loopback, media, reply, result } from './loopback.ts'

interface Dialog {
  readonly id: string
  readonly tags?: readonly [string, string | null]
  readonly state?: number
}

interface Answers {
  /** dialogs by profile and value; a profile that is not here is not found */
  readonly profiles: Readonly<Record<string, Readonly<Record<string, readonly Dialog[]>>>>
  /** what `dlg.profile_get_size` says of {@link media}, whatever is true */
  readonly claimed?: number
  /** Call-IDs whose end fails with this message */
  readonly failing?: Readonly<Record<string, string>>
}

/** An edge that ends calls, with what it was told in `ended`. */
async function edgeWith(answers: Answers) {
  const ended: string[] = []
  const listed: string[] = []
  const server = await loopback((request, socket) => {
    const say = (value: unknown) => reply(socket, result(request, value))
    const fault = (message: string) =>
      reply(socket, JSON.stringify({ jsonrpc: '2.0', error: { code: 500, message }, id: idOf(request) }))
    const { method, params } = parts(request)
    const [first = '', second = '', third = ''] = params
    if (method === 'dlg.terminate_dlg') {
      const message = answers.failing?.[first]
      if (message !== undefined) return fault(message)
      ended.push(`${first} ${second} ${third}`)
      return say({})
    }
    const profile = answers.profiles[first]
    if (!profile) return fault(`Profile not found: ${first}`)
    const dialogs = profile[second] ?? []
    if (method === 'dlg.profile_get_size')
      return say(second === media ? (answers.claimed ?? dialogs.length) : dialogs.length)
    listed.push(`${first} ${second}`)
    return say(
      dialogs.map(({ id, tags: [from, to] = ['from', 'to'], state = 4 }) => ({
        'call-id': id,
        state,
        caller: { tag: from },
        callee: { tag: to },
      })),
    )
  })
  return { edge: clientOf(server), ended, listed }
}

function parts(request: HttpRequest): { method: string; params: readonly string[] } {
  return JSON.parse(Buffer.from(request.body, 'latin1').toString())
}

const ofMedia = { uris: [media], addresses: ['10.0.1.20'] }
const gone = 'Couldnt find callid in dialog'

describe('calls of a media server are ended', () => {
  test('in both directions, each once, and no more than asked for', async () => {
    const both = { id: 'both' }
    const { edge, ended } = await edgeWith({
      profiles: {
        dst: { [media]: [{ id: 'a' }, both] },
        src: { '10.0.1.20': [both, { id: 'b' }, { id: 'c' }] },
      },
    })
    expect(await edge.endCalls(ofMedia, 3)).toBe(3)
    expect(ended.sort()).toEqual(['a from to', 'b from to', 'both from to'])
  })

  test('but not those that ring: the edge would say that it did, and do nothing', async () => {
    const ringing = [1, 2].map((state) => ({ id: `r${state}`, tags: ['from', null] as const, state }))
    const { edge, ended } = await edgeWith({
      profiles: {
        dst: { [media]: [...ringing, { id: 'unacknowledged', state: 3 }, { id: 'over', state: 5 }] },
      },
    })
    expect(await edge.endCalls(ofMedia, 9)).toBe(1)
    expect(ended).toEqual(['unacknowledged from to'])
    const onlyRinging = await edgeWith({ profiles: { dst: { [media]: ringing } } })
    expect(await onlyRinging.edge.endCalls(ofMedia, 9)).toBe(0)
    expect(onlyRinging.ended).toEqual([])
  })

  test('and one that has ended by itself meanwhile is nobody’s fault, nor counted', async () => {
    const { edge } = await edgeWith({
      profiles: { dst: { [media]: [{ id: 'a' }, { id: 'b' }] } },
      failing: { a: gone },
    })
    expect(await edge.endCalls(ofMedia, 9)).toBe(1)
  })

  test('one that can not be ended stops no other; alone it is thrown', async () => {
    const profiles = { dst: { [media]: [{ id: 'a' }, { id: 'b' }] } }
    const { edge, ended } = await edgeWith({ profiles, failing: { a: 'trouble' } })
    expect(await edge.endCalls(ofMedia, 9)).toBe(1)
    expect(ended).toEqual(['b from to'])
    const alone = await edgeWith({ profiles, failing: { a: 'trouble', b: gone } })
    await expect(alone.edge.endCalls(ofMedia, 9)).rejects.toThrow('trouble')
  })

  test.each([
    ['a quote', 'we"ird@x'],
    ['a backslash', 'we\\ird@x'],
    ['what is not UTF-8', 'l\uFFFD@x'],
  ])('one whose Call-ID holds %s is said only when no other is left', async (_what, id) => {
    const strange = { id }
    const { edge, ended } = await edgeWith({ profiles: { dst: { [media]: [strange, { id: 'plain' }] } } })
    expect(await edge.endCalls(ofMedia, 1)).toBe(1)
    expect(ended).toEqual(['plain from to'])
    const alone = await edgeWith({ profiles: { dst: { [media]: [strange] } } })
    const refused = alone.edge.endCalls(ofMedia, 1)
    await expect(refused).rejects.toMatchObject({ fault: 'refused' })
    await expect(refused).rejects.toThrow(/1 calls? can not be ended: .*Call-ID/)
    expect(alone.ended).toEqual([])
  })

  test('more than 1,000 at one destination are not listed, and that is said once nothing else is left', async () => {
    const { edge, listed, ended } = await edgeWith({
      profiles: { dst: { [media]: [{ id: 'a' }] }, src: { '10.0.1.20': [{ id: 'b' }] } },
      claimed: 1001,
    })
    expect(await edge.endCalls(ofMedia, 9)).toBe(1)
    expect(ended).toEqual(['b from to'])
    expect(listed).toEqual(['src 10.0.1.20'])
    const refused = edge.endCalls({ uris: [media], addresses: [] }, 9)
    await expect(refused).rejects.toMatchObject({ fault: 'refused' })
    await expect(refused).rejects.toThrow(/1001 .*1000/)
  })

  test('none where there is none: nothing is listed', async () => {
    const { edge, listed } = await edgeWith({ profiles: { dst: {}, src: {} } })
    expect(await edge.endCalls(ofMedia, 9)).toBe(0)
    expect(listed).toEqual([])
  })
})

test.each([
  ['an edge without the profile', {}, 'kamailio/call-profiles.cfg'],
  ['an edge whose policy refuses', { dst: { [media]: [{ id: 'a' }] } }, 'DC_RPC_END_CALLS'],
])('%s says what it lacks', async (_what, profiles, advice) => {
  const server = await loopback((request, socket) => {
    const { method } = parts(request)
    if (method !== 'dlg.profile_get_size')
      return reply(
        socket,
        '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Request refused by edge policy"},"id":0}',
        '400 Bad Request',
      )
    const error = { code: 404, message: 'Profile not found: dst' }
    const kept = Object.keys(profiles).length > 0
    reply(
      socket,
      kept ? result(request, 1) : JSON.stringify({ jsonrpc: '2.0', error, id: idOf(request) }),
      kept ? undefined : '404 x',
    )
  })
  const refused = clientOf(server).endCalls({ uris: [media], addresses: [] }, 9)
  await expect(refused).rejects.toMatchObject({ fault: 'unsupported' })
  await expect(refused).rejects.toThrow(advice)
})
