import { expect, test } from 'vitest'
import { filedForm } from '../../functions/control/filed-change.ts'
import { activate, drain, freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import { createWorld, everywhere, minutes, neighbour, server, type World } from '../world/world.ts'

const alices = 'operator/10.0.1.20:5060;udp/alice'
const after = ({ clock }: World, ms: number) => new Date(clock.now() + ms).toISOString()
const aMinute = async (world: World) => {
  await world.pass(1 * minutes)
  await world.sweep()
}

test('a hold is lifted at its end, which its answer and events have, and its server gets calls again', async () => {
  const world = createWorld()
  const until = after(world, 3 * minutes)
  const endsAt = Date.parse(until)
  expect(await world.command(drain(server, { until }))).toMatchObject({ result: 'started', endsAt })
  await aMinute(world)
  expect(publishedIn(world, 'Drain Started')).toMatchObject([{ endsAt }])
  await aMinute(world)
  expect(await world.heldBy()).toEqual([alices])
  await aMinute(world)
  expect(await world.heldBy()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(publishedIn(world, 'Hold Lifted')).toMatchObject([{ by: 'its end', placedBy: 'alice' }])
  await world.until((record) => record?.state === 'ended', alices)
})

test("an end lifts its own hold only: another operator's keeps the server disabled", async () => {
  const world = createWorld()
  await world.command(drain(server, { until: after(world, 1 * minutes) }))
  await world.command(drain(server, { id: 'drain-2', requestedBy: 'bob' }))
  await aMinute(world)
  expect(await world.heldBy()).toEqual(['operator/10.0.1.20:5060;udp/bob'])
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('one hold that cannot be lifted at its end keeps no other from being lifted and published', async () => {
  const world = createWorld()
  const until = after(world, 1 * minutes)
  await world.command(drain(server, { until }))
  await world.command(drain(neighbour, { id: 'drain-2', until }))
  await world.pass(1 * minutes)
  world.memory.store.failNext('putHold', new Error('throttled'))
  await expect(world.sweep()).rejects.toThrow('throttled')
  expect(publishedIn(world, 'Hold Lifted')).toHaveLength(1)
  await aMinute(world)
  expect(publishedIn(world, 'Hold Lifted')).toHaveLength(2)
  expect(await world.heldBy()).toEqual([])
})

test('while a freeze is in force no end lifts, and the first sweep after it does', async () => {
  const world = createWorld()
  await world.command(drain(server, { until: after(world, 1 * minutes) }))
  await world.command(freeze())
  await aMinute(world)
  await aMinute(world)
  expect(await world.heldBy()).toEqual([alices])
  await world.command(unfreeze)
  await world.sweep()
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['a later end', 5 * minutes],
  ['none', undefined],
])('a later drain of the same operator gives it %s', async (_what, ms) => {
  const world = createWorld()
  await world.command(drain(server, { until: after(world, 1 * minutes) }))
  const until = ms === undefined ? {} : { until: after(world, ms) }
  await world.command(drain(server, { id: 'drain-2', ...until }))
  await aMinute(world)
  await aMinute(world)
  expect(await world.heldBy()).toEqual([alices])
  expect((await world.record(alices)).endsAt).toBe(until.until && Date.parse(until.until))
})

test('a drain with an end that takes the place of a hold without one names it: dry run, answer and record', async () => {
  const world = createWorld()
  const since = world.clock.now()
  await world.command(drain(server, { reason: 'disk failing' }))
  await world.pass(1 * minutes)
  const until = after(world, 9 * minutes)
  const ending = (changes: object) => drain(server, { reason: 'new image', until, ...changes })
  const replaces = { why: 'disk failing', since }
  expect(await world.command(ending({ id: 'plan', dryRun: true }))).toMatchObject({ replaces })
  expect(await world.command(ending({ id: 'drain-2' }))).toMatchObject({ result: 'started', replaces })
  const placed = (await world.memory.store.openChanges()).changes.filter(({ kind }) => kind === 'placed')
  const forms = placed.map((change) => filedForm(change, []))
  expect(forms.find(({ why }) => why === 'new image')).toMatchObject({ replaces })
})

test('a window that begins later names the hold that it will take the place of, with its end', async () => {
  const world = createWorld()
  const [endsAt, since] = [world.clock.now() + 5 * minutes, world.clock.now()]
  await world.command(drain(server, { reason: 'disk failing', until: after(world, 5 * minutes) }))
  const window = { id: 'window', from: after(world, 1 * minutes), until: after(world, 2 * minutes) }
  expect(await world.command(drain(server, window))).toMatchObject({
    ...{ result: 'waiting', replaces: { why: 'disk failing', since, endsAt } },
  })
})

test('the same message again names what its first delivery took the place of', async () => {
  const world = createWorld()
  await world.command(drain(server, { reason: 'disk failing' }), 1)
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  const again = drain(server, { id: 'drain-2', until: after(world, 9 * minutes) })
  await expect(world.command(again, 2)).rejects.toThrow('killed')
  expect(await world.command(again, 2)).toMatchObject({ replaces: { why: 'disk failing' } })
})

test('a drain that gives a hold a later end, and was sent before the first one came, stands also where it waited', async () => {
  const world = createWorld()
  await world.command(drain(server, { until: after(world, 1 * minutes) }))
  await world.command(freeze({ until: after(world, 2 * minutes) }))
  const later = drain(server, { id: 'drain-2', until: after(world, 9 * minutes) })
  expect(await world.command(later)).toMatchObject({ result: 'waiting' })
  await aMinute(world)
  await aMinute(world)
  expect(await world.heldBy()).toEqual([alices])
  expect(await waitingIn(world)).toEqual([])
  expect(publishedIn(world, 'Hold Lifted')).toEqual([])
})

test('a drain that was sent before its end came, and comes after it, holds it again', async () => {
  const world = createWorld()
  const [first, second] = [after(world, 1 * minutes), after(world, 5 * minutes)]
  await world.command(drain(server, { until: first }), 1)
  await aMinute(world)
  expect(await world.heldBy()).toEqual([])
  const later = drain(server, { id: 'drain-2', until: second })
  expect(await world.command(later, 2)).toMatchObject({ result: 'started' })
  expect(await world.heldBy()).toEqual([alices])
})

test('what waits for clearance when its end comes is dropped and published, and never begins', async () => {
  const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
  await world.command(drain(server))
  const until = after(world, 2 * minutes)
  expect(await world.command(drain(neighbour, { until }))).toMatchObject({ result: 'waiting' })
  expect(publishedIn(world, 'Drain Waiting')).toMatchObject([{ endsAt: Date.parse(until) }])
  await aMinute(world)
  expect(await waitingIn(world)).toHaveLength(1)
  await aMinute(world)
  expect(await waitingIn(world)).toEqual([])
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([
    { drainId: 'operator/10.0.1.21:5060;udp/alice', by: 'its end' },
  ])
  await world.command(activate(server))
  await aMinute(world)
  expect(await world.heldBy()).toEqual([])
})

test('a drain that comes after its end, or again after it, holds nothing', async () => {
  const world = createWorld()
  await world.pass(2 * minutes)
  const late = drain(server, { until: after(world, -1 * minutes) })
  expect(await world.command(late, 1)).toMatchObject({ result: 'stale' })
  expect(await world.heldBy()).toEqual([])
  const until = after(world, 1 * minutes)
  world.memory.store.failNext('putCommandOutcome', new Error('throttled'))
  await expect(world.command(drain(neighbour, { until }), 2)).rejects.toThrow('throttled')
  await aMinute(world)
  expect(await world.command(drain(neighbour, { until }), 2)).toMatchObject({ result: 'stale' })
  expect(await world.heldBy()).toEqual([])
})

test.each([
  [
    'had passed when it was sent',
    '2020-01-01T00:00:00Z',
    /"until" has passed, the command was sent at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/,
  ],
  ['is no time', 'tomorrow', /until: is not a time/],
])('an end that %s is refused in words', async (_what, until, words) => {
  const world = createWorld()
  await expect(world.command(drain(server, { until }))).rejects.toThrow(words)
  expect(await world.heldBy()).toEqual([])
})
