import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Edge } from '../../lab/sip/edge.ts'
import { some } from '../present.ts'
import { flagsOf, type Lab, openLab } from './lab.ts'
import { inviteStatus, type SipStub, startStub } from './raw-sip.ts'
import { about } from './rpc-requests.ts'

const byDomain = (example: string) => example.replaceAll('ds_select_dst(', 'ds_select_domain(')
const byRoutes = (example: string) =>
  example.replace('ds_select_dst("$var(set)", "4")', 'ds_select_routes("1=4", "0")')
const withFlags0 = (example: string) => example.replace('"flags", 2)', '"flags", 0)')
const withOtherXavp = (example: string) =>
  example.replace('"flags", 2)', '"flags", 2)\nmodparam("dispatcher", "xavp_dst", "mine")')
const itemSchema = z.object({ item: z.object({ value: z.number() }) })
const begun = (edge: Edge, key: string) => edge.call('htable.get', ['begun', key])

describe.each(['6.1', '5.6'] as const)('selection and counters on Kamailio %s', (release) => {
  let lab: Lab
  let busy: SipStub
  let other: SipStub
  let broken: SipStub

  beforeAll(async () => {
    lab = await openLab(release)
    ;[busy, other, broken] = await Promise.all([
      startStub('127.0.2.11'),
      startStub('127.0.2.12'),
      startStub('127.0.2.13', { status: 503 }),
    ])
  })
  afterAll(async () => {
    await Promise.all([busy, other, broken].map((stub) => stub.stop()))
    await lab.close()
  })

  const edgeWith = (stubs: readonly SipStub[], spec: Partial<Parameters<Lab['edge']>[0]> = {}) =>
    lab.edge({
      destinations: stubs.map(({ uri }) => ({ set: 1, uri })),
      pingSeconds: 60,
      dialogDb: false,
      ...spec,
    })
  const logOf = (edge: Edge) => readFileSync(edge.logFile, 'utf8')
  const uriOf = (invite: string | undefined) => invite?.split(' ', 2)[1]

  test.each([
    ['dispatcher flags 0', withFlags0],
    ['another xavp_dst', withOtherXavp],
    ['algorithm 12', (example: string) => example.replace('"$var(set)", "4")', '"$var(set)", "12")')],
  ])(
    'with %s nothing is selected blindly: 503, an error that names the line, and `about` has it',
    async (_what, edit) => {
      const edge = await edgeWith([busy], { edit })
      const before = busy.invites.length
      expect(await inviteStatus(edge)).toBe(503)
      expect(busy.invites.length).toBe(before)
      expect(logOf(edge)).toMatch(
        /ERROR: .*DISPATCHER_CONTROL_SELECT: .*modparam\('dispatcher', 'flags', 2\).*xavp_dst.*algorithm 12/,
      )
      expect((await about(edge)).sip_error).toMatch(/^DISPATCHER_CONTROL_SELECT: [^'";]*flags, 2[^'";]*$/)
    },
  )

  test('with flags 0 and no guard no call goes uncounted: it is refused', async () => {
    const edge = await edgeWith([busy], { edit: withFlags0, guard: false })
    const before = busy.invites.length
    expect(await inviteStatus(edge)).toBe(503)
    expect(busy.invites.length).toBe(before)
    expect(logOf(edge)).toMatch(/ERROR: .*DISPATCHER_CONTROL_COUNT_TO: /)
  })

  test('a fail-over that can not be counted is not relayed', async () => {
    const forgotten = '\twhile ($xavp(_dsdst_=>uri) != $null) $xavp(_dsdst_) = $null;\n'
    const edge = await edgeWith([], {
      destinations: [broken, other].map(({ uri }, index) => ({ set: 1, uri, priority: 2 - index })),
      guard: false,
      edit: (example) =>
        example
          .replace('"$var(set)", "4"', '"$var(set)", "8"')
          .replace(/(failure_route\[[^}]*)\}\n/, `$1}\n${forgotten}`),
    })
    const before = [broken, other].map(({ invites }) => invites.length)
    expect(await inviteStatus(edge)).toBe(503)
    expect(broken.invites.length).toBe((before[0] ?? 0) + 1)
    expect(other.invites.length).toBe(before[1])
    expect(logOf(edge)).toMatch(/ERROR: .*DISPATCHER_CONTROL_COUNT_TO: /)
  })

  test('fail-over and marking down without a selection are refused with an error, too', async () => {
    const failing = (example: string) =>
      example.replace(
        'if (t_is_canceled()) exit;',
        'if (t_is_canceled()) exit;\n\twhile ($xavp(_dsdst_=>uri) != $null) $xavp(_dsdst_) = $null;',
      )
    const edge = await edgeWith([broken, other], { edit: failing })
    const before = other.invites.length
    for (let call = 0; call < 2; call++) await inviteStatus(edge)
    expect(logOf(edge)).toMatch(/ERROR: .*DISPATCHER_CONTROL_MARK_DOWN: /)
    expect(logOf(edge)).toMatch(/ERROR: .*DISPATCHER_CONTROL_FAILOVER: /)
    expect(other.invites.length).toBeLessThanOrEqual(before + 1)
    expect(await flagsOf(edge, broken.uri)).toEqual([expect.stringMatching(/^A/)])
  })

  test('ds_select_domain(): past a held destination the Request-URI names the next one', async () => {
    const edge = await edgeWith([busy, other], { edit: byDomain })
    await edge.call('htable.seti', ['held', busy.uri, 1])
    const [before, untouched] = [other.invites.length, busy.invites.length]
    for (let call = 0; call < 3; call++) expect(await inviteStatus(edge)).toBe(486)
    const invites = other.invites.slice(before)
    expect(invites.map(uriOf)).toEqual(Array(3).fill(other.uri.replace('sip:', 'sip:short@')))
    expect(busy.invites.length).toBe(untouched)
    await edge.call('htable.seti', ['held', other.uri, 1])
    expect(await inviteStatus(edge)).toBe(503)
  })

  test.each([
    ['ds_select_dst()', (example: string) => example],
    ['ds_select_domain()', byDomain],
    ['ds_select_routes()', byRoutes],
  ])('%s: fail-over goes on in the same way, past a held destination', async (_what, edit) => {
    // Whichever way round: the next after the broken one is held.
    const held = await startStub('127.0.2.14')
    const edge = await edgeWith([other, held, broken, held], { edit })
    await edge.call('htable.seti', ['held', held.uri, 1])
    const before = { broken: broken.invites.length, other: other.invites.length }
    for (let call = 0; call < 2; call++) expect(await inviteStatus(edge)).toBe(486)
    expect(broken.invites.length).toBeGreaterThan(before.broken)
    const domain = edit === byDomain
    for (const invite of some(other.invites.slice(before.other)))
      expect(uriOf(invite)).toBe(
        domain ? other.uri.replace('sip:', 'sip:short@') : `sip:short@${edge.address}:${edge.sipPort}`,
      )
    expect(held.invites).toEqual([])
    expect(await flagsOf(edge, broken.uri)).toEqual([expect.stringMatching(/^I/)])
    await held.stop()
  })

  test('a call is counted once for each place it began at, for its source, and in all; a lowered count is not', async () => {
    const edge = await edgeWith([broken, busy])
    await expect(begun(edge, busy.uri)).rejects.toThrow("Key name doesn't exist in htable.")
    const before = [broken.invites.length, busy.invites.length]
    for (let call = 0; call < 4; call++) expect(await inviteStatus(edge)).toBe(486)
    const toBroken = broken.invites.length - (before[0] ?? 0)
    const toBusy = busy.invites.length - (before[1] ?? 0)
    expect(toBusy).toBe(4)
    expect(await timesBegun(edge, broken.uri)).toBe(toBroken)
    expect(await timesBegun(edge, busy.uri)).toBe(4)
    const uri = busy.uri.replace('sip:', 'sip:phone@')
    expect(await inviteStatus(edge, { from: '127.0.2.11', uri })).toBe(486)
    expect(await timesBegun(edge, '127.0.2.11')).toBe(1)
    expect(await timesBegun(edge, 'total')).toBe(toBroken + 4 + 1)
    expect(await edge.call('dlg.profile_get_size', ['dst', busy.uri])).toBe(0)
    // Placed by a caller: no media server, no source counted.
    await expect(begun(edge, '127.0.3.9')).rejects.toThrow("Key name doesn't exist in htable.")
  })

  test('a call from a second address of a media server is its own where DC_MEDIA_NETWORKS has it', async () => {
    const phone = await startStub('127.0.4.9')
    const settings = { DC_MEDIA_NETWORKS: '"127.0.5.0/24,2001:db8:1::/64"' }
    const edge = await edgeWith([busy], { settings })
    const uri = phone.uri.replace('sip:', 'sip:phone@')
    const before = busy.invites.length
    for (const from of ['127.0.5.7', '127.0.2.11']) expect(await inviteStatus(edge, { from, uri })).toBe(486)
    expect(phone.invites).toHaveLength(2)
    expect(busy.invites.length).toBe(before)
    expect(await timesBegun(edge, '127.0.5.7')).toBe(1)
    // Any other source is a caller: its call goes to a media server.
    expect(await inviteStatus(edge, { from: '127.0.6.7', uri })).toBe(486)
    expect(busy.invites.length).toBe(before + 1)
    await phone.stop()
  })
})

async function timesBegun(edge: Edge, key: string): Promise<number> {
  return itemSchema.parse(await begun(edge, key)).item.value
}
