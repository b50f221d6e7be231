import { describe, expect, test } from 'vitest'
import { moreThan } from '../../cli/desk/options.ts'
import { config, instanceId, minutes, neighbour, server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

const narrow = { screen: { columns: 80 } }
const wide = { screen: { columns: 160 } }
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

/** A drain that was lifted by another, one that stands, a freeze, and what was refused. */
async function changed() {
  const { kdc, world } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  await world.pass(2 * minutes)
  await kdc(`activate ${server} --source operator --yes -m 'a mistake'`, { who: bob })
  await kdc(`drain ${neighbour} -m 'noisy fan'`, { who: bob })
  await kdc('drain i-0bbbbbbbbbbbbbbbb -m typo')
  await kdc('freeze -m maintenance')
  return { kdc, world }
}

describe('history', () => {
  test('names who changed what and why, what each edge showed, and what is not on file yet, within 160 columns', async () => {
    const { kdc, world } = await changed()
    const fresh = await kdc('history', wide)
    expect(fresh.out).toContain('frozen')
    await world.reconcile()
    await world.pass(2 * minutes)
    const { code, out } = await kdc('history', wide)
    expect({ code, widest: widest(out) <= 160 }).toEqual({ code: 0, widest: true })
    expect(out).toMatchInlineSnapshot(`
      "AT                    CHANGE  ON                  WHO              WHY           EDGES                                                SENDER
      2026-11-22T20:02:04Z  frozen  -                   Operators/alice  maintenance   -                                                    AIDAJQABLZS4A3QDU576Q
      2026-11-22T20:02:02Z  placed  sip:10.0.1.21:5060  Operators/bob    noisy fan     others follow                                        AIDAJQABLZS4A3QDU576Q
      2026-11-22T20:02:00Z  lifted  sip:10.0.1.20:5060  Operators/bob    a mistake     applied on edge-a,edge-b DX→IP DX→AP; others follow  AIDAJQABLZS4A3QDU576Q
      2026-11-22T20:00:00Z  placed  sip:10.0.1.20:5060  Operators/alice  disk failing  pending on edge-a,edge-b                             AIDAJQABLZS4A3QDU576Q
      "
    `)
  })

  test('within 80 columns, of one server by any of its names, and by who it was', async () => {
    const { kdc } = await changed()
    const { out } = await kdc('history 10.0.1.20', narrow)
    expect(widest(out)).toBeLessThanOrEqual(80)
    expect(out).toMatchInlineSnapshot(`
      "AT                    CHANGE  WHO              WHY
      2026-11-22T20:02:00Z  lifted  Operators/bob    a mistake
      2026-11-22T20:00:00Z  placed  Operators/alice  disk failing
      "
    `)
    expect((await kdc(`history ${instanceId}`)).out).toContain('disk failing')
    expect((await kdc('history --sender AIDAJQABLZS4A3QDU576Q')).out).toContain('noisy fan')
    expect((await kdc('history --sender none')).out).toBe('nothing is on file\n')
  })

  test('a day is one file, and what there is besides --limit is told', async () => {
    const { kdc } = await changed()
    expect((await kdc('history --day 2026-11-21')).out).toBe('nothing is on file\n')
    const { out, err } = await kdc('history --day 2026-11-22 -n 2 -o jsonl')
    const ats = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).at)
    expect(ats).toHaveLength(2)
    expect(ats).toEqual(ats.toSorted().toReversed())
    expect(err).toBe('there are more: --limit 8 shows more\n')
  })

  test.each([
    [`${server} --day 2026-11-22`, 'name one of a target, --day and --sender'],
    [`--sender ${alice}`, "is an ARN: changes are on file under IAM's unique id"],
    ['--limit none', 'Write a number from 1 to 99999'],
  ])('%s is a usage error', async (line, why) => {
    const { kdc } = kdcWorld()
    expect(await kdc(`history ${line}`)).toMatchObject({ code: 2, err: expect.stringContaining(why) })
  })

  test('a URI that has left the lists is asked for as it is written, and a name is told to be whole', async () => {
    const { kdc } = kdcWorld()
    expect(await kdc('history sip:10.9.9.9:5060')).toMatchObject({
      code: 0,
      out: 'nothing is on file\n',
    })
    expect(await kdc('history 10.9.9.9')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no edge lists .* write its whole URI or its instance's id\n$/),
    })
  })
})

