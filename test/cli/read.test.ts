import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { some } from '../present.ts'
import { facts, instanceId, minutes, neighbour, server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

/** Two drains, one of them with calls, a freeze with what waits for it, and an edge that is away. */
async function busy() {
  const { kdc, world } = kdcWorld()
  world.edge('edge-a').callTo(server)
  world.edge('edge-b').callTo(server)
  await kdc(`drain ${server} -m 'disk failing since noon, replaced on Friday' --deadline 4h`)
  await world.scaleIn()
  await kdc('freeze -m maintenance --until 6h', { who: bob })
  await kdc(`drain ${neighbour} -m 'noisy fan'`, { who: bob })
  await world.pass(3 * minutes)
  world.edge('edge-b').misbehaviour = { unreachable: true }
  await world.reconcile()
  return { kdc, world }
}
const wide = { screen: { columns: 160 } }
const narrow = { screen: { columns: 80 } }
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test('status shows edges, drains, what waits and the freeze, within 160 columns', async () => {
  const { kdc } = await busy()
  const { code, out } = await kdc('status', wide)
  expect(code).toBe(0)
  expect(widest(out)).toBeLessThanOrEqual(160)
  expect(out).toMatchInlineSnapshot(`
    "dispatcher-control  2026-11-22T20:03:43Z
    2 edges, 2 drains (2 not over), 1 waiting, 2 holds
    FROZEN by Operators/bob, until 2026-11-23T02:00:02Z: maintenance

    EDGE    STATE                                                          READ    CALLS  ACTIVE  DISABLED  LISTED  KAMAILIO
    edge-a  readable                                                       3s ago  1      1       1         2       kamailio 6.1 (in memory)
    edge-b  unreadable: unreachable: batch of 9: no answer within 3000 ms  2m ago  -      1       1         2       kamailio 6.1 (in memory)

    DRAIN OF            PHASE     CALLS  OVER IN  DEADLINE   WHO                              WHY                              ON EDGES                   AGE  TREND
    sip:10.0.1.20:5060  draining  1+     unknown  in 3h 56m  Operators/alice                  disk failing since noon, repla…  edge-a:1/1 edge-b:unknown  4m   -
    sip:10.0.1.20:5060  draining  1+     unknown  in 56m     auto scaling group media-serve…  drain-calls: AutoScalingGroup …  edge-a:1/1 edge-b:unknown  4m   -

    waiting to begin
    DRAIN OF            SOURCE    AGE  WHO            WHY        ENDS  SENDER                 INSTANCE
    sip:10.0.1.21:5060  operator  4m   Operators/bob  noisy fan  -     AIDAJQABLZS4A3QDU576Q  -
    "
  `)
})

test('and within 80, where what matters least goes first', async () => {
  const { kdc } = await busy()
  const { out } = await kdc('status', narrow)
  expect(widest(out)).toBeLessThanOrEqual(80)
  expect(out).toMatchInlineSnapshot(`
    "dispatcher-control  2026-11-22T20:03:43Z
    2 edges, 2 drains (2 not over), 1 waiting, 2 holds
    FROZEN by Operators/bob, until 2026-11-23T02:00:02Z: maintenance

    EDGE    STATE                            READ    CALLS  ACTIVE  DISABLED  LISTED
    edge-a  readable                         3s ago  1      1       1         2
    edge-b  unreadable: unreachable: batch…  2m ago  -      1       1         2

    DRAIN OF            PHASE     CALLS  OVER IN  DEADLINE   WHO         WHY
    sip:10.0.1.20:5060  draining  1+     unknown  in 3h 56m  Operators…  disk faili…
    sip:10.0.1.20:5060  draining  1+     unknown  in 56m     auto scal…  drain-call…

    waiting to begin
    DRAIN OF            SOURCE    AGE  WHO            WHY        ENDS
    sip:10.0.1.21:5060  operator  4m   Operators/bob  noisy fan  -
    "
  `)
})

test('columns that do not fit are told of once on stderr, and nobody is told of any where all fit', async () => {
  const { kdc } = await busy()
  const { code, err } = await kdc('status', narrow)
  expect({ code, err }).toEqual({ code: 0, err: 'some columns do not fit: -o wide shows them\n' })
  for (const line of ['status -o wide', 'get drains -o json'])
    expect((await kdc(line, narrow)).err).not.toContain('do not fit')
  expect((await kdc('get destinations', { screen: { columns: 30 } })).err).toContain('do not fit')
  expect((await kdc('status')).err).toBe('')
})

test('a server is shown by its destination, however it was named, and with its instance where that fits', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${instanceId} -m 'disk failing'`)
  expect((await kdc('status', narrow)).out).toMatch(/\nDRAIN OF .*\nsip:10\.0\.1\.20:5060 /)
  expect((await kdc('get drains -o wide')).out).toMatch(
    / INSTANCE\nsip:10\.0\.1\.20:5060 .* i-1234567890abcdef0\n/,
  )
  expect((await kdc('get holds -o wide')).out).toMatch(/\nsip:10\.0\.1\.20:5060 .* i-1234567890abcdef0 /)
  const shown = { on: instanceId, uris: [server] }
  for (const kind of ['drains', 'holds'])
    expect(JSON.parse((await kdc(`get ${kind} -o json`)).out)).toMatchObject([shown])
})

test('a server of several destinations is shown by one of them, and how many more it has', async () => {
  const file = [5060, 5062].map((port) => ({ set: 1, uri: `sip:10.0.1.20:${port}`, flags: 'AP' }) as const)
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  await kdc(`drain ${instanceId} -m 'disk failing'`)
  expect((await kdc('get drains')).out).toMatch(/\nsip:10\.0\.1\.20:50\d\d and 1 more /)
})

test('a drain without a call left has no deadline any more', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing' --deadline 1h`)
  expect((await kdc('get drains')).out).toMatch(/disabling .* in 1h /)
  await world.pass(90 * minutes)
  expect((await kdc('get drains')).out).toMatch(/ drained +0 +- +- +Operators/)
})

