import { describe, expect, test } from 'vitest'
import { lacksOf } from '../../functions/control/edge-facts.ts'
import { some } from '../present.ts'
import { clientOf, isBatch, loopback, media, noBatches, reply, result } from './loopback.ts'
import { recordingsOf, releases } from './recordings.ts'

const dest = (URI: unknown, more: object = {}) => ({ DEST: { URI, FLAGS: 'AX', PRIORITY: 0, ...more } })
const set = (ID: unknown, ...TARGETS: unknown[]) => ({ SET: { ID, TARGETS } })
const of = (...RECORDS: unknown[]) => ({ NRSETS: RECORDS.length, RECORDS })

/** An edge that lists this, in full what `full` says. */
async function listing(normal: unknown, full: unknown = normal) {
  const server = await loopback((request, socket) =>
    reply(
      socket,
      isBatch(request) ? noBatches : result(request, request.body.includes('"full"') ? full : normal),
    ),
  )
  return { edge: clientOf(server), server }
}

describe('an entry that can not be read as a destination', () => {
  test('is one by itself, with its set, its text and its duid, and takes no other with it', async () => {
    const { edge } = await listing(
      of(
        set(1, dest(media), dest('sip:10.0.1.21:0', { ATTRS: { DUID: 'ms-b' } }), dest('tel:+123')),
        set(2, dest('sip:*.invalid'), dest(media, { FLAGS: 'ZZ' }), dest(media, { FLAGS: 'DX' })),
      ),
    )
    expect(await edge.list()).toEqual({
      destinations: [
        { set: 1, uri: media, flags: 'AX' },
        { set: 2, uri: media, flags: 'DX' },
      ],
      opaque: [
        { set: 1, text: 'sip:10.0.1.21:0', duid: 'ms-b' },
        { set: 1, text: 'tel:+123' },
        { set: 2, text: 'sip:*.invalid' },
        { set: 2, text: media },
      ],
    })
  })

  test.each<[string, unknown, object]>([
    ['no URI', set(1, { DEST: { FLAGS: 'AX' } }), { set: 1, text: '{"DEST":{"FLAGS":"AX"}}' }],
    ['a URI that is a number', set(1, dest(7)), { set: 1, text: JSON.stringify(dest(7)) }],
    ['a whole set', set(1, dest('all')), { set: 1, text: 'all' }],
    ['no flags', set(1, { DEST: { URI: media } }), { set: 1, text: media }],
    ['flags of tomorrow', set(1, dest(media, { FLAGS: 'AXQ' })), { set: 1, text: media }],
    ['a load below 0', set(1, dest(media, { RUNTIME: { DLGLOAD: -1 } })), { set: 1, text: media }],
    ['null', set(1, null), { set: 1, text: 'null' }],
    ['a set without a number', set('1', dest(media)), { text: JSON.stringify(set('1', dest(media))) }],
    ['a set below 0', set(-1, dest(media)), { text: JSON.stringify(set(-1, dest(media))) }],
    ['a set without targets', { SET: { ID: 1 } }, { text: '{"SET":{"ID":1}}' }],
  ])('is told by %s', async (_what, record, expected) => {
    const { edge } = await listing(of(record, set(9, dest(media))))
    expect(await edge.list()).toEqual({
      destinations: [{ set: 9, uri: media, flags: 'AX' }],
      opaque: [expected],
    })
  })

  test('is shown at no more than 200 characters', async () => {
    const long = `tel:${'1'.repeat(5000)}`
    const { edge } = await listing(
      of(set(1, dest(long, { ATTRS: { DUID: long } }), { DEST: { X: long } }), long),
    )
    const { opaque } = await edge.list()
    expect(opaque).toHaveLength(3)
    for (const { text, duid = '' } of some(opaque)) {
      expect(text).toHaveLength(200)
      expect(duid.length).toBeLessThanOrEqual(200)
    }
  })

  test('alone makes a list that is read, and no empty one', async () => {
    const { edge } = await listing(of(set(1, dest('tel:+123'))))
    expect(await edge.list()).toEqual({ destinations: [], opaque: [{ set: 1, text: 'tel:+123' }] })
  })

  test.each([
    ['no sets', of()],
    ['a set without an entry', of(set(1))],
  ])('is not there in %s, which is the fault of an empty list', async (_what, list) => {
    const { edge } = await listing(list)
    await expect(edge.list()).rejects.toMatchObject({ fault: 'empty-list' })
  })

  test.each([{}, { RECORDS: {} }, [], 'rubbish', 7])('is nothing that makes %j a list', async (value) => {
    const { edge } = await listing(value)
    await expect(edge.list()).rejects.toMatchObject({ fault: 'malformed' })
  })
})

