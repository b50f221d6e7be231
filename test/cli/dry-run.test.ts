import { expect, test } from 'vitest'
import { showOutcome } from '../../cli/show/show-outcome.ts'
import { facts, instanceId, minutes, server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

const screen = { columns: undefined, isTerminal: false, hasColour: false }

test('a dry run of a release shows the edge, since when it is gone, and the calls that would be cut', async () => {
  const { kdc, world } = kdcWorld()
  world.edge('edge-b').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  world.memory.fleet.list.splice(1, 1)
  await world.pass(2 * minutes)
  const { code, out } = await kdc('release edge-b -m lost --dry-run')
  expect(code).toBe(0)
  expect(out).toMatch(/^release edge-b: dry-run {2}\(/)
  expect(out).toMatch(/\nconfigured no more since 2026-11-22T20:\d\d:\d\dZ\n/)
  expect(out).toMatch(/\nread last at 2026-11-22T20:\d\d:\d\dZ\n/)
  expect(out).toMatch(/would go on without it: lifecycle\/\S+: calls counted there last: 1\n/)
})

test('calls that nobody has counted on an edge that would be released are unknown, never none', () => {
  const row = { id: 'r1', command: 'release', result: 'dry-run', drains: [{ drainId: 'operator/1' }] }
  expect(showOutcome(row, { kdc: 'kdc' }).text(screen)).toContain(
    'operator/1: calls counted there last: unknown',
  )
})

test('a dry run of the end of a freeze shows the freeze, what waits, and what would begin', async () => {
  const { kdc } = kdcWorld()
  await kdc('freeze -m maintenance --until 2h', { who: bob })
  await kdc(`drain ${server} -m 'disk failing'`)
  const { out } = await kdc('unfreeze --dry-run')
  expect(out).toContain(`frozen by ${bob}: maintenance, until 2026-11-22T22:`)
  expect(out).toContain(`waits: operator/10.0.1.20:5060;udp/${alice}: ${alice}: disk failing: frozen by`)
  expect(out).toContain(`would begin without a freeze: operator/10.0.1.20:5060;udp/${alice}\n`)
})

test('a drain, its dry run and the history show the own hold that it takes the place of', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  const own = /in the place of your own hold since 2026-11-22T20:00:00Z, until lifted: disk failing\n/
  expect((await kdc(`drain ${server} -m 'new image' --until 2h --dry-run`)).out).toMatch(own)
  expect((await kdc(`drain ${server} -m 'new image' --until 2h`)).out).toMatch(own)
  const { out } = await kdc('history', { screen: { columns: 160 } })
  expect(out).toContain('new image (in the place of: disk failing)')
})

test('a dry run of an activate shows what waits and would be dropped', async () => {
  const { kdc } = kdcWorld()
  await kdc('freeze -m maintenance')
  await kdc(`drain ${server} -m 'disk failing'`)
  const { out } = await kdc(`activate ${server} --dry-run`)
  expect(out).toContain(`would drop operator/10.0.1.20:5060;udp/${alice}: ${alice}: disk failing\n`)
})

test('a dry run of a reload shows how many entries are held again, and whether calls are kept from them', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  const { out } = await kdc('reload edge-a --dry-run')
  expect(out).toMatch(/^reload edge-a: dry-run/)
  expect(out).toMatch(/edge-a +- +to be held again +2\n/)
  expect(out).toMatch(/edge-a +- +guarded until then +yes\n/)
  expect(out).toMatch(/edge-a +- +read at +2026-11-22T20:/)
})

test('a dry run of a drain shows the calls at stake, or why they are not counted', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  world.edge('edge-a').callTo(server)
  await world.pass(2 * minutes)
  const fresh = await kdc(`drain ${server} -m 'disk failing' --dry-run`)
  expect(fresh.out).toMatch(/edge-a +calls at stake +- +1\n/)
  // EC2 shows no address of it: nobody knows what its calls are counted under.
  world.memory.instances.put(facts({ addresses: [] }))
  await world.pass(2 * minutes)
  const whole = `drain ${instanceId} -m 'disk failing' --dry-run`
  expect((await kdc(whole)).out).toMatch(/edge-a +calls at stake +- +1 on the whole edge; not counted: .+\n/)
  const narrow = await kdc(whole, { screen: { columns: 80 } })
  expect(narrow.out).toMatch(/edge-a +calls at stake +- +1 on the whole edge; not.*…\n/)
  await kdc(`drain ${server} -m 'disk failing'`)
  await world.pass(1 * minutes)
  const again = await kdc(`drain ${server} -m 'disk failing' --dry-run`)
  expect(again.out).toMatch(/edge-a +calls at stake +- +1\n/)
})

