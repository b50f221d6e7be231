import { describe, expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { dispatcherList } from '../../functions/kamailio/dispatcher-list.ts'
import { resultOf } from '../../functions/kamailio/rpc-faults.ts'
import { some } from '../present.ts'
import { clientOf, idOf, isBatch, loopback, media, reply } from './loopback.ts'
import { type Recording, recordingsOf, releases } from './recordings.ts'

const read = ({ response }: Recording) =>
  resultOf('edge-a', { method: 'recorded', id: 1 }, response ?? { status: 0, body: '' })

function faultOf(recording: Recording): string | undefined {
  try {
    read(recording)
    return undefined
  } catch (error) {
    if (error instanceof EdgeError) return error.fault
    throw error
  }
}

describe.each(releases)('what real Kamailio %s said', (release) => {
  const recordings = recordingsOf(release)
  const named = (name: string) => recordings.filter((recording) => recording.name === name)
  const one = (name: string): Recording => {
    const [found] = named(name)
    if (!found) throw new Error(`nothing is recorded as ${name}`)
    return found
  }

  /**
   * An edge that answers each method with the recording of that name, or with the one that is named for it,
   * alone or with a table.
   */
  const answering = (answers: Readonly<Record<string, string>>) =>
    loopback((request, socket) => {
      const [, method = '', table = ''] = /"method":"([^"]*)","params":\["?(\w*)/.exec(request.body) ?? []
      const name = isBatch(request) ? 'batch' : (answers[`${method} ${table}`] ?? answers[method] ?? method)
      const body = one(name).response?.body ?? ''
      reply(socket, body.replace(/"id":1\}$/, `"id":${idOf(request)}}`))
    })

  test('each list is read whole: every target, with duid where it has one and IUID on 6.1', () => {
    const lists = recordings.filter(
      ({ name, request, response }) =>
        !name.includes('.odd') && request.includes('dispatcher.list"') && response?.body.includes('NRSETS'),
    )
    expect(lists.length).toBeGreaterThan(20)
    for (const list of some(lists)) {
      const { targets, opaque } = dispatcherList.parse(read(list))
      const body = list.response?.body ?? ''
      expect(opaque).toEqual([])
      expect(targets.map((t) => t.destination.uri)).toEqual(
        [...body.matchAll(/"URI":"([^"]*)"/g)].map((match) => match[1]),
      )
      expect(targets.map((t) => t.destination.flags)).toEqual(
        [...body.matchAll(/"FLAGS":"([^"]*)"/g)].map((match) => match[1]),
      )
      const duids = [...body.matchAll(/"DUID":"([^"]*)"/g)].map((match) => match[1])
      expect(targets.flatMap((t) => t.destination.duid ?? [])).toEqual(duids)
      expect(targets.filter((t) => t.destination.iuid !== undefined)).toHaveLength(
        release === '6.1.5' ? targets.length : 0,
      )
    }
  })

  test.each(['', '.short', '.full'])(
    'of a list with entries that are no destinations, the others are read (%s)',
    (mode) => {
      const { targets, opaque } = dispatcherList.parse(read(one(`dispatcher.list.odd${mode}`)))
      expect(targets.map(({ destination }) => destination.uri).sort()).toEqual([
        'SIP:127.0.62.2:5080',
        'sip:127.0.62.3:5080',
        'sip:127.0.62.4:5080;transport=tcp',
        'sip:name.invalid:5060',
      ])
      expect(opaque.map(({ set, text }) => `${set} ${text}`).sort()).toEqual([
        '1 sip:*.invalid',
        '1 sip:127.0.62.1:',
        '1 sip:127.0.62.1:0',
        '1 tel:+12025550100',
        '2 sip:127.0.62.1;x="q"',
      ])
      expect(opaque.flatMap(({ duid }) => duid ?? [])).toEqual(mode === '.short' ? [] : ['odd-port'])
    },
  )

  test('DLGLOAD is read', () => {
    const { targets } = dispatcherList.parse(read(one('dispatcher.list.with_load')))
    expect(targets.map(({ load }) => load)).toEqual([0, 2, 2])
  })

  test.each([
    ['reload.too_soon', 'busy'],
    ['add.too_soon', 'busy'],
    ['set_state.unknown_dest', 'refused'],
    ['set_state.unknown_group', 'refused'],
    ['set_duid_state.unknown', 'refused'],
    ['set_state.unknown_state', 'refused'],
    ['set_state.no_params', 'refused'],
    ['unknown_method', 'unsupported'],
    ['wrong_path', 'unsupported'],
    ['dlg.profile_get_size.unknown_profile', 'refused'],
    ['dlg.profile_list.unknown_profile', 'refused'],
    ['dlg.terminate_dlg.two_params', 'refused'],
    ['htable.get.nokey', 'refused'],
    ['htable.delete.nokey', 'refused'],
    ['htable.seti.notable', 'refused'],
    ['batch', 'malformed'],
    ['no_id', 'malformed'],
    ['id_null', 'malformed'],
    ['id_string', 'malformed'],
    ['id_big', 'malformed'],
    ['malformed', 'malformed'],
  ])('%s is %s', (name, fault) => {
    expect(faultOf(one(name))).toBe(fault)
  })

  test('no recording of any kind makes it throw anything but an EdgeError', () => {
    const faults = some(recordings).map((recording) => ({ recording, fault: faultOf(recording) }))
    const silent = faults.filter(({ recording, fault }) => recording.response?.status !== 200 && !fault)
    expect(silent).toEqual([])
  })

  test('every method of the port says the right thing about the right recording', async () => {
    const answers: Record<string, string> = {
      'dispatcher.list': 'dispatcher.list',
      'dispatcher.set_state': 'set_state.ok.d',
      'dispatcher.set_duid_state': 'set_duid_state.ok',
      'dispatcher.reload': 'reload.ok',
      'core.uptime': 'core.uptime',
      'htable.seti': 'htable.seti',
      'htable.get held': 'htable.get.held',
      'htable.get begun': 'htable.get.notable',
      'htable.delete': 'htable.delete',
      'dlg.profile_get_size': 'dlg.profile_get_size.value',
    }
    const server = await answering(answers)
    const edge = clientOf(server)
    expect((await edge.list()).destinations).toHaveLength(3)
    await edge.setState('d', 1, media)
    await edge.setDuidState('d', 1, media, 'ms-a')
    await edge.reload()
    expect((await edge.boot()).bootTime).toMatch(/^Sun Nov 22 20:16:4\d 2026$/)
    expect(await edge.setGuard(media, true)).toBe('done')
    expect(await edge.setGuard(media, false)).toBe('done')
    expect(await edge.readGuard(media)).toBe(true)
    const count = await edge.countOf({ uris: [media], addresses: ['10.0.1.20'] })
    expect(count).toEqual({ calls: 4, source: 'profile', outbound: true })
    expect(await edge.endCalls({ uris: [media], addresses: [] }, 50)).toBe(2)
  })

  test.each([
    ['dlg.profile_list', 'dlg.terminate_dlg', 1],
    ['dlg.profile_list.src', 'dlg.terminate_dlg', 1],
    ['dlg.profile_list.early', 'dlg.terminate_dlg.early', 0],
    ['dlg.profile_list.none', 'dlg.terminate_dlg', 0],
  ])('of %s one call is ended at a time, unless it rings', async (list, end, expected) => {
    const answers: Record<string, string> = {
      'dlg.profile_get_size': 'dlg.profile_get_size.value',
      'dlg.profile_list': list,
      'dlg.terminate_dlg': end,
    }
    const server = await answering(answers)
    expect(await clientOf(server).endCalls({ uris: [media], addresses: [] }, 1)).toBe(expected)
    const ends = server.requests.filter(({ body }) => body.includes('terminate_dlg'))
    expect(ends).toHaveLength(expected)
  })

  test('a Call-ID with a quote and a backslash is read, and said to no edge', async () => {
    const answers: Record<string, string> = {
      'dlg.profile_get_size': 'dlg.profile_get_size.value',
      'dlg.profile_list': 'dlg.profile_list.quoted',
    }
    const server = await answering(answers)
    expect(one('dlg.profile_list.quoted').response?.body).toContain(String.raw`a\"quoted\\id@x`)
    expect(await clientOf(server).endCalls({ uris: [media], addresses: [] }, 50)).toBeGreaterThan(0)
    expect(server.requests.filter(({ body }) => body.includes('quoted'))).toEqual([])
  })

  test("the guard's recorded faults mean: not held, nothing to let go, or no guard at all", async () => {
    const guardOver = async (name: string) => {
      const { response } = one(name)
      const server = await loopback((request, socket) => {
        const body = (response?.body ?? '').replace(/"id":1\}$/, `"id":${idOf(request)}}`)
        reply(socket, body, `${response?.status} ${response?.reason}`)
      })
      return clientOf(server)
    }
    expect(await (await guardOver('htable.get.held.nokey')).readGuard(media)).toBe(false)
    expect(await (await guardOver('htable.delete.nokey')).setGuard(media, false)).toBe('done')
    expect(await (await guardOver('htable.get.notable')).readGuard(media)).toBe('no-guard')
    expect(await (await guardOver('htable.seti.notable')).setGuard(media, true)).toBe('no-guard')
    expect(await (await guardOver('htable.delete.notable')).setGuard(media, false)).toBe('no-guard')
  })

  test.each(['params_string', 'no_jsonrpc', 'no_method', 'dlg.profile_get_size.no_params'])(
    '%s: a 200 with an empty result is taken for nothing that it was not',
    (name) => {
      for (const recording of some(named(name).filter(({ response }) => response?.status === 200))) {
        expect(read(recording)).toEqual({})
        expect(dispatcherList.safeParse(read(recording)).success).toBe(false)
      }
    },
  )
})