test('explain breaks a line of words between two of them at the width of the terminal, and no command', async () => {
  const { kdc } = await busy()
  const { out } = await kdc('explain 10.0.1.20', narrow)
  const [wide, lines] = [(await kdc('explain 10.0.1.20')).out, out.split('\n')]
  for (const each of some(lines.filter((line) => line.length > 80)))
    expect(each).toMatch(/^ {4}undo {3}kdc |^ +who +\S+$|^(drain| ) \S+$/)
  const words = (text: string) => text.slice(0, text.indexOf('EDGE ')).split(/\s+/)
  expect(words(out)).toEqual(words(wide))
})

test('explain names each hold with who, why and how to undo it, what each edge shows and showed, why its drain is not over, and what comes next', async () => {
  const { kdc } = await busy()
  const { code, out } = await kdc('explain 10.0.1.20', narrow)
  expect(code).toBe(0)
  expect(out).toMatchInlineSnapshot(`
    "10.0.1.20: sip:10.0.1.20:5060
    held by 2: no edge is to send it new calls, but
      edge-b was read last at 2026-11-22T20:01:45Z, and not since: it may send it
        new calls

      operator/10.0.1.20:5060;udp/arn:aws:sts::123456789012:assumed-role/Operators/alice
        who    arn:aws:sts::123456789012:assumed-role/Operators/alice
                 (AIDAJQABLZS4A3QDU576Q)
        why    disk failing since noon, replaced on Friday
        since  2026-11-22T20:00:00Z
        undo   kdc activate 10.0.1.20 --hold 'operator/10.0.1.20:5060;udp/arn:aws:sts::123456789012:assumed-role/Operators/alice'

      lifecycle/i-1234567890abcdef0/drain-calls
        who    auto scaling group media-servers
        why    drain-calls: AutoScalingGroup to EC2
        since  2026-11-22T20:00:00Z
        undo   no command lifts it: its end is the end of the lifecycle action

    drain operator/10.0.1.20:5060;udp/arn:aws:sts::123456789012:assumed-role/Operators/alice
        is     draining, calls left: 1+
        why    calls are left: 1 on edge-a
               unknown: edge edge-b: unreachable: batch of 9: no answer within 3000
                 ms
        next   it is looked at again at 2026-11-22T20:04:05Z (in 22s), sooner if its
                 last call is over
               when it is over is unknown, while a number of calls is
               deadline at 2026-11-23T00:00:00Z (in 3h 56m): it is reported as
                 overdue, and goes on
               once no call is left it stays disabled, until its hold is lifted

    drain lifecycle/i-1234567890abcdef0/drain-calls
        is     draining, calls left: 1+
        why    calls are left: 1 on edge-a
               unknown: edge edge-b: unreachable: batch of 9: no answer within 3000
                 ms
        next   its next look was due at 2026-11-22T20:03:40Z (3s ago): it is at work
                 now, or else the sweep begins it anew within five minutes
               when it is over is unknown, while a number of calls is
               deadline at 2026-11-22T21:00:00Z (in 56m): its instance goes, and the
                 calls that are left with it
               once no call is left Auto Scaling is answered CONTINUE, and its
                 instance goes

    EDGE    SHOWS  SHOWED     CALLS    DISABLED SINCE        READ
    edge-a  DX     2:IP 1:AP  1/1      2026-11-22T20:00:00Z  2026-11-22T20:03:40Z
    edge-b  DX     2:IP 1:AP  unknown  2026-11-22T20:00:00Z  2026-11-22T20:01:45Z
    "
  `)
})

