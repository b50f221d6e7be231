import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { activate, drain, freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  config,
  createWorld,
  drainId,
  everywhere,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

describe('below the floor', () => {
  test("an operator's drain waits without a hold, says why, and begins by itself once it may", async () => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    expect(await world.command(drain(server))).toMatchObject({ result: 'started' })
    expect(await world.command(drain(neighbour))).toMatchObject({
      result: 'waiting',
      because: 'set 1 on edge-a would keep 0 of its 1 active servers, and its floor is 1',
    })
    expect(await world.heldBy()).toEqual(['operator/10.0.1.20:5060;udp/alice'])
    expect(publishedIn(world, 'Drain Waiting')).toMatchObject([
      { drainId: 'operator/10.0.1.21:5060;udp/alice', who: 'alice', uris: [neighbour] },
    ])
    await world.command(activate(server))
    await world.pass(1 * minutes)
    await world.sweep()
    await world.pass(1 * minutes)
    expect(await world.heldBy()).toEqual(['operator/10.0.1.21:5060;udp/alice'])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
    expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX' })
    expect(publishedIn(world, 'Drain Started')).toHaveLength(2)
  })

  test('on an edge that was read seconds ago, and has failed since', async () => {
    const world = worldWith({ floors: [{ set: 1, count: 1 }] })
    await world.command(drain(server))
    const edge = world.edge('edge-a')
    edge.misbehaviour = { faults: { 'dispatcher.list': 'malformed' } }
    await world.pass(1 * minutes)
    expect(await world.memory.store.edgeHeads()).toMatchObject([{ unreadable: {} }, {}])
    expect(await world.command(drain(neighbour))).toMatchObject({
      result: 'waiting',
      because: 'set 1 on edge-a would keep 0 of its 1 active servers, and its floor is 1',
    })
  })

  test('what waits is dropped by its activate, and published; it never begins', async () => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    await world.command(drain(server))
    await world.command(drain(neighbour))
    expect(await world.command(activate(neighbour))).toMatchObject({
      result: 'lifted',
      dropped: [{ id: '10.0.1.21:5060;udp/alice' }],
    })
    await world.command(activate(server))
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    expect(publishedIn(world, 'Drain Superseded')).toMatchObject([
      { drainId: 'operator/10.0.1.21:5060;udp/alice' },
    ])
  })

  test('force begins at once, with its reason on record', async () => {
    const world = worldWith({ floors: [{ set: 1, percent: 50 }] })
    await world.command(drain(server))
    expect(await world.command(drain(neighbour, { force: 'it burns' }))).toMatchObject({ result: 'started' })
    expect(await world.heldBy()).toHaveLength(2)
    await world.pass(1 * minutes)
    expect(publishedIn(world, 'Drain Started')).toMatchObject([{}, { force: 'it burns' }])
  })

  test('a floor as high as what is listed is refused with the command, and nothing waits', async () => {
    const world = worldWith({ floors: [{ set: 1, count: 2 }] })
    await expect(world.command(drain(server))).rejects.toMatchObject({
      name: 'CommandRefused',
      message: expect.stringMatching(/can never begin: set 1 on edge-a would keep 1 .* "force"/),
    })
    expect(await waitingIn(world)).toEqual([])
  })

  test('alarms take what the floor leaves, and the others wait; an OK drops what waits', async () => {
    const world = worldWith({ floors: [{ set: 1, count: 1 }] })
    const alarm = JSON.parse(message('alarm-metric-alarm'))
    await world.alarm(JSON.stringify(alarm))
    alarm.detail.alarmName = 'media-server-disk'
    alarm.detail.alarmTags = { 'dispatcher-control:target': neighbour }
    await world.alarm(JSON.stringify(alarm))
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    expect(publishedIn(world, 'Drain Waiting')).toMatchObject([{ drainId: 'alarm/media-server-disk' }])
    alarm.detail.state = { ...alarm.detail.state, value: 'OK', timestamp: '2026-11-22T23:00:00.000+0000' }
    await world.alarm(JSON.stringify(alarm))
    expect(await waitingIn(world)).toEqual([])
    expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: 'alarm/media-server-disk' }])
  })

  test('a lifecycle drain goes on, and is published each minute that the floor is not kept', async () => {
    const world = worldWith({ floors: [{ set: 1, count: 1 }] })
    await world.command(drain(neighbour))
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(2 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toContain(drainId)
    expect(publishedIn(world, 'Below Floor')).toMatchObject([
      {
        floors: ['edge-a', 'edge-b'].map(
          (edge) => `set 1 on ${edge} has 0 active servers, and its floor is 1`,
        ),
      },
    ])
    expect(world.memory.metrics.total('BelowFloor')).toBe(1)
  })
})

test('so many at once never take more than the floor leaves', async () => {
  const file = Array.from({ length: 64 }, (_, n) => ({
    set: 1,
    uri: `sip:10.0.2.${n}:5060`,
    flags: 'AP' as const,
  }))
  const world = createWorld({
    edges: [{ id: 'edge-a', file }],
    config: { ...config, clearance: { floors: [{ set: 1, count: 48 }] } },
  })
  const outcomes = await Promise.all(file.map(({ uri }) => world.command(drain(uri))))
  expect(outcomes.filter(({ result }) => result === 'started')).toHaveLength(16)
  expect(await world.heldBy()).toHaveLength(16)
  expect(await waitingIn(world)).toHaveLength(48)
})

