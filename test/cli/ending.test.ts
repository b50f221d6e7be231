import { expect, test } from 'vitest'
import type { Screen } from '../../cli/desk/desk.ts'
import { endsText } from '../../cli/views/ends.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { message } from '../contracts/event-files.ts'
import { minutes, neighbour, server, type WorldOptions } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing' --deadline 4h`

/** Twelve calls, of which one ends each minute. */
function twelveCalls(options: WorldOptions = {}) {
  const { kdc, world } = kdcWorld(options)
  const edge = world.edge('edge-a')
  for (let call = 1; call <= 12; call++) {
    const id = edge.callTo(server)
    world.clock.at(world.clock.now() + call * minutes, () => edge.hangUp(id))
  }
  return { kdc, world }
}

/** Eight minutes after it was drained: its looks have counted 12, 10, 8 and 6 calls. */
async function halfDrained() {
  const { kdc, world } = twelveCalls()
  await kdc(drain)
  await world.pass(8 * minutes)
  return { world, kdc: (argv: string, screen: Partial<Screen> = {}) => kdc(argv, { screen }) }
}
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test('how far a drain is and when it will be over, within 80 columns and within 160', async () => {
  const { kdc } = await halfDrained()
  const { out } = await kdc('get drains', { columns: 80 })
  expect(widest(out)).toBeLessThanOrEqual(80)
  expect(out).toMatchInlineSnapshot(`
    "DRAIN OF            PHASE     CALLS  OVER IN      DEADLINE   WHO       WHY
    sip:10.0.1.20:5060  draining  6      2m to 1h 4m  in 3h 52m  Operato…  disk fai…
    "
  `)
  const wide = await kdc('get drains', { columns: 160 })
  expect(widest(wide.out)).toBeLessThanOrEqual(160)
  expect(wide.out).toMatchInlineSnapshot(`
    "DRAIN OF            PHASE     CALLS  OVER IN      DEADLINE   WHO              WHY           ON EDGES              AGE  TREND    INSTANCE
    sip:10.0.1.20:5060  draining  6      2m to 1h 4m  in 3h 52m  Operators/alice  disk failing  edge-a:6/12 edge-b:0  8m   falling  i-1234567890abcdef0
    "
  `)
})

test('explain tells when it is looked at next, when it will be over, and what happens at its deadline', async () => {
  const { kdc } = await halfDrained()
  const { out } = await kdc('explain 10.0.1.20')
  expect(out.slice(out.indexOf('drain operator'))).toMatchInlineSnapshot(`
    "drain operator/10.0.1.20:5060;udp/arn:aws:sts::123456789012:assumed-role/Operators/alice
        is     draining, calls left: 6, falling
        why    calls are left: 6 on edge-a
        next   it is looked at again at 2026-11-22T20:08:05Z (in 5s), sooner if its last call is over
               most likely over in 2m to 1h 4m: from 2026-11-22T20:09:53Z to 2026-11-22T21:11:42Z
               deadline at 2026-11-23T00:00:00Z (in 3h 52m): it is reported as overdue, and goes on
               once no call is left it stays disabled, until its hold is lifted

    EDGE    SHOWS  SHOWED     CALLS  DISABLED SINCE        READ                  SAME CALLS SINCE
    edge-a  DX     2:IP 1:AP  6/12   2026-11-22T20:00:00Z  2026-11-22T20:06:05Z  2026-11-22T20:06:05Z
    edge-b  DX     2:IP 1:AP  0      2026-11-22T20:00:00Z  2026-11-22T20:06:05Z  2026-11-22T20:00:02Z
    "
  `)
})

test('a program gets the range as times, what is left of each edge’s most, and since when', async () => {
  const { kdc } = await halfDrained()
  const [view]: unknown[] = JSON.parse((await kdc('get drains -o json')).out)
  expect(view).toMatchObject({
    ...{ callsLeft: 6, trend: 'falling', atDeadline: 'it is reported as overdue, and goes on' },
    ends: { earliest: '2026-11-22T20:09:53Z', latest: expect.stringMatching(/^2026-11-22T2\d:\d\d:\d\dZ$/) },
    edges: [
      { edge: 'edge-a', calls: 6, most: 12, sameSince: '2026-11-22T20:06:05Z' },
      { edge: 'edge-b', calls: 0, most: 0 },
    ],
  })
})