test('explain of what nobody holds, of what waits, and of an instance', async () => {
  const { kdc } = await busy()
  expect((await kdc(`explain ${neighbour}`)).out).toMatch(
    /held by nobody(?:.|\n)*waits to begin\n +who +arn:.*bob\n +why +noisy fan\n(?:.|\n)*next +frozen by .*bob: maintenance; until 2026-11-23T02:00:02Z(?:.|\n)*dropped by: kdc activate/,
  )
  expect((await kdc('explain i-1234567890abcdef0')).out).toContain(`i-1234567890abcdef0: ${server}`)
})

test('explain of an instance that waits and is in no group of ours', async () => {
  const { kdc } = kdcWorld({ instances: [{ ...facts(), group: 'others' }] })
  await kdc('freeze -m maintenance')
  await kdc('drain i-1234567890abcdef0 -m why')
  expect((await kdc('explain i-1234567890abcdef0')).out).toContain('waits to begin')
})

test('explain of a name that an edge resolved finds the hold of its instance', async () => {
  const uri = 'sip:ms1.example:5060'
  const names = { 'ms1.example': '10.0.1.20' }
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file: [{ set: 1, uri, flags: 'AP' }], names }] })
  await kdc('drain i-1234567890abcdef0 -m why')
  expect((await kdc('explain ms1.example')).out).toContain('held by 1')
})

test.each([
  ['sip:10.0.9.9', 'no edge lists a destination that "sip:10.0.9.9" names; kdc get destinations lists them'],
  ['i-0fedcba9876543210', 'no instance i-0fedcba9876543210 is in the groups of dispatcher-control'],
  ['10.0.1', '; kdc get destinations lists them'],
])('explain of %s, which nobody knows, ends with 1', async (name, why) => {
  const { kdc } = kdcWorld()
  const { code, out, err } = await kdc(`explain ${name}`)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain(why)
})

