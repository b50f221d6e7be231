import { describe, expect, test } from 'vitest'
import { some } from '../present.ts'
import { instanceId, minutes, server } from '../world/world.ts'
import { alice, kdcWorld, unreached } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

test('a drain makes its own id, is sent by whom AWS names, and shows what each edge showed and shows', async () => {
  const { kdc, sent } = kdcWorld()
  const { code, out } = await kdc(drain)
  expect(code).toBe(0)
  expect(sent).toEqual([
    {
      ...{ version: 1, id: expect.stringMatching(/^kdc-20261122T200000Z-drain-[0-9a-f]{6}$/) },
      ...{ requestedBy: alice, command: 'drain', destination: server, reason: 'disk failing', dryRun: false },
    },
  ])
  expect(out.replace(/\(kdc-.*\)/, '(ID)')).toMatchInlineSnapshot(`
    "drain sip:10.0.1.20:5060: started  (ID)
    EDGE    OUTCOME  SET DESTINATION       BEFORE → AFTER
    edge-a  applied  1 sip:10.0.1.20:5060  AP → DX
    edge-a  applied  2 sip:10.0.1.20:5060  IP → DX
    edge-b  applied  1 sip:10.0.1.20:5060  AP → DX
    edge-b  applied  2 sip:10.0.1.20:5060  IP → DX
    undo: kdc activate sip:10.0.1.20:5060
    "
  `)
})

test('the command that is printed as its undo undoes it', async () => {
  const { kdc, world } = kdcWorld()
  const undoOf = ({ out }: { out: string }) => /undo: kdc (.*)\n/.exec(out)?.[1] ?? 'no undo'
  const before = world.flags()
  const drained = await kdc(drain)
  const during = world.flags()
  const activated = await kdc(undoOf(drained))
  expect(activated).toMatchObject({ code: 0, out: expect.stringContaining('DX → AP') })
  expect(world.flags()).toEqual(before)
  await kdc(undoOf(activated))
  expect(world.flags()).toEqual(during)
  expect(await kdc(undoOf(await kdc('freeze -m maintenance')))).toMatchObject({ code: 0 })
})

test('a dry run shows what would be written, and changes nothing', async () => {
  const { kdc, world } = kdcWorld()
  const { code, out } = await kdc(`${drain} --dry-run`)
  expect(code).toBe(0)
  expect(out).toMatch(/edge-b +would write +1 sip:10\.0\.1\.20:5060 +AP → D, gives back AP\n/)
  expect(out).not.toContain('undo')
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['nothing', 'unknown command'],
  ['explain', 'missing required argument'],
  [`drain ${server}`, '-m, --message'],
  [`${drain} --deadline soon`, '--deadline "soon" is no time span: write 90s, 10m, 2h or 1d'],
  [`${drain} --deadline 3d`, 'kdc: --deadline "3d" is too long: 48h at most\n'],
  ['drain --zone Frankfurt -m why', 'kdc: --zone: must be an availability zone such as eu-central-1a\n'],
  ["activate --group ''", 'kdc: --group: must not be empty'],
  [`${drain} --until 2020-01-01T00:00:00Z`, 'kdc: --until has passed'],
  [`${drain} --from 2020-01-01T00:00:00Z --dry-run`, 'kdc: --from has passed'],
  [`${drain} --from 40d`, 'kdc: --from is too far ahead'],
  ['freeze -m why --until 2020-01-01T00:00:00Z', 'kdc: --until has passed'],
  ['activate --set 1 --source operator', '--source and --hold need a destination or instance'],
  [`${drain} --until 2027-02-30T06:00:00Z`, '--until "2027-02-30T06:00:00Z" is no time'],
  [`${drain} --until tomorrow`, '--until "tomorrow" is no time'],
  [`${drain} --wait=empty`, 'confirmed, drained'],
  [`drain ${server} -m ' '`, '--message: must not be empty'],
  ['status -o xml', 'Allowed choices'],
  ['history --day yesterday', "argument 'yesterday' is invalid. Write a UTC day such as 2026-11-27"],
  ['get commands --day 2026-02-31', 'Write a UTC day'],
  [`drain ${server} i-1234567890abcdef -m why`, 'is i- and 8 or 17 digits of 0-9 and a-f, and this has 16'],
  ['activate i-1234567890abcdef01', 'and this has 18'],
  ['explain I-1234567890ABCDEF0', 'is i- and 8 or 17 digits of 0-9 and a-f'],
  ['watch i-1234567890abcdef', 'and this has 16'],
  ['history i-1234567890abcdef', 'and this has 16'],
  [`activate ${server} --source operator --hold 1`, 'cannot be used with'],
  [`activate ${server} -m ''`, '--message: must not be empty'],
  [`activate ${server} --timeout soon`, '--timeout "soon" is no time span'],
  ['activate --set one', '--set "one" is no dispatcher set'],
  ['reload edge-a --timeout soon', '--timeout "soon" is no time span'],
  ["release edge-a -m ''", '--message: must not be empty'],
  ["freeze -m ''", '--message: must not be empty'],
  ['freeze -m why --until soon', '--until "soon" is no time'],
  ["unfreeze -m ''", '--message: must not be empty'],
  ['may-restart edge-a --timeout soon', '--timeout "soon" is no time span'],
  ['history --sender arn:aws:iam::123456789012:user/alice', 'is an ARN'],
  [`history ${server} --day 2026-11-22`, 'name one of a target, --day and --sender'],
])('a command line that is wrong, %s, ends with 2 before AWS is reached', async (line, why) => {
  const { code, out, err } = await kdcWorld().kdc(line, { reach: unreached })
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(why)
})