test('drain --wait tells once what happens at the deadline, and when it will be over with each line', async () => {
  const { kdc } = twelveCalls()
  const { code, err } = await kdc(`${drain} --wait`)
  expect(code).toBe(0)
  expect(
    err.match(/deadline 2026-11-23T00:00:00Z \(in 4h\): it is reported as overdue, and goes on/g),
  ).toHaveLength(1)
  expect(err).toContain('calls left: 12 (edge-a 12); over in: unknown, its calls were counted once')
  expect(err).toMatch(/calls left: 6 \(edge-a 6\); over in \d+m to /)
  expect(err).toMatch(/calls left: 0; over in up to 39s\ndrained/)
})

test('on a terminal of 80 columns what drain --wait tells breaks no word, and in a pipe no line', async () => {
  const words = (text: string) => text.split(/\s+/)
  const piped = await twelveCalls().kdc(`${drain} --wait`)
  const shown = await twelveCalls().kdc(`${drain} --wait`, { errColumns: 80 })
  expect(widest(piped.err)).toBeGreaterThan(80)
  expect(widest(shown.err)).toBeLessThanOrEqual(80)
  expect(words(shown.err)).toEqual(words(piped.err))
})

test('on a terminal of 160 columns each line that drain --wait tells is whole', async () => {
  const piped = await twelveCalls().kdc(`${drain} --wait`)
  const shown = await twelveCalls().kdc(`${drain} --wait`, { errColumns: 160, screen: { columns: 160 } })
  expect(shown).toEqual(piped)
  expect(shown.err).toMatchInlineSnapshot(`
    "drain kdc-20261122T200000Z-drain-9e353f is sent by arn:aws:sts::123456789012:assumed-role/Operators/alice
    disabling: calls left: 12 (edge-a 12); over in: unknown, it is not known to be disabled on every edge yet
    deadline 2026-11-23T00:00:00Z (in 4h): it is reported as overdue, and goes on
    draining: calls left: 12 (edge-a 12); over in: unknown, its calls were counted once since it is disabled, which is too little
    draining: calls left: 10 (edge-a 10); over in: unknown, its calls were counted twice since it is disabled, which is too little
    draining: calls left: 8 (edge-a 8); over in 5m to 1h 24m
    draining: calls left: 6 (edge-a 6); over in 4m to 1h 6m
    draining: calls left: 4 (edge-a 4); over in 3m to 45m
    draining: calls left: 2 (edge-a 2); over in 1m to 26m
    draining: calls left: 0; over in up to 39s
    drained: calls left: 0
    "
  `)
})

test('a scale-in tells what its group wants at the deadline, and what follows its last call', async () => {
  const { kdc, world } = twelveCalls()
  await world.scaleIn()
  await world.pass(minutes)
  const { out } = await kdc('explain 10.0.1.20')
  expect(out).toContain(
    'deadline at 2026-11-22T21:00:00Z (in 59m): its instance goes, and the calls that are left with it',
  )
  expect(out).toContain('once no call is left Auto Scaling is answered CONTINUE, and its instance goes')
})

test('a drain with an end, and one whose calls are over, tell what lifts their hold', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(`${drain} --until 2h`)
  await world.pass(5 * minutes)
  const { out } = await kdc('explain 10.0.1.20')
  expect(out).toContain('its hold is lifted by itself at 2026-11-22T22:00:00Z (in 1h 55m)')
  expect(out).not.toContain('most likely over')
  await kdc(`activate ${server}`)
  await world.alarm(message('alarm-metric-alarm'))
  await world.pass(5 * minutes)
  expect((await kdc('explain 10.0.1.20')).out).toContain('nothing more, until somebody lifts its hold')
})

