import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { activate, drain, freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  config,
  createWorld,
  facts,
  file,
  minutes,
  neighbour,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const serversHold = 'operator/10.0.1.20:5060;udp/alice'
const neighboursHold = 'operator/10.0.1.21:5060;udp/alice'

/** The next placement is held up until it is released. */
function holdUp({ memory: { store } }: World) {
  const { placeWaiting } = store
  const began = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  store.placeWaiting = async (...given) => {
    store.placeWaiting = placeWaiting
    began.resolve()
    await released.promise
    return placeWaiting(...given)
  }
  return { began: began.promise, release: () => released.resolve() }
}

test('a run that is held up between its decision and its placement places nothing once another run decides', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  await world.settledAll()
  const { began, release } = holdUp(world)
  const first = world.command(drain(server)).catch((error: Error) => error.name)
  await began
  expect(await world.command(activate(server))).toMatchObject({ result: 'lifted' })
  expect(await world.command(drain(neighbour))).toMatchObject({ result: 'started' })
  release()
  expect(await first).toBe('StoreConflict')
  await world.sweep()
  expect(await world.heldBy()).toEqual([neighboursHold])
  expect(await waitingIn(world)).toEqual([])
})

test('an activate between decision and placement keeps it from beginning, and is told of nothing to lift later', async () => {
  const world = createWorld()
  await world.settledAll()
  const { began, release } = holdUp(world)
  const first = world.command(drain(server), 1)
  await began
  expect(await world.command(activate(server), 2)).toMatchObject({ dropped: [{ who: 'alice' }] })
  release()
  expect(await first).toMatchObject({ result: 'stale' })
  expect(await world.heldBy()).toEqual([])
})

test('a freeze is answered once nothing can begin any more of what was decided before', async () => {
  const world = createWorld()
  await world.settledAll()
  const { began, release } = holdUp(world)
  const first = world.command(drain(server)).catch((error: Error) => error.name)
  await began
  expect(await world.command(freeze())).toMatchObject({ result: 'frozen' })
  release()
  expect(await first).toBe('StoreConflict')
  expect(await world.heldBy()).toEqual([])
  expect(await waitingIn(world)).toEqual([serversHold])
})

describe.each(['before', 'after'] as const)('a drain by choice whose run was killed %s', (when) => {
  const points = [
    'putWaiting',
    'takeEdge',
    'placeWaiting',
    'raiseWanted',
    'beginDrain',
    'giveUpEdge',
  ] as const
  test.each(points)('%s begins once, by the sweep or when its message comes again', async (point) => {
    const world = worldWith({ floors: [{ set: 1, count: 1 }], atOnce: 1 })
    await world.settledAll()
    world.memory.store.failNext(point, new Error('killed'), when)
    await expect(world.command(drain(server), 1)).rejects.toThrow('killed')
    await world.pass(10 * seconds)
    const isAskedFor = point !== 'putWaiting' || when === 'after'
    await world.sweep()
    expect(await world.heldBy()).toEqual(isAskedFor ? [serversHold] : [])
    expect(await world.command(drain(server), 1)).toMatchObject({ destinations: [server] })
    expect(await world.command(drain(neighbour))).toMatchObject({ result: 'waiting' })
    await world.pass(1 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toEqual([serversHold])
    expect(await waitingIn(world)).toEqual([neighboursHold])
    expect(publishedIn(world, 'Drain Started')).toHaveLength(1)
  })
})

describe('a message that comes twice while what it asks for waits', () => {
  async function killedWhileItWaits(): Promise<World> {
    const world = createWorld()
    await world.command(freeze(), 1)
    world.memory.store.failNext('putCommandOutcome', new Error('killed'))
    await expect(world.command(drain(server), 2)).rejects.toThrow('killed')
    return world
  }

  test('has it begin once', async () => {
    const world = await killedWhileItWaits()
    expect(await world.command(drain(server), 2)).toMatchObject({ result: 'waiting' })
    expect(await waitingIn(world)).toEqual([serversHold])
    await world.command(unfreeze)
    await world.pass(1 * minutes)
    expect(publishedIn(world, 'Drain Started')).toHaveLength(1)
  })
  test('still waits where its server has left the lists', async () => {
    const world = await killedWhileItWaits()
    for (const edge of world.edges) {
      edge.writeFile(file.filter(({ uri }) => uri !== server))
      edge.strangerReloads()
    }
    await world.pass(10 * seconds)
    await world.reconcile()
    expect(await world.command(drain(server), 2)).toMatchObject({ result: 'waiting', destinations: [server] })
  })
  test.each([
    ['its own', {}],
    ["somebody else's of every operator's holds", { requestedBy: 'bob', source: 'operator' }],
  ])('is stale after an activate, %s, and never begins', async (_, changes) => {
    const world = await killedWhileItWaits()
    expect(await world.command(activate(server, changes), 3)).toMatchObject({ dropped: [{ who: 'alice' }] })
    expect(await world.command(drain(server), 2)).toMatchObject({ result: 'stale' })
    expect(await waitingIn(world)).toEqual([])
    await world.command(unfreeze)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: serversHold }])
  })
})

test('what is dropped is published, also by a run that was killed when it had dropped it', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(drain(server), 1)
  world.memory.store.failNext('dropWaiting', new Error('killed'), 'after')
  await expect(world.command(activate(server), 2)).rejects.toThrow('killed')
  await world.reconcile()
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ drainId: serversHold }])
})