describe('what a pipe gets', () => {
  const uris = z.array(z.looseObject({ destination: z.string() }))

  test('is not cut, and has no colour', async () => {
    const long = `sip:media-server-with-a-long-name.eu-central-1.compute.internal:5060;transport=tcp`
    const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file: [{ set: 1, uri: long, flags: 'AP' }] }] })
    expect((await kdc('get destinations')).out).toContain(long)
    expect((await kdc('get destinations', narrow)).out).toContain('…')
    expect(uris.parse(JSON.parse((await kdc('get destinations -o json', narrow)).out))).toMatchObject([
      { destination: long },
    ])
    expect((await kdc('status', { screen: { hasColour: true, isTerminal: true } })).out).toContain('\u001b[3')
    expect((await kdc('status')).out).not.toContain('\u001b')
  })

  test.each(['drains', 'holds', 'edges', 'destinations'])('%s is one JSON, or one a line', async (kind) => {
    const { kdc } = await busy()
    const all = z.array(z.unknown()).parse(JSON.parse((await kdc(`get ${kind} -o json`)).out))
    const lines = (await kdc(`get ${kind} -o jsonl`)).out.trimEnd().split('\n')
    expect(all).toHaveLength(2)
    expect(lines.map((line) => JSON.parse(line))).toEqual(all)
  })

  test('yaml has the same as json', async () => {
    const { kdc } = await busy()
    expect((await kdc('get edges -o yaml')).out).toContain('- edge: edge-a\n  state: readable\n')
  })
})

test('what came of a command is shown by its id; one that nobody knows ends with 1', async () => {
  const { kdc, sent } = kdcWorld()
  await kdc(`drain ${server} -m why`)
  await kdc('drain i-0bbbbbbbbbbbbbbbb -m why')
  const [good, bad] = sent.map((command) => z.looseObject({ id: z.string() }).parse(command).id)
  expect(await kdc(`get command ${good}`)).toMatchObject({ code: 0, out: expect.stringContaining('AP → DX') })
  expect(JSON.parse((await kdc(`get command ${good} -o json`)).out)).toMatchObject({ requestedBy: alice })
  expect((await kdc(`get command ${bad}`)).out).toContain('refused: ')
  expect(await kdc('get command none')).toMatchObject({
    code: 1,
    err: expect.stringContaining('no outcome of a command none'),
  })
})

test('status -w draws again until somebody stops it: on a terminal over the last one, in a pipe below it', async () => {
  const { kdc, world } = kdcWorld()
  const watching = (screen: object, output = 'table') => {
    const stop = new AbortController()
    world.clock.at(world.clock.now() + 10_000, () => stop.abort())
    return kdc(`status -w -o ${output}`, { screen, stopped: stop.signal })
  }
  const piped = await watching({})
  expect(piped).toMatchObject({ code: 130, out: expect.not.stringContaining('\u001b') })
  for (const { out } of [piped, await watching({}, 'wide')])
    expect(out.match(/(^|\n\n)dispatcher-control /g)).toHaveLength(4)
  const { out, err } = await watching({ isTerminal: true, columns: 80 })
  expect(out.split('\u001b[H\u001b[2J')).toHaveLength(5)
  expect(err).toBe('some columns do not fit: -o wide shows them\nkdc: stopped: what is under way goes on\n')
})

test('status -w shows the beginning of what is higher than the terminal, and how many rows are below', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m 'disk failing'`)
  const picture = async (screen: object) => {
    const stop = new AbortController()
    const { out } = await kdc('status -w', {
      screen: { isTerminal: true, columns: 80, ...screen },
      stopped: stop.signal,
      onOut: () => stop.abort(),
    })
    // The times in it go on.
    return out.split('\n').map((line) => line.replace('\u001b[H\u001b[2J', '').replace(/ .*/, ''))
  }
  const whole = await picture({ rows: 40 })
  const edges = ['dispatcher-control', '2', '', 'EDGE', 'edge-a', 'edge-b', '']
  expect(whole).toEqual([...edges, 'DRAIN', server, ''])
  // After the last line the cursor stands in a row of its own.
  expect(await picture({ rows: 10 })).toEqual(whole)
  expect(await picture({ rows: 9 })).toEqual([...edges, '2', ''])
  expect(await picture({ rows: 6 })).toEqual([...edges.slice(0, 4), '5', ''])
  // Of 30 columns a line takes two rows, or more.
  expect(await picture({ rows: 10, columns: 30 })).toEqual([...edges.slice(0, 4), '11', ''])
})

test('a mark that a drain has left is shown with what ends it', async () => {
  const { kdc, world } = kdcWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect((await kdc('status')).out).toContain('retired')
  expect((await kdc(`explain ${server}`)).out).toContain('it ends when a new instance has the address')
})
