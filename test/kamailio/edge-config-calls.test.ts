import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MediaServer } from '../../lab/sip/calls.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { some } from '../present.ts'
import { drain, flagsOf, hasIpv6Loopback, type Lab, openLab, until } from './lab.ts'

describe.each(['6.1', '5.6'] as const)('edge configuration on Kamailio %s, with live calls', (release) => {
  let lab: Lab
  let one: MediaServer
  let two: MediaServer
  let phone: MediaServer

  beforeAll(async () => {
    lab = await openLab(release)
    one = await lab.server('127.0.2.1')
    two = await lab.server('127.0.2.2')
    phone = await lab.server('127.0.4.1')
  })
  afterAll(() => lab.close())

  const both = () => [
    { set: 1, uri: one.uri, attrs: 'duid=one' },
    { set: 1, uri: two.uri, attrs: 'duid=two' },
  ]
  const dst = (edge: Edge, uri: string) => edge.call('dlg.profile_get_size', ['dst', uri])
  const src = (edge: Edge, address: string) => edge.call('dlg.profile_get_size', ['src', address])
  const invited = (calls: readonly { invites: readonly { server: string }[] }[]) =>
    new Set(calls.flatMap(({ invites }) => invites.map(({ server }) => server)))

  test('a drained destination gets no new call, not even right after a reload has made it active again', async () => {
    const edge = await lab.edge({ destinations: both() })
    await drain(edge, 1, one.uri)
    expect(invited(await lab.place(edge, { maxCalls: 10 }))).toEqual(new Set([two.name]))
    await edge.call('dispatcher.reload', [])
    expect(await flagsOf(edge, one.uri)).toEqual([expect.stringMatching(/^A/)])
    const calls = await lab.place(edge, { maxCalls: 10 })
    expect(invited(calls)).toEqual(new Set([two.name]))
    expect(some(calls).every(({ outcome }) => outcome === 'ended')).toBe(true)
    await edge.call('htable.delete', ['held', one.uri])
    expect(invited(await lab.place(edge, { maxCalls: 10 }))).toContain(one.name)
  })

  test('without the guard a reload gives a drained destination calls again: what the guard is for', async () => {
    const edge = await lab.edge({ destinations: both(), guard: false })
    await edge.call('dispatcher.set_state', ['d', 1, one.uri])
    expect(invited(await lab.place(edge, { maxCalls: 10 }))).toEqual(new Set([two.name]))
    await edge.call('dispatcher.reload', [])
    expect(invited(await lab.place(edge, { maxCalls: 10 }))).toContain(one.name)
    await expect(edge.call('htable.get', ['held', one.uri])).rejects.toThrow('No such htable')
  })

  test('when all destinations of a set are held, the caller gets 503', async () => {
    const edge = await lab.edge({ destinations: both() })
    await edge.call('htable.seti', ['held', one.uri, 1])
    await edge.call('htable.seti', ['held', two.uri, 1])
    const calls = await lab.place(edge, { maxCalls: 5 })
    expect(calls.map(({ why }) => why)).toEqual(Array(5).fill('503'))
    expect(invited(calls)).toEqual(new Set())
  })

  test('re-INVITE and BYE of its calls still reach a drained destination', async () => {
    const edge = await lab.edge({ destinations: [{ set: 1, uri: one.uri }] })
    const caller = await lab.hold(edge, { maxCalls: 30, callsPerSecond: 30, callMs: 8000 })
    let reinvites = 0
    const stop = lab.ledger.subscribe(({ kind, seenBy }) => {
      if (kind === 'reinvite' && seenBy === one.name) reinvites++
    })
    await drain(edge, 1, one.uri)
    await caller.done
    stop()
    expect(lab.callsOf(caller).map(({ outcome }) => outcome)).toEqual(Array(30).fill('ended'))
    expect(reinvites).toBeGreaterThan(0)
  })

  test('fail-over skips held destinations and takes the count along', async () => {
    const broken = await lab.server('127.0.2.3', { behaviour: 'refuse' })
    const edge = await lab.edge({
      // Whichever way round, the next one after the broken one is held.
      destinations: [two, one, broken, phone].map(({ uri }) => ({ set: 1, uri })),
      pingSeconds: 60,
    })
    await edge.call('htable.seti', ['held', one.uri, 1])
    await edge.call('htable.seti', ['held', phone.uri, 1])
    const caller = await lab.hold(edge, { maxCalls: 6, callMs: 3000 })
    expect(invited(lab.callsOf(caller))).toEqual(new Set([broken.name, two.name]))
    expect(await Promise.all([broken, one, phone, two].map(({ uri }) => dst(edge, uri)))).toEqual([
      0, 0, 0, 6,
    ])
    expect(await flagsOf(edge, broken.uri)).toEqual(['IP'])
    await caller.done
    expect(some(lab.callsOf(caller)).every(({ outcome }) => outcome === 'ended')).toBe(true)
  })

  test.each(['disabled', 'held'] as const)(
    'a ringing call that fails on a destination that was %s meanwhile leaves its state alone',
    async (mark) => {
      const ringing = await lab.server('127.0.2.3', { behaviour: 'refuse', ringMs: 1500 })
      const edge = await lab.edge({
        destinations: [{ set: 1, uri: ringing.uri }, ...both()],
        pingSeconds: 60,
      })
      const caller = await lab.caller(edge, { maxCalls: 3 })
      await until('a call rings', () => lab.ledger.invitesAt(ringing.name).length === 1)
      if (mark === 'disabled') await edge.call('dispatcher.set_state', ['d', 1, ringing.uri])
      else await edge.call('htable.seti', ['held', ringing.uri, 1])
      const before = await flagsOf(edge, ringing.uri)
      await caller.done
      expect(some(lab.callsOf(caller)).every(({ outcome }) => outcome === 'ended')).toBe(true)
      expect(await flagsOf(edge, ringing.uri)).toEqual(before)
    },
  )

  test('the counts of both directions are the calls that are up', async () => {
    const edge = await lab.edge({ destinations: both() })
    const inbound = await lab.hold(edge, { maxCalls: 8, callMs: 4000 })
    const outbound = await lab.hold(edge, {
      maxCalls: 5,
      callMs: 3000,
      address: one.address,
      called: 'phone',
      calledHost: `${phone.address}:${phone.port}`,
      placedBy: one.name,
    })
    lab.ledger.sync()
    expect(lab.ledger.live(one.name)).toBe(4 + 5)
    expect(await dst(edge, one.uri)).toBe(4)
    expect(await dst(edge, two.uri)).toBe(4)
    expect(await src(edge, one.address)).toBe(5)
    expect(await src(edge, two.address)).toBe(0)
    await Promise.all([inbound.done, outbound.done])
    expect(await dst(edge, one.uri)).toBe(0)
    expect(await src(edge, one.address)).toBe(0)
  })

  test('a restarted edge still counts the calls that are up, and none that were over', async () => {
    const edge = await lab.edge({ destinations: both() })
    const short = lab.place(edge, { maxCalls: 10, callMs: 800 })
    const long = await lab.hold(edge, { maxCalls: 6, callMs: 6000 })
    await short
    const before = await Promise.all([one, two].map(({ uri }) => dst(edge, uri)))
    await edge.restart()
    const after = await Promise.all([one, two].map(({ uri }) => dst(edge, uri)))
    const more = after.map((count, index) => Number(count) - Number(before[index]))
    expect(Math.max(...more)).toBeLessThanOrEqual(0)
    // 5.6 has no busy timeout for SQLite and loses a write now and then (kamailio/README.md): there no call
    // that was over comes back.
    expect(Math.min(...more)).toBeGreaterThanOrEqual(release === '6.1' ? 0 : Number.NEGATIVE_INFINITY)
    expect(Number(before[0]) + Number(before[1])).toBe(6)
    await long.done
    lab.ledger.sync()
    expect(lab.callsOf(long).filter(({ outcome }) => outcome !== 'ended')).toEqual([])
    expect(await Promise.all([one, two].map(({ uri }) => dst(edge, uri)))).toEqual([0, 0])
  })

  test('each set has its own state for a destination, a held one is avoided in all of them', async () => {
    const broken = await lab.server('127.0.2.3', { behaviour: 'refuse' })
    const edge = await lab.edge({
      destinations: [...both(), { set: 2, uri: one.uri }, { set: 2, uri: broken.uri }],
      pingSeconds: 60,
    })
    await edge.call('dispatcher.set_state', ['d', 1, one.uri])
    expect(invited(await lab.place(edge, { maxCalls: 4 }))).toEqual(new Set([two.name]))
    const long = await lab.place(edge, { maxCalls: 4, called: 'long' })
    expect(invited(long)).toContain(one.name)
    expect(some(long).every(({ outcome }) => outcome === 'ended')).toBe(true)
    await edge.call('htable.seti', ['held', one.uri, 1])
    expect(invited(await lab.place(edge, { maxCalls: 4, called: 'long' }))).not.toContain(one.name)
  })

  test('a call that outlives the longest call allowed is ended with BYEs, re-INVITE or not', async () => {
    const edge = await lab.edge({ destinations: [{ set: 1, uri: one.uri }], longestCallSeconds: 3 })
    const caller = await lab.hold(edge, { maxCalls: 10, callMs: 4000 })
    await until('no call is counted', async () => (await dst(edge, one.uri)) === 0)
    await caller.done
    // Cut at the caller by a BYE that was not its own. Kamailio may leave out the other side's BYE when the
    // first is answered very fast (seen on 5.6.3).
    expect(lab.callsOf(caller).map(({ outcome }) => outcome)).toEqual(Array(10).fill('cut'))
    expect(lab.callsOf(caller).some(({ byeAtServerAt }) => byeAtServerAt !== undefined)).toBe(true)
  })

  test('an edge without these files carries calls and shows what it lacks', async () => {
    const edge = await lab.edge({ destinations: both(), plain: true })
    const calls = await lab.place(edge, { maxCalls: 4 })
    expect(some(calls).every(({ outcome }) => outcome === 'ended')).toBe(true)
    expect(await flagsOf(edge, one.uri)).toHaveLength(1)
    await expect(dst(edge, one.uri)).rejects.toThrow('Method Not Found')
    await expect(edge.call('htable.get', ['held', one.uri])).rejects.toThrow('Method Not Found')
  })

  if (hasIpv6Loopback) {
    test('IPv6: counted in both directions, held by the URI as listed', async () => {
      const six = await lab.server('::1')
      const edge = await lab.edge({
        destinations: [six, one].map(({ uri }) => ({ set: 1, uri })),
        ipv6: true,
      })
      const via = { address: '::1', sipPort: edge.sipPortIpv6 ?? 0 }
      const inbound = await lab.hold(via, { maxCalls: 4, callMs: 3000, address: '127.0.3.1', via: edge })
      expect(await dst(edge, six.uri)).toBe(2)
      const outbound = await lab.hold(via, {
        maxCalls: 3,
        callMs: 2000,
        address: '::1',
        called: 'phone',
        calledHost: six.uri.replace('sip:', ''),
      })
      expect(await src(edge, '::1')).toBe(3)
      await drain(edge, 1, six.uri)
      expect(invited(await lab.place(edge, { maxCalls: 4 }))).toEqual(new Set([one.name]))
      await Promise.all([inbound.done, outbound.done])
      expect(some(lab.callsOf(inbound)).every(({ outcome }) => outcome === 'ended')).toBe(true)
      expect(some(lab.callsOf(outbound)).every(({ outcome }) => outcome === 'ended')).toBe(true)
    })
  } else {
    console.log('IPv6 is not tested: this machine has no ::1')
  }
})