describe('names', () => {
  const name = 'sip:media-1.example:5060'

  test('are asked for with the address that the edge resolved, at once from the second time on', async () => {
    const { edge, server } = await listing(
      of(set(1, dest(name), dest(media))),
      of(set(1, dest(name, { IPADDR: '10.0.1.30' }), dest(media, { IPADDR: '10.0.1.20' }))),
    )
    const expected = [
      { set: 1, uri: name, flags: 'AX', address: '10.0.1.30' },
      { set: 1, uri: media, flags: 'AX' },
    ]
    expect((await edge.list()).destinations).toEqual(expected)
    expect((await edge.list()).destinations).toEqual(expected)
    const modes = server.requests.map(({ body }) => /"params":(\[.*?\])/.exec(body)?.[1])
    expect(modes).toEqual(['[]', '["full"]', '["full"]'])
  })

  test('that are gone are not asked for any more', async () => {
    let list = of(set(1, dest(name)))
    const server = await loopback((request, socket) => reply(socket, result(request, list)))
    const edge = clientOf(server)
    await edge.list()
    list = of(set(1, dest(media)))
    await edge.list()
    await edge.list()
    const modes = server.requests.map(({ body }) => /"params":(\[.*?\])/.exec(body)?.[1])
    expect(modes).toEqual(['[]', '["full"]', '["full"]', '[]'])
  })

  test.each(['', 'not an address', undefined])('that were not resolved have none (%j)', async (IPADDR) => {
    const { edge } = await listing(of(set(1, dest(name, IPADDR === undefined ? {} : { IPADDR }))))
    expect((await edge.list()).destinations).toEqual([{ set: 1, uri: name, flags: 'AX' }])
  })

  test('an IPv6 address is canonical', async () => {
    const { edge } = await listing(of(set(1, dest(name, { IPADDR: '2001:DB8:0:0:0:0:0:A' }))))
    expect((await edge.list()).destinations).toMatchObject([{ address: '2001:db8::a' }])
  })
})

test.each(releases)(
  'what real Kamailio %s lists beside destinations is counted, and reported with the edge',
  async (release) => {
    const recordings = recordingsOf(release)
    const resultIn = (name: string) =>
      JSON.parse(recordings.find((recording) => recording.name === name)?.response?.body ?? '{}').result
    const { edge } = await listing(resultIn('dispatcher.list.odd'), resultIn('dispatcher.list.odd.full'))
    const { destinations, opaque } = await edge.list()
    expect([destinations.length, opaque.length]).toEqual([4, 5])
    const description = {
      ...{ edge: 'edge-a', restoresDialogs: false, version: release, bootTime: 'then', uptimeSeconds: 4 },
      ...{ batch: true, fence: true, guard: true, counters: true, profiles: ['dst', 'src'] as const },
      counts: 'counting' as const,
      list: {
        destinations: 4,
        opaque: opaque.length,
        opaqueSamples: opaque.map(({ text }) => text),
        iuid: true,
      },
    }
    expect(lacksOf(description)).toEqual([
      expect.stringMatching(
        /^edge edge-a: 5 entries of its list can not be read, such as ".*": nothing is written to them$/,
      ),
    ])
  },
)