test('get commands lists each command once with what came of it, the newest first', async () => {
  const { kdc } = await changed()
  const { code, out } = await kdc('get commands', wide)
  expect(code).toBe(0)
  expect(widest(out)).toBeLessThanOrEqual(160)
  expect(out.replaceAll(/-[0-9a-f]{6} /g, '-SIXHEX ')).toMatchInlineSnapshot(`
    "ID                                    AGE  COMMAND   ON                   RESULT   WHO              BECAUSE
    kdc-20261122T200204Z-freeze-SIXHEX    1s   freeze    -                    frozen   Operators/alice  -
    kdc-20261122T200204Z-drain-SIXHEX     1s   drain     i-0bbbbbbbbbbbbbbbb  refused  Operators/alice  EC2 knows no instance i-0bbbbbbbbbbbbbbbb
    kdc-20261122T200202Z-drain-SIXHEX     3s   drain     sip:10.0.1.21:5060   started  Operators/bob    -
    kdc-20261122T200200Z-activate-SIXHEX  5s   activate  sip:10.0.1.20:5060   lifted   Operators/bob    -
    kdc-20261122T200000Z-drain-SIXHEX     2m   drain     sip:10.0.1.20:5060   started  Operators/alice  -
    "
  `)
  expect(widest((await kdc('get commands', narrow)).out)).toBeLessThanOrEqual(80)
  expect((await kdc('get commands --day 2026-11-21')).out).toBe('no command was answered\n')
  expect((await kdc('get commands -n 2')).err).toBe('there are more: --limit 8 shows more\n')
})

test('within 80 columns get commands names the whole server of each, and a set as one', async () => {
  const { kdc } = await changed()
  await kdc("drain --set 1 -m 'carrier maintenance'")
  const { out } = await kdc('get commands', narrow)
  expect(widest(out)).toBeLessThanOrEqual(80)
  expect(out).toMatch(/^ID +COMMAND +ON +RESULT$/m)
  expect(out).toMatch(/ drain +set 1 +/)
  expect(out).toMatch(/ activate +sip:10\.0\.1\.20:5060 +lifted$/m)
  expect(JSON.parse((await kdc('get commands -n 1 -o json')).out)).toMatchObject([{ on: '1', key: 'set' }])
})

test('a group or server whose name is a number is shown as no set; of what was answered before, a number is one', async () => {
  const groups = config.groups.map((group) => ({ ...group, name: '4711' }))
  const { kdc, world } = kdcWorld({ config: { groups } })
  await kdc("drain --group 4711 -m 'carrier maintenance'")
  expect((await kdc('get commands', narrow)).out).toMatch(/ drain +4711 +/)
  const { store } = world.memory
  const commands: typeof store.commands = async (...asked) => {
    const { commands: found, ...more } = await store.commands(...asked)
    return { commands: found.map(({ key: _, ...command }) => command), ...more }
  }
  const { out } = await kdc('get commands', { ...narrow, deployed: { shelf: { ...store, commands } } })
  expect(out).toMatch(/ drain +set 4711 +/)
})

test.each([
  ['reloaded', {}],
  ['reload failed', { unreachable: true }],
])(
  'a reload is filed as %s where its edge shows %j, also where there is no room for edges',
  async (change, trouble) => {
    const { kdc, world } = kdcWorld()
    await world.settledAll()
    world.edge('edge-b').misbehaviour = trouble
    await kdc('reload edge-b')
    const { out } = await kdc('history', narrow)
    expect(out).toMatch(new RegExp(` ${change} +edge-b `))
  },
)

test('no more is offered than --limit takes', () => {
  expect(moreThan(50)).toContain('--limit 200 shows more')
  expect(moreThan(30_000)).toContain('--limit 99999 shows more')
  expect(moreThan(99_999)).toBe('there are more than 99999, and no --limit shows them\n')
})

test('what can not be read is named, and keeps none of the others from being shown', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  const { store } = world.memory
  const changes: typeof store.changes = async (...asked) => ({
    ...(await store.changes(...asked)),
    unread: ['CHANGES#day/7: kind: is of a later release'],
  })
  const commands: typeof store.commands = async (...asked) => ({
    ...(await store.commands(...asked)),
    unread: ['COMMANDS#day/7: result: is missing'],
  })
  const deployed = { shelf: { ...store, changes, commands } }
  expect(await kdc(`history ${server}`, { deployed })).toEqual({
    code: 0,
    out: expect.stringContaining('disk failing'),
    err: "a row can't be read: CHANGES#day/7: kind: is of a later release\n",
  })
  const day = new Date(world.clock.now()).toISOString().slice(0, 10)
  expect(await kdc(`get commands --day ${day}`, { deployed })).toEqual({
    code: 0,
    out: expect.stringContaining('drain'),
    err: "a row can't be read: COMMANDS#day/7: result: is missing\n",
  })
})
