import { expect, test } from 'vitest'
import { activate, drain, freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  createWorld,
  everywhere,
  facts,
  file,
  hours,
  instanceId,
  minutes,
  neighbour,
  server,
  type World,
} from '../world/world.ts'

const alices = 'operator/10.0.1.20:5060;udp/alice'
const after = ({ clock }: World, ms: number) => new Date(clock.now() + ms).toISOString()
const sweepAt = async (world: World, ms: number) => {
  await world.pass(ms)
  await world.sweep()
}

const unlist = async (world: World, gone: string) => {
  for (const edge of world.edges) {
    edge.writeFile(file.filter(({ uri }) => uri !== gone))
    edge.strangerReloads()
  }
  await world.pass(1 * minutes)
  await world.reconcile()
}

test('a window begins with the sweep once its beginning has come, and not before, and ends at its end', async () => {
  const world = createWorld()
  const [from, until] = [after(world, 3 * hours), after(world, 4 * hours)]
  const [beginsAt, endsAt] = [Date.parse(from), Date.parse(until)]
  expect(await world.command(drain(server, { from, until, deadlineSeconds: 600 }))).toMatchObject({
    ...{ result: 'waiting', beginsAt, endsAt, edges: [] },
    because: `its window begins at ${from.replace('T', ' ').slice(0, 19)} UTC`,
  })
  expect(publishedIn(world, 'Drain Waiting')).toMatchObject([{ drainId: alices, beginsAt, endsAt }])
  await sweepAt(world, 3 * hours - 1 * minutes)
  // Others that are decided on begin nothing of it.
  await world.command(drain(neighbour))
  expect(await world.heldBy()).toEqual(['operator/10.0.1.21:5060;udp/alice'])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  await sweepAt(world, 1 * minutes)
  expect(await world.heldBy()).toContain(alices)
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.record(alices)).toMatchObject({
    deadlineAt: expect.closeTo(beginsAt + 10 * minutes, -3),
    endsAt,
  })
  await sweepAt(world, 1 * hours)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a window that has begun and may not is published once, with the reason, and begins once it may', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  await world.command(freeze())
  await sweepAt(world, 59 * minutes)
  expect(publishedIn(world, 'Drain Waiting')).toHaveLength(1)
  for (let minute = 0; minute < 3; minute += 1) await sweepAt(world, 1 * minutes)
  expect(publishedIn(world, 'Drain Waiting').slice(1)).toMatchObject([
    { drainId: alices, who: 'alice', because: 'frozen by alice: carrier maintenance' },
  ])
  await world.command(unfreeze)
  await sweepAt(world, 1 * minutes)
  expect(await world.heldBy()).toEqual([alices])
})

test('activate drops a window, which never begins', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  expect(await world.command(activate(server))).toMatchObject({
    ...{ result: 'lifted', lifted: [] },
    dropped: [{ id: '10.0.1.20:5060;udp/alice' }],
  })
  await sweepAt(world, 2 * hours)
  expect(await world.heldBy()).toEqual([])
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: alices, by: 'alice' }])
})

test('activate drops a window also where its server has left the lists since', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 2 * hours) }))
  await unlist(world, server)
  expect(await world.command(activate(server))).toMatchObject({ dropped: [{ who: 'alice' }] })
  expect(await waitingIn(world)).toEqual([])
})

test('activate drops a window also where EC2 knows its machine no more', async () => {
  const world = createWorld()
  const asked = { instance: instanceId, destination: undefined }
  await world.command(drain('its machine', { ...asked, from: after(world, 2 * hours) }))
  world.memory.instances.forget(instanceId)
  await world.pass(2 * minutes)
  expect(await world.command(activate('its machine', asked))).toMatchObject({ dropped: [{ who: 'alice' }] })
  expect(await waitingIn(world)).toEqual([])
})

