import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, openLab } from './lab.ts'
import { inviteStatus, type SipStub, startStub } from './raw-sip.ts'
import { about } from './rpc-requests.ts'

type Edit = (example: string) => string

/** By priority: the broken one first, then the held one, then the good one. */
const byPriority: Edit = (example) => example.replace('("$var(set)", "4")', '("$var(set)", "8")')
const byDomain: Edit = (example) => example.replace('ds_select_dst(', 'ds_select_domain(')
const byRoutes: Edit = (example) =>
  example.replace('ds_select_dst("$var(set)", "8")', 'ds_select_routes("1=8", "0")')
const newTransaction: Edit = (example) =>
  example.replace('\trecord_route();', '\tt_newtran();\n\trecord_route();')
const inAsyncRoute: Edit = (example) =>
  example
    .replace('dns=no', 'dns=no\nasync_workers=2')
    .replace('loadmodule "xhttp.so"', 'loadmodule "tmx.so"\nloadmodule "async.so"\nloadmodule "xhttp.so"')
    .replace('\troute(TO_MEDIA_SERVER);', '\tasync_task_route("TO_MEDIA_SERVER");\n\texit;')
/** The script's own change after the selection. */
const otherDu: Edit = (example) =>
  example.replace('\tt_on_failure("TRY_NEXT");', '\t$du = $du + ";own=1";\n\tt_on_failure("TRY_NEXT");')
const withoutSelect: Edit = (example) =>
  example.replace('if (!route(DISPATCHER_CONTROL_SELECT))', 'if ($rU == "nobody")')
const nowhere: Edit = (example) =>
  example.replace('ds_select_dst("$var(set)", "8")', 'ds_select_routes("1=8", "2")')

const edits = (...all: Edit[]): Edit =>
  all.reduceRight(
    (next, edit) => (text) => next(edit(text)),
    (text: string) => text,
  )

describe.each(['6.1', '5.6'] as const)('the way of a selection on Kamailio %s', (release) => {
  let lab: Lab
  let broken: SipStub
  let held: SipStub
  let good: SipStub

  beforeAll(async () => {
    lab = await openLab(release)
    ;[broken, held, good] = await Promise.all([
      startStub('127.0.2.15', { status: 503 }),
      startStub('127.0.2.16'),
      startStub('127.0.2.17'),
    ])
  })
  afterAll(async () => {
    await Promise.all([broken, held, good].map((stub) => stub.stop()))
    await lab.close()
  })

  async function edgeWith(edit: Edit) {
    const destinations = [broken, held, good].map(({ uri }, index) => ({
      set: 1,
      uri,
      priority: 10 - index,
    }))
    const edge = await lab.edge({
      destinations,
      pingSeconds: 60,
      dialogDb: false,
      edit: edits(byPriority, edit),
    })
    await edge.call('htable.seti', ['held', held.uri, 1])
    return edge
  }

  test.each([
    ['after t_newtran()', newTransaction],
    ['after t_newtran() and ds_select_domain()', edits(newTransaction, byDomain)],
    ['after t_newtran() and ds_select_routes()', edits(newTransaction, byRoutes)],
    ['in an async route', inAsyncRoute],
    ['in an async route, after ds_select_domain()', edits(inAsyncRoute, byDomain)],
    ['where the script has changed $du', otherDu],
    ['without DISPATCHER_CONTROL_SELECT', withoutSelect],
  ])('fail-over goes on past a held destination %s', async (_where, edit) => {
    const edge = await edgeWith(edit)
    const before = [broken, held, good].map(({ invites }) => invites.length)
    expect(await inviteStatus(edge)).toBe(486)
    const now = [broken, held, good].map(({ invites }) => invites.length)
    expect(now.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 0, 1])
  })

  test('a selection that put its destination nowhere is refused with an error, held or not', async () => {
    const edge = await edgeWith(nowhere)
    const before = good.invites.length
    expect(await inviteStatus(edge)).toBe(503)
    expect(readFileSync(edge.logFile, 'utf8')).toMatch(
      /ERROR: .*DISPATCHER_CONTROL_SELECT: .*neither in \$du nor in the R-URI/,
    )
    expect(good.invites.length).toBe(before)
  })

  test('one request that can not be routed is logged, and is no fault of the configuration in `about`', async () => {
    const edge = await edgeWith(byDomain)
    expect(await inviteStatus(edge, { uri: 'tel:+15551234' })).toBeGreaterThanOrEqual(400)
    expect(readFileSync(edge.logFile, 'utf8')).toContain('DISPATCHER_CONTROL_SELECT: the destination')
    expect((await about(edge)).sip_error).toBeUndefined()
    expect(await inviteStatus(edge)).toBe(486)
  })
})