test('what has begun before it could be dropped is not published as dropped', async () => {
  const world = createWorld()
  await world.command(freeze(), 1)
  await world.command(drain(server), 2)
  const { store } = world.memory
  const { seeRequest } = store
  // Of another operator's activate, which looks what waits, and finds it begun when it drops it.
  store.seeRequest = async (...given) => {
    store.seeRequest = seeRequest
    await world.command(unfreeze, 3)
    return seeRequest(...given)
  }
  const bobs = activate(server, { requestedBy: 'bob', source: 'operator' })
  expect(await world.command(bobs, 4)).toMatchObject({ dropped: [], lifted: [{ who: 'alice' }] })
  expect(publishedIn(world, 'Drain Superseded')).toEqual([])
})

test('an activate that was killed when it had dropped what waits is answered with that, also where it is listed no more', async () => {
  const world = createWorld()
  await world.command(freeze(), 1)
  await world.command(drain(server), 2)
  world.memory.store.failNext('raiseWanted', new Error('killed'))
  await expect(world.command(activate(server), 3)).rejects.toThrow('killed')
  for (const edge of world.edges) {
    edge.writeFile(file.filter(({ uri }) => uri !== server))
    edge.strangerReloads()
  }
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(await world.command(activate(server), 3)).toMatchObject({
    ...{ result: 'lifted', lifted: [], dropped: [{ who: 'alice' }] },
  })
  expect(publishedIn(world, 'Drain Superseded')).toHaveLength(1)
})

test('what is found superseded when it would begin is published as dropped, once', async () => {
  const world = createWorld()
  await world.command(freeze(), 1)
  await world.command(drain(server), 2)
  const { store } = world.memory
  const { dropWaiting } = store
  store.dropWaiting = async (...given) => {
    store.dropWaiting = dropWaiting
    await world.command(unfreeze, 4)
    return dropWaiting(...given)
  }
  await world.command(activate(server), 3)
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ by: 'a later request' }])
})

test('a drain whose hold is placed counts for the limit before it has begun', async () => {
  const world = worldWith({ atOnce: 1 })
  await world.settledAll()
  world.memory.store.failNext('beginDrain', new Error('killed'))
  await expect(world.command(drain(server))).rejects.toThrow('killed')
  expect(await world.command(drain(neighbour))).toMatchObject({ result: 'waiting' })
})

test('one that fails to begin keeps no other one back, and begins later', async () => {
  const world = createWorld()
  await world.command(freeze())
  for (const each of [server, neighbour]) await world.command(drain(each))
  world.memory.store.failNext('placeWaiting', new Error('ThrottlingException'))
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual([neighboursHold])
  await world.sweep()
  expect(await world.heldBy()).toEqual([serversHold, neighboursHold])
})

test('a row that waits and can not be read keeps no other one back, and fails the sweep', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(drain(server))
  const { waiting } = world.memory.store
  world.memory.store.waiting = async () => ({
    ...(await waiting()),
    unread: ['WAITING/x: hold: Invalid input'],
  })
  world.memory.store.failNext('placeWaiting', new Error('ThrottlingException'))
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual([])
  await expect(world.sweep()).rejects.toThrow('WAITING/x: hold: Invalid input')
  expect(await world.heldBy()).toEqual([serversHold])
  expect(world.memory.metrics.total('WaitingDrains')).toBe(1)
})

test('an ALARM that means another server than before takes that from the floor', async () => {
  const world = worldWith({ floors: [{ set: 1, count: 1 }] })
  const alarm = JSON.parse(message('alarm-metric-alarm'))
  await world.alarm(JSON.stringify(alarm))
  alarm.detail.alarmTags = { 'dispatcher-control:target': neighbour }
  alarm.detail.state.timestamp = '2026-11-22T23:00:00.000+0000'
  await world.alarm(JSON.stringify(alarm))
  expect(publishedIn(world, 'Drain Waiting')).toMatchObject([{ drainId: 'alarm/media-server-cpu' }])
  expect(await world.hold()).toMatchObject({ uris: [server] })
})

test('64 alarms at once take what the floor leaves; their OKs leave nothing', async () => {
  const uriOf = (n: number) => `sip:10.0.2.${n}:5060`
  const all = Array.from({ length: 64 }, (_, n) => n)
  const world = createWorld({
    edges: [{ id: 'edge-a', file: all.map((n) => ({ set: 1, uri: uriOf(n), flags: 'AP' as const })) }],
    config: {
      ...config,
      alarms: all.map((n) => ({ name: `cpu-${n}`, target: uriOf(n) })),
      clearance: { floors: [{ set: 1, percent: 75 }] },
    },
  })
  const storm = async (sample: 'alarm-metric-alarm' | 'alarm-metric-ok') => {
    const { detail, ...rest } = JSON.parse(message(sample))
    const { configuration: _, ...more } = detail
    await Promise.all(
      all.map((n) => world.alarm(JSON.stringify({ ...rest, detail: { ...more, alarmName: `cpu-${n}` } }))),
    )
  }
  await storm('alarm-metric-alarm')
  expect(await world.heldBy()).toHaveLength(16)
  expect(await waitingIn(world)).toHaveLength(48)
  await storm('alarm-metric-ok')
  expect(await world.heldBy()).toEqual([])
  expect(await waitingIn(world)).toEqual([])
  expect(publishedIn(world, 'Drain Superseded')).toHaveLength(48)
})

test('a server that a scale-in takes is taken before settle has found what its hold covers', async () => {
  for (const floor of [{ set: 1 }, { group: 'media-servers' }]) {
    const world = worldWith({ floors: [{ ...floor, count: 1 }] })
    await world.settledAll()
    world.ports.settles.ask = async () => undefined
    world.memory.instances.put(facts({ instanceId: 'i-00000000000000001', addresses: ['10.0.1.21'] }))
    await world.scaleIn()
    await world.pass(10 * seconds)
    expect(await world.command(drain(neighbour))).toMatchObject({ result: 'waiting' })
  }
})