test('a window that can never begin is refused when it is asked for', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 2 }] })
  const window = drain(server, { from: after(world, 1 * hours) })
  await expect(world.command(window)).rejects.toThrow('it can never begin: set 1')
  await expect(world.command({ ...window, dryRun: true })).rejects.toThrow('it can never begin: set 1')
  expect(await waitingIn(world)).toEqual([])
})

test.each([
  ['its machine', { instance: instanceId, destination: undefined }, neighbour],
  ['one of its destinations', {}, server],
])(
  'a window of %s holds what EC2 shows when it begins: it was stopped and started since',
  async (_, asked, held) => {
    const world = createWorld()
    await world.command(drain(server, { ...asked, from: after(world, 2 * hours) }))
    await world.pass(1 * hours)
    const launchedAt = world.clock.now()
    const addresses = held === server ? ['10.0.1.20', '10.0.2.20'] : ['10.0.1.21']
    world.memory.instances.put(facts({ addresses, launchedAt }))
    await sweepAt(world, 1 * hours)
    expect(await world.hold()).toMatchObject({ subject: { instanceId, launchedAt }, addresses })
    await world.pass(5 * minutes)
    expect(world.flags(held)).toMatchObject({ 'edge-a/1': 'DX' })
    expect(await world.heldBy()).toHaveLength(1)
  },
)

test('a window of a name holds the machine that edges resolve it to when it begins: it was stopped and started since', async () => {
  const name = 'sip:ms1.example:5060'
  const world = createWorld({
    edges: [
      { id: 'edge-a', names: { 'ms1.example': '10.0.1.20' }, file: [{ set: 1, uri: name, flags: 'AP' }] },
    ],
  })
  await world.command(drain(name, { from: after(world, 2 * hours) }))
  await world.pass(1 * hours)
  const launchedAt = world.clock.now()
  world.memory.instances.put(facts({ launchedAt }))
  await sweepAt(world, 1 * hours)
  expect(await world.hold()).toMatchObject({
    ...{ subject: { instanceId, launchedAt }, uris: [name], addresses: ['10.0.1.20'] },
  })
})

test('a window begins as it was asked for while EC2 refuses', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  world.memory.instances.failNext('inGroups', new Error('RequestLimitExceeded'))
  await sweepAt(world, 1 * hours)
  expect(await world.heldBy()).toEqual([alices])
})

test('a drain that is refused, as it can never begin, leaves the window that it would have replaced', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  const until = after(world, 2 * hours)
  await world.command(drain(server, { from: after(world, 1 * hours), until }), 1)
  await unlist(world, neighbour)
  await expect(world.command(drain(server, { id: 'drain-2' }), 2)).rejects.toThrow('it can never begin')
  expect((await world.memory.store.waiting()).drains).toMatchObject([{ hold: { endsAt: Date.parse(until) } }])
  expect(publishedIn(world, 'Drain Superseded')).toEqual([])
})

test('a window that waits when its message comes again waits on, also where it could never begin by now', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  const window = drain(server, { from: after(world, 1 * hours) })
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(window, 1)).rejects.toThrow('killed')
  await unlist(world, neighbour)
  expect(await world.command(window, 1)).toMatchObject({ result: 'waiting' })
  expect(await waitingIn(world)).toEqual([alices])
})

test('a drain that could never begin is stale where something later was requested', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 2 }] })
  await world.command(activate(server), 2)
  expect(await world.command(drain(server), 1)).toMatchObject({ result: 'stale' })
})

test('force begins no window before its time, and begins it then whatever the floor asks for', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 2 }] })
  const forced = drain(server, { from: after(world, 1 * hours), force: 'the rack is switched off' })
  expect(await world.command(forced)).toMatchObject({ result: 'waiting' })
  await sweepAt(world, 30 * minutes)
  expect(await world.heldBy()).toEqual([])
  await sweepAt(world, 30 * minutes)
  expect(await world.heldBy()).toEqual([alices])
})