test('a dry run of a drain shows what each entry gets back, which are held already, and the guards, within 80 columns', async () => {
  const { kdc } = kdcWorld()
  const narrow = { screen: { columns: 80, isTerminal: true } }
  const fresh = await kdc(`drain ${server} -m 'disk failing' --dry-run`, narrow)
  expect(fresh.out).toMatch(/edge-b +would write +1 sip:10\.0\.1\.20:5060 +AP → D, gives back AP\n/)
  expect(fresh.out).toMatch(/edge-b +would guard +sip:10\.0\.1\.20:5060 +-\n/)
  await kdc(`drain ${server} -m 'disk failing'`, { who: bob })
  const again = await kdc(`drain ${server} -m 'noisy fan' --dry-run`, narrow)
  expect(again.out).toMatch(/edge-b +already +1 sip:10\.0\.1\.20:5060 +DX, gives back AP, held by o/)
  expect(again.out).not.toContain('would guard')
  expect(
    Math.max(
      ...again.out
        .slice(again.out.indexOf('EDGE '))
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80)
  const { out } = await kdc(`drain ${server} -m 'noisy fan' --dry-run`)
  expect(out).toContain(`DX, gives back AP, held by operator/10.0.1.20:5060;udp/${bob}\n`)
})

test('a dry run is sorted by set and URI, and shows what each entry shows now', async () => {
  const ports = [5062, 5060]
  const sets = [10, 2]
  const file = sets.flatMap((set) =>
    ports.map((port) => ({ set, uri: `sip:10.0.1.20:${port}`, flags: set === 2 ? 'IP' : 'AP' }) as const),
  )
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const drain = `drain ${instanceId} -m 'disk failing'`
  const lines = (out: string) =>
    out.match(/(?<=edge-a +would write +).*/g)?.map((line) => line.replaceAll(/ +/g, ' ').trim())
  expect(lines((await kdc(`${drain} --dry-run`)).out)).toEqual([
    '2 sip:10.0.1.20:5060 IP → D, gives back IP',
    '2 sip:10.0.1.20:5062 IP → D, gives back IP',
    '10 sip:10.0.1.20:5060 AP → D, gives back AP',
    '10 sip:10.0.1.20:5062 AP → D, gives back AP',
  ])
  await kdc(drain)
  expect(lines((await kdc(`activate ${instanceId} --dry-run`)).out)?.at(0)).toBe(
    '2 sip:10.0.1.20:5060 DX → IP',
  )
})

test('an entry has one line, without a duid that tells it from no other, and a list that can not be read keeps no dry run from being shown', async () => {
  const file = [{ set: 1, uri: server, flags: 'AP', duid: 'ms-1' } as const]
  const { kdc, world } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const drain = `drain ${server} -m 'disk failing' --dry-run`
  const { out } = await kdc(drain)
  expect(out.match(/sip:10\.0\.1\.20:5060 .*/g)).toEqual([
    expect.stringMatching(/ +AP → D, gives back AP$/),
    expect.stringMatching(/ +-$/),
  ])
  const listing = () => Promise.reject(new Error('no network'))
  const at = { deployed: { shelf: { ...world.memory.store, listing } } }
  expect((await kdc(drain, at)).out).toMatch(/would write +1 sip:10\.0\.1\.20:5060 +→ D, gives back AP\n/)
  await kdc(`drain ${server} -m 'disk failing'`)
  expect((await kdc(drain)).out).toMatch(/already +1 sip:10\.0\.1\.20:5060 +DX, gives back AP, held by /)
})

test('a dry run tells what stays disabled, and why', async () => {
  const file = [{ set: 1, uri: server, flags: 'DX' as const }]
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const drain = `drain ${server} -m 'disk failing'`
  expect((await kdc(`${drain} --dry-run`)).out).toMatch(
    /already +1 \S+ +DX, stays: it was disabled before us\n/,
  )
  await kdc(drain)
  expect((await kdc(`activate ${server} --dry-run`)).out).toMatch(
    /no write +1 \S+ +DX, stays: it was disabled before us\n/,
  )
})

test('a dry run of an activate shows which guards end, and what stays held', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  const alone = await kdc(`activate ${server} --dry-run`)
  expect(alone.out).toMatch(/edge-a +would write +1 sip:10\.0\.1\.20:5060 +DX → AP\n/)
  expect(alone.out).toMatch(/edge-a +would end guard +sip:10\.0\.1\.20:5060 +-\n/)
  await kdc(`drain ${server} -m 'noisy fan'`, { who: bob })
  const { out } = await kdc(`activate ${server} --dry-run`)
  expect(out).toMatch(/edge-a +no write +1 sip:10\.0\.1\.20:5060 +DX, stays: held by operator\/\S+bob\n/)
})

test('what a later release adds to an outcome is printed as it is, and what was asked is not repeated', () => {
  const row = { id: 'd1', command: 'drain', result: 'started', reason: 'why', later: { added: 1 }, none: [] }
  expect(showOutcome(row, { kdc: 'kdc' }).text(screen)).toBe('drain: started  (d1)\nlater: {"added":1}')
})