test('a destination that begins like an instance id is none', async () => {
  const { kdc } = kdcWorld({
    edges: [{ id: 'edge-a', file: [{ set: 1, uri: 'sip:i-0a.example', flags: 'AP' }] }],
  })
  expect(await kdc('explain i-0a.example')).toMatchObject({ code: 0 })
})

describe('what is refused ends with 3 and the reason', () => {
  test.each([
    ['drain sip:10.0.9.9 -m why', 'no edge lists a destination that "sip:10.0.9.9" names'],
    ['drain all -m why', 'destination: no command is for all destinations'],
    ['release edge-a -m lost', 'edge "edge-a" is configured'],
    ['reload edge-z', 'no edge is called "edge-z"; there are: edge-a, edge-b'],
  ])('%s', async (line, why) => {
    const { kdc } = kdcWorld()
    const { code, out, err } = await kdc(line)
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain(`kdc: refused: ${why}`)
  })

  test('a name that several destinations have, with their names', async () => {
    const file = [5060, 5062].map((port) => ({ set: 1, uri: `sip:10.0.1.20:${port}`, flags: 'AP' }) as const)
    const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
    const { code, err } = await kdc('drain 10.0.1.20 -m why')
    expect(code).toBe(3)
    expect(err).toContain('matches 2 destinations: sip:10.0.1.20:5062, sip:10.0.1.20:5060')
  })
})

test('an answer that never comes ends with 1, and names how to ask for it later', async () => {
  const { kdc } = kdcWorld()
  const { code, err } = await kdc(`${drain} --timeout 30s`, { deployed: { send: async () => undefined } })
  expect(code).toBe(1)
  expect(err).toMatch(
    /no answer within 30 s: it may come yet; ask for it with: kdc get command kdc-\S+-drain-/,
  )
})

test('who stops waiting for an answer is told that the command is sent, with 130', async () => {
  const { kdc } = kdcWorld()
  const stop = new AbortController()
  const send = async () => stop.abort()
  const { code, err } = await kdc(drain, { stopped: stop.signal, deployed: { send } })
  expect(code).toBe(130)
  expect(err).toContain('the command is sent: kdc get command kdc-')
})

test('what names nothing is not sent, so that a typo leaves no dead letter, unless an edge can not be read', async () => {
  const { kdc, world, sent } = kdcWorld()
  const typos = [
    ...['drain 10.0.9.9 -m why', 'activate 10.0.9.9', 'reload edge-z', 'may-restart edge-z'],
    ...['release edge-z -m lost', 'release edge-a -m lost', 'release edge-a -m lost --dry-run'],
    ...['drain --set 99 -m why', 'drain --set 99 -m why --dry-run', 'activate --set 99'],
  ]
  for (const line of some(typos))
    expect(await kdc(line)).toMatchObject({ code: 3, err: expect.stringContaining('Nothing was sent') })
  expect(sent).toEqual([])
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await kdc(drain)
  await kdc('drain 10.0.9.9 -m why')
  await kdc('drain --set 99 -m why')
  expect(sent).toHaveLength(3)
})

test('a drain while an edge is away ends with 3 and names it, and explain does not promise what it can not know', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  expect(await kdc(drain)).toMatchObject({
    code: 3,
    err: expect.stringContaining('edge-b could not be reached, and is brought to it once that answers'),
  })
  const { out } = await kdc(`explain ${server}`)
  expect(out).toMatch(/held by 1: no edge is to send it new calls, but\n {2}edge-b was read last at /)
})