test('so many drains by choice as the limit allows are under way; the next begins once the calls of one are over', async () => {
  const world = worldWith({ atOnce: 1 })
  const call = world.edge('edge-a').callTo(server)
  await world.command(drain(server))
  expect(await world.command(drain(neighbour))).toMatchObject({ result: 'waiting' })
  await world.pass(5 * minutes)
  await world.sweep()
  expect(await world.heldBy()).toHaveLength(1)
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'drained', 'operator/10.0.1.20:5060;udp/alice')
  await world.sweep()
  expect(await world.heldBy()).toHaveLength(2)
})

test('the time to the deadline of a drain that waits counts from when it begins', async () => {
  const world = createWorld()
  const drainId = 'operator/10.0.1.20:5060;udp/alice'
  const alarmId = 'alarm/media-server-cpu'
  for (const edge of world.edges) edge.callTo(server)
  await world.command(freeze(), 1)
  await world.command(drain(server, { deadlineSeconds: 600 }), 2)
  await world.alarm(message('alarm-metric-alarm'))
  await world.pass(20 * minutes)
  const beganAt = world.clock.now()
  await world.command(unfreeze, 3)
  expect(await world.record(drainId)).toMatchObject({ deadlineAt: beganAt + 10 * minutes })
  const seconds = world.ports.config.operatorDrainDeadlineSeconds
  expect(await world.record(alarmId)).toMatchObject({ deadlineAt: beganAt + seconds * 1000 })
  await world.pass(9 * minutes)
  expect(publishedIn(world, 'Drain Overdue')).toEqual([])
  await world.pass(2 * minutes)
  expect(publishedIn(world, 'Drain Overdue')).toMatchObject([{ drainId }])
})

test('who drains a server that another one drains begins at the limit, and takes nothing of it', async () => {
  const world = worldWith({ atOnce: 2 })
  for (const edge of world.edges) edge.callTo(server)
  await world.command(drain(server))
  await world.command(drain(server, { id: 'bobs', requestedBy: 'bob' }))
  expect(await world.command(drain(neighbour))).toMatchObject({ result: 'started' })
  expect(await world.command(drain(server, { id: 'carols', requestedBy: 'carol' }))).toMatchObject({
    result: 'started',
  })
})

describe('while a freeze is in force', () => {
  test('no drain by choice begins; what waits begins with its end', async () => {
    const world = createWorld()
    expect(await world.command(freeze())).toMatchObject({ result: 'frozen' })
    expect(await world.command(drain(server))).toMatchObject({
      result: 'waiting',
      because: 'frozen by alice: carrier maintenance',
    })
    await world.pass(5 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    const bobs = { ...unfreeze, requestedBy: 'bob', reason: 'the carrier is done' }
    expect(await world.command(bobs)).toMatchObject({ result: 'unfrozen' })
    await world.pass(10 * seconds)
    expect(await world.heldBy()).toHaveLength(1)
    expect(publishedIn(world, 'Frozen')).toHaveLength(1)
    expect(publishedIn(world, 'Freeze Ended')).toMatchObject([
      { who: 'alice', why: 'carrier maintenance', by: 'bob', endedWhy: 'the carrier is done' },
    ])
  })

  test("an alarm's OK lifts nothing, and the sweep lifts it afterwards; an operator's activate works", async () => {
    const world = createWorld()
    await world.alarm(message('alarm-metric-alarm'))
    await world.command(drain(neighbour))
    await world.command(freeze())
    world.memory.alarms.show('media-server-cpu', { value: 'OK', since: Date.UTC(2026, 10, 22, 23) })
    await world.alarm(message('alarm-metric-ok'))
    await world.command(activate(neighbour))
    await world.pass(5 * minutes)
    await world.sweep()
    await world.reconcile()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    await world.command(unfreeze)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
  })

  test('lifecycle drains go on', async () => {
    const world = createWorld()
    await world.command(freeze())
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  })

  test('it ends by itself at its end, which is published', async () => {
    const world = createWorld()
    const until = new Date(world.clock.now() + 2 * minutes).toISOString()
    await world.command(freeze({ until }))
    await world.command(drain(server))
    await world.pass(1 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    await world.pass(1 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toHaveLength(1)
    expect(publishedIn(world, 'Freeze Ended')).toMatchObject([{ by: 'its end', endedWhy: undefined }])
  })

  test.each([
    ['without a reason', { reason: '' }, /reason: must not be empty/],
    ['that ends in the past', { until: '2020-01-01T00:00:00Z' }, /"until" has passed/],
    ['whose end is no time', { until: 'tomorrow' }, /until: is not a time/],
  ])('one %s is refused in words', async (_what, changes, words) => {
    const world = createWorld()
    await expect(world.command(freeze(changes))).rejects.toThrow(words)
    expect(await world.memory.store.freeze()).toBeUndefined()
  })
})

test('a hold by choice whose run was killed before it began a drain gets one by the sweep', async () => {
  const world = createWorld()
  world.memory.store.failNext('beginDrain', new Error('killed'))
  await expect(world.command(drain(server))).rejects.toThrow('killed')
  await world.sweep()
  await world.pass(1 * minutes)
  expect(world.payload()).toMatchObject({ drainId: 'operator/10.0.1.20:5060;udp/alice', attempt: 1 })
})