test('its place in the queue is its beginning: what was asked for meanwhile goes before it', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  await world.command(freeze())
  await world.pass(10 * minutes)
  await world.command(drain(neighbour))
  await world.pass(1 * hours)
  await world.reconcile()
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual(['operator/10.0.1.21:5060;udp/alice'])
  expect(await waitingIn(world)).toEqual([alices])
})

test('a window that is over when it may begin is dropped', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours), until: after(world, 2 * hours) }))
  await world.command(freeze())
  await sweepAt(world, 2 * hours)
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual([])
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: alices, by: 'its end' }])
})

test("the same operator's drain without a beginning replaces it, and begins at once", async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  expect(await world.command(drain(server, { id: 'drain-2' }))).toMatchObject({ result: 'started' })
  expect(await waitingIn(world)).toEqual([])
})

test('a window that a newer drain replaces is published and filed as superseded, once', async () => {
  const world = createWorld()
  const [carol, bob] = ['AROACAROL:carol', 'AROABOB:bob']
  const newer = drain(server, { id: 'drain-2', from: after(world, 2 * hours), reason: 'sooner is too soon' })
  await world.command(drain(server, { from: after(world, 1 * hours) }), 1, carol)
  world.memory.store.failNext('putCommandOutcome', new Error('killed'))
  await expect(world.command(newer, 2, bob)).rejects.toThrow('killed')
  expect(await world.command(newer, 2, bob)).toMatchObject({ result: 'waiting' })
  const of = { by: 'alice', sender: { id: bob } }
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([
    { ...of, drainId: alices, droppedWhy: 'sooner is too soon' },
  ])
  expect((await world.memory.store.openChanges()).changes).toMatchObject([
    { kind: 'superseded', hold: { sender: { id: carol } }, superseded: { ...of, why: 'sooner is too soon' } },
  ])
})

test('of two drains that come at once each finds what the other has asked for', async () => {
  const world = createWorld()
  const { store } = world.memory
  const { putWaiting } = store
  const windowAt = (n: number) => drain(server, { id: `drain-${n}`, from: after(world, n * hours) })
  store.putWaiting = async (...given) => {
    store.putWaiting = putWaiting
    await world.command(windowAt(1), 1)
    return putWaiting(...given)
  }
  expect(await world.command(windowAt(2), 2)).toMatchObject({ result: 'waiting' })
  expect((await store.waiting()).drains).toMatchObject([{ beginsAt: Date.parse(after(world, 2 * hours)) }])
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: alices, by: 'alice' }])
})

test('the limit of holds of a sender counts windows', async () => {
  const world = createWorld({ config: { maxHoldsPerSender: 1 } })
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  await expect(world.command(drain(neighbour))).rejects.toThrow('limit of 1 holds')
})

test('a window that has not begun does not count as a drain that waits for clearance', async () => {
  const world = createWorld()
  await world.command(drain(server, { from: after(world, 1 * hours) }))
  await world.sweep()
  expect(world.memory.metrics.total('WaitingDrains')).toBe(0)
  await world.command(freeze())
  await sweepAt(world, 1 * hours)
  expect(world.memory.metrics.total('WaitingDrains')).toBe(1)
})

test('a drain that comes after its beginning begins at once', async () => {
  const world = createWorld()
  const from = after(world, 1 * minutes)
  await world.pass(2 * minutes)
  expect(await world.command(drain(server, { from }), 1)).toMatchObject({ result: 'started' })
})

test.each([
  ['has passed', -1, undefined, /"from" has passed, .*: leave "from" out/],
  ['is more than 30 days ahead', 31 * 24, undefined, /"from" is too far ahead, .*: a window begins 30 days/],
  ['is not before its end', 2, 2, /until: must be after "from"/],
])('a beginning that %s is refused in words', async (_what, from, until, words) => {
  const world = createWorld()
  const end = until === undefined ? {} : { until: after(world, until * hours) }
  await expect(world.command(drain(server, { from: after(world, from * hours), ...end }))).rejects.toThrow(
    words,
  )
  expect(await waitingIn(world)).toEqual([])
})