test('only what is at fault is red: an edge that lists nothing of it is not, nor is one that was removed', async () => {
  const file = [{ set: 1, uri: server, flags: 'AP' }] as const
  const other = [{ set: 1, uri: 'sip:10.0.9.9:5060', flags: 'AP' }] as const
  const ids = ['edge-a', 'edge-b', 'edge-c', 'edge-d']
  const { kdc, world } = kdcWorld({
    edges: ids.map((id) => ({ id, file: id === 'edge-b' ? [...other] : [...file] })),
  })
  const at = { screen: { hasColour: true } }
  await world.settledAll()
  world.memory.fleet.list.splice(3, 1)
  world.edge('edge-c').misbehaviour = { unreachable: true }
  await world.pass(2 * minutes)
  const red = (text: string) => expect.stringContaining(`\u001b[31m${text}`)
  const { out } = await kdc(drain, at)
  expect(out).toEqual(red('unreachable'))
  expect(out).toContain('unlisted')
  expect(out).not.toEqual(red('unlisted'))
  const { out: edges } = await kdc('get edges', at)
  expect(edges).toEqual(red('unreadable'))
  expect(edges).toContain('removed')
  expect(edges).not.toEqual(red('removed'))
})

test('a reload that was not done on every edge ends with 1', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  const { code, out } = await kdc('reload')
  expect(code).toBe(1)
  expect(out).toContain('incomplete')
})

describe('waiting for a drain', () => {
  test('confirmed: every edge shows it disabled in two readings, 0', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const { code, err } = await kdc(`${drain} --wait=confirmed`)
    expect(code).toBe(0)
    expect(err).toMatch(/draining: calls left: 1 \(edge-a 1\)\n$/)
  })

  test('drained: the last call is over, 0', async () => {
    const { kdc, world } = kdcWorld()
    const call = world.edge('edge-a').callTo(server)
    world.clock.at(world.clock.now() + 20 * minutes, () => world.edge('edge-a').hangUp(call))
    const { code, err } = await kdc(`${drain} --wait`)
    expect(code).toBe(0)
    expect(world.age()).toBeGreaterThan(20 * minutes)
    expect(err).toMatch(/drained: calls left: 0\n$/)
  })

  test('calls are left when --timeout is over: 4, and the drain goes on', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const { code, err } = await kdc(`${drain} --wait --timeout 5m`)
    expect(code).toBe(4)
    expect(err).toContain('calls left: 1 (edge-a 1); timed out, the drain goes on')
    expect(await world.heldBy()).toHaveLength(1)
  })

  test('calls are left at the drain’s deadline: 5, and the drain goes on', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const { code, err } = await kdc(`${drain} --deadline 10m --wait`)
    expect(code).toBe(5)
    expect(err).toContain('its deadline has passed, and it goes on')
    expect(await world.heldBy()).toHaveLength(1)
  })

  test('what is left can not be told when --timeout is over: 6, with the reason', async () => {
    const { kdc, world } = kdcWorld()
    await world.settledAll()
    world.edge('edge-b').misbehaviour = { unreachable: true }
    const { code, err } = await kdc(`${drain} --wait --timeout 5m`)
    expect(code).toBe(6)
    expect(err).toContain('edge edge-b: ')
  })

  test('somebody stops watching: 130, and the drain goes on', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const stop = new AbortController()
    world.clock.at(world.clock.now() + 2 * minutes, () => stop.abort())
    const { code, err } = await kdc(`${drain} --wait`, { stopped: stop.signal })
    expect(code).toBe(130)
    expect(err).toMatch(/stopped: the drain goes on: kdc status shows it\n$/)
    expect(await world.heldBy()).toHaveLength(1)
  })

  test('its hold is lifted meanwhile: 1', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const waiting = kdc(`${drain} --wait`)
    await world.pass(2 * minutes)
    await kdc(`activate ${server}`)
    expect(await waiting).toMatchObject({
      code: 1,
      err: expect.stringContaining('hold of this drain was lifted'),
    })
  })

  test('its machine goes meanwhile: no call is left, 0', async () => {
    const { kdc, world } = kdcWorld()
    world.edge('edge-a').callTo(server)
    const { instances } = world.memory
    world.clock.at(world.clock.now() + 2 * minutes, () => instances.setState(instanceId, 'terminated'))
    const { code, err } = await kdc(`${drain} --wait`)
    expect(code).toBe(0)
    expect(err).toContain('its machine is gone')
  })

  test('it waits for its clearance too, and says so', async () => {
    const { kdc } = kdcWorld()
    await kdc('freeze -m maintenance')
    expect(await kdc(`${drain} --deadline 1h`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('waiting'),
    })
    const { code, out, err } = await kdc(`${drain} --wait --timeout 5m`)
    expect(code).toBe(4)
    expect(out).toContain(`waiting: frozen by ${alice}: maintenance`)
    expect(err).toContain('it waits to begin')
  })
})