test('a window tells when it begins, and by when it is dropped', async () => {
  const { kdc } = kdcWorld()
  await kdc(`drain ${server} -m maintenance --from 2h --until 4h`)
  const { out } = await kdc('explain 10.0.1.20')
  expect(out).toContain('next   its window begins at 2026-11-22T22:00:00Z (in 2h)')
  // Since when it waits is its beginning, which is ahead.
  expect(out).toContain('from   2026-11-22T22:00:00Z')
  expect(out).not.toContain('since ')
  expect(out).toContain('it is dropped if it has not begun by 2026-11-23T00:00:00Z (in 4h)')
})

test('what waits shows when its window begins, also within 80 columns and as data', async () => {
  const { kdc } = kdcWorld()
  await kdc('freeze -m maintenance')
  await kdc(`drain ${neighbour} -m 'noisy fan'`)
  expect((await kdc('status')).out).not.toContain('BEGINS')
  await kdc(`drain ${server} -m maintenance --from 2h --until 4h`)
  const { out } = await kdc('status', { screen: { columns: 80 } })
  expect(out.slice(out.indexOf('waiting to begin'))).toMatchInlineSnapshot(`
    "waiting to begin
    DRAIN OF            SOURCE    BEGINS  AGE  WHO              WHY          ENDS
    sip:10.0.1.21:5060  operator  -       0s   Operators/alice  noisy fan    -
    sip:10.0.1.20:5060  operator  in 2h   -    Operators/alice  maintenance  in 4h
    "
  `)
  expect(widest(out.slice(out.indexOf('waiting to begin')))).toBeLessThanOrEqual(80)
  const { waiting }: { waiting: unknown } = JSON.parse((await kdc('status -o json')).out)
  expect(waiting).toMatchObject([{ why: 'noisy fan' }, { begins: '2026-11-22T22:00:00Z' }])
  expect(await kdc('get drains')).toMatchObject({ err: 'waiting to begin: 2, which kdc status shows\n' })
})

test('what was disabled before us is shown, and that it stays so', async () => {
  const file = [{ set: 1, uri: server, flags: 'DX' as const }]
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  await kdc(drain)
  expect((await kdc('explain 10.0.1.20')).out).toContain('what showed D before us stays disabled')
})

test('records that can’t be read keep nobody from an explanation', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain)
  const edgeRecords = () => Promise.reject(new UnexpectedAnswer('nonsense'))
  const { code, out } = await kdc('explain 10.0.1.20', {
    deployed: { shelf: { ...world.memory.store, edgeRecords } },
  })
  expect(code).toBe(0)
  expect(out).toContain('unreadable')
})

test.each([
  [60_000, 70_000, '~1m'],
  [240_000, 540_000, '4m to 9m'],
  [10_000, 420_000, 'up to 7m'],
  [-5_000, 30_000, 'up to 30s'],
])('a range from %i ms to %i ms is %s', (earliest, latest, text) => {
  const ends = { earliest: new Date(earliest).toISOString(), latest: new Date(latest).toISOString() }
  expect(endsText(ends, 0)).toBe(text)
  expect(endsText({ unknown: 'why' }, 0)).toBe('unknown')
})

test('a drain whose look is overdue for longer than the sweep takes is told to be stuck, and doctor named', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(drain)
  const { store } = world.memory
  const due = (agoMs: number) => ({
    ...store,
    async drain(hold: string) {
      const found = await store.drain(hold)
      return found && { ...found, nextLookAt: world.clock.now() - agoMs }
    },
  })
  const explained = async (agoMs: number) =>
    (await kdc(`explain ${server}`, { deployed: { shelf: due(agoMs) } })).out
  expect(await explained(45 * minutes)).toMatch(/45m ago\): neither .* runs: kdc doctor shows/)
  expect(await explained(4 * minutes)).toContain('it is at work now')
})

test('what every edge has shown disabled once waits for a second reading, and is not said to be unread since', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  await kdc(drain)
  const { out } = await kdc(`explain ${server}`)
  expect(out).toContain('every edge shows it disabled once; a second reading has to confirm it')
  expect(out).not.toContain('not read since')
})
