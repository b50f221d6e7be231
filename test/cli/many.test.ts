import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
import { bob, kdcWorld, unreached } from './kdc-world.ts'

const drain = "drain --group media-servers -m 'new image'"

test('a whole group is drained and activated with one command each, and the undo is printed', async () => {
  const { kdc, world, sent } = kdcWorld()
  const { code, out } = await kdc(drain)
  expect(code).toBe(0)
  expect(sent).toMatchObject([{ command: 'drain', group: 'media-servers', reason: 'new image' }])
  expect(out).toMatch(/^drain: bulk .*\n1 started\nTARGET +RESULT +BECAUSE\ni-\w+ +started +-\n/)
  expect(out).toContain('undo: kdc activate --group media-servers\n')
  expect(await world.heldBy()).toHaveLength(1)
  expect(await kdc('activate --group media-servers')).toMatchObject({
    code: 0,
    out: expect.stringContaining('1 lifted'),
  })
  expect(await world.heldBy()).toEqual([])
})

test('a dry run of many shows what would be written, and a window waits until it begins', async () => {
  const { kdc, world, sent } = kdcWorld()
  expect(await kdc(`${drain} --dry-run`)).toMatchObject({
    code: 0,
    out: expect.stringContaining('would write'),
  })
  expect(await kdc(`drain --set 1 -m maintenance --from 2h --until 2026-11-22T23:00:00Z`)).toMatchObject({
    ...{ code: 0, out: expect.stringContaining('its window begins at 2026-11-22 22:00:00 UTC') },
  })
  expect(sent.at(-1)).toMatchObject({
    set: 1,
    from: expect.stringMatching(/^2026-11-22T22:00:00/),
    until: '2026-11-22T23:00:00.000Z',
  })
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['drain -m why', 'name targets, or else exactly one of --group, --set and --zone'],
  [`drain ${server} --zone eu-central-1a -m why`, 'name targets, or else exactly one of'],
  ['drain --set 1 --zone eu-central-1a -m why', 'name targets, or else exactly one of'],
  ['drain --set one -m why', '--set "one" is no dispatcher set'],
  [`${drain} --wait`, '--wait is for targets that are named'],
  [`drain ${server} --set 1 -m why`, 'name targets, or else exactly one of'],
  [`drain ${server} -m why --from soon`, '--from "soon" is no time'],
])('%s is a usage error before AWS is reached', async (line, words) => {
  expect(await kdcWorld().kdc(line, { reach: unreached })).toMatchObject({
    ...{ code: 2, err: expect.stringContaining(words) },
  })
})

test('whether an edge may be restarted is answered in words, and by the exit code', async () => {
  const { kdc, world } = kdcWorld()
  expect(await kdc('may-restart edge-a')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^may-restart edge-a: yes/),
  })
  world.edge('edge-a').callTo(server)
  expect(await kdc('may-restart edge-a')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/no: 1 calls are up/),
  })
  await kdc(`drain ${server} -m why`)
  expect((await kdc('may-restart edge-a')).out).toMatch(
    /no: these drains could not end on its zeros .*\n {2}operator\/10\.0\.1\.20/,
  )
  expect(await kdc('may-restart edge-x')).toMatchObject({ code: 3, err: expect.stringContaining('edge-x') })
})

test.each([
  'drain --group media-server -m why',
  'drain --group media-server -m why --dry-run',
  'activate --group media-server',
])('%s names no group of the settings: it is not sent, and leaves no dead letter', async (line) => {
  const { kdc, sent } = kdcWorld()
  expect(await kdc(line)).toEqual({
    ...{ code: 3, out: '' },
    err: 'kdc: refused: "media-server" is no group of ours; there are: media-servers. Nothing was sent\n',
  })
  expect(sent).toEqual([])
})

test('a group is for the control plane to know where the settings can not be read, and where it is a former one', async () => {
  const { kdc, sent, around } = kdcWorld()
  const surroundings = () => Promise.reject(new Error('AccessDenied'))
  expect(await kdc('drain --group media-server -m why', { deployed: { surroundings } })).toMatchObject({
    ...{
      code: 3,
      err: expect.stringContaining('"media-server" is no group of ours; ours are: media-servers'),
    },
  })
  expect(sent).toHaveLength(1)
  await kdc(drain)
  around.shown.settings = { control: { ...around.shown.settings.control, groups: [] } }
  expect(await kdc(drain)).toMatchObject({ code: 3, err: expect.stringContaining('the settings name none') })
  expect(await kdc('activate --group media-servers', { who: bob })).toMatchObject({ code: 3 })
  expect(await kdc('activate --group media-servers')).toMatchObject({ code: 0 })
})

test('a member that is refused ends a drain of many with 3, and is counted on stderr', async () => {
  const file = [1, 1].map((set) => ({ set, uri: server, flags: 'AP' }) as const)
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const { code, out, err } = await kdc(drain)
  expect(out).toMatch(/\n1 refused\n/)
  expect(err).toContain('not done everywhere: 1 refused\n')
  expect(code).toBe(3)
})

test('an edge that could not be read is named, and ends a drain of many with 3: what it alone lists goes on', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.pass(1 * minutes)
  await world.reconcile()
  const { code, out, err } = await kdc("drain --set 1 -m 'new image'")
  expect(out).toMatch(/\nedge-b could not be read: \S/)
  expect(err).toContain('edge-b unread\n')
  expect(code).toBe(3)
})
