import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { command, createWorld, everywhere, facts, file, minutes, neighbour, server } from '../world/world.ts'

const alarm = message('alarm-metric-alarm')
const ok = message('alarm-metric-ok')
const at = (time: string, name: string) => {
  const event = JSON.parse(message(name))
  event.detail.state.timestamp = `2026-11-22T${time}.000+0000`
  return JSON.stringify(event)
}

test('ALARM drains its instance on every edge, OK gives it back', async () => {
  const world = createWorld()
  await world.alarm(alarm)
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
  await world.alarm(ok)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  await world.until((record) => record?.state === 'ended', 'alarm/media-server-cpu')
  expect(await world.heldBy()).toEqual([])
})

test.each(['alarm-metric-ok', 'alarm-muted-ok'])('%s lifts', async (name) => {
  const world = createWorld()
  await world.alarm(alarm)
  await world.alarm(message(name))
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('an ALARM that is older than the OK already seen is dropped', async () => {
  const world = createWorld()
  await world.alarm(ok)
  await world.alarm(alarm)
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(await world.heldBy()).toEqual([])
  expect(world.memory.metrics.total('Skipped')).toBe(1)
})

test('an OK that is older than the ALARM already seen is dropped', async () => {
  const world = createWorld()
  await world.alarm(at('18:00:00', 'alarm-metric-alarm'))
  await world.alarm(ok)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('ALARM again after OK drains again, and the former flags are still the true ones', async () => {
  const world = createWorld()
  for (const [time, name] of [
    ['18:00:00', 'alarm-metric-alarm'],
    ['18:01:00', 'alarm-metric-ok'],
    ['18:02:00', 'alarm-metric-alarm'],
  ] as const)
    await world.alarm(at(time, name))
  await world.pass(5 * minutes)
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.alarm(at('18:03:00', 'alarm-metric-ok'))
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test.each(['alarm-muted', 'alarm-suppressed', 'alarm-insufficient-data', 'alarm-contributor-summary'])(
  '%s places nothing and makes no call',
  async (name) => {
    const calls: string[] = []
    const world = createWorld({
      config: { alarms: [{ name: JSON.parse(message(name)).detail.alarmName }] },
      watch: { before: (method) => calls.push(method) },
    })
    await world.alarm(message(name))
    expect(calls).toEqual([])
    expect(world.memory.metrics.total('Skipped')).toBe(1)
  },
)

test("an alarm that we were not configured with is somebody else's: no call is made", async () => {
  const calls: string[] = []
  const world = createWorld({ config: { alarms: [] }, watch: { before: (method) => calls.push(method) } })
  await world.alarm(alarm)
  expect(calls).toEqual([])
})

test('a tag names the destination of an alarm that has no instance', async () => {
  const world = createWorld()
  await world.alarm(message('alarm-tag-target'))
  expect(await world.hold()).toMatchObject({
    ...{ source: 'alarm', id: 'media-server-disk' },
    uris: [server],
    wholeInstance: false,
  })
})

test('an ALARM that means another server than before holds that one, lifts the former, and calls neither drained for the other', async () => {
  const at = (time: string, target: string) => {
    const event = JSON.parse(message('alarm-tag-target'))
    event.detail.state.timestamp = `2026-11-22T${time}.000+0000`
    event.detail.alarmTags = { 'dispatcher-control:target': target }
    return JSON.stringify(event)
  }
  const other = facts({ instanceId: 'i-0fedcba9876543210', addresses: ['10.0.1.21'] })
  const world = createWorld({ instances: [facts(), other] })
  for (const edge of world.edges) edge.callTo(server)
  await world.alarm(at('18:00:00', server))
  await world.pass(1 * minutes)
  await world.alarm(at('18:05:00', neighbour))
  await world.pass(20 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(world.flags(neighbour)).toEqual(everywhere('DX'))
  expect(world.memory.events.of('Hold Lifted')).toMatchObject([{ uris: [server] }])
  expect(world.memory.events.of('Drain Drained')).toMatchObject([{ uris: [neighbour] }])
})

test("an alarm's OK does not lift what an operator holds", async () => {
  const world = createWorld()
  await world.alarm(alarm)
  await world.command(command('command-drain-destination'))
  await world.alarm(ok)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('an OK whose run was killed while it lifted is finished when it comes again', async () => {
  const world = createWorld()
  await world.alarm(alarm)
  await world.pass(1 * minutes)
  world.stop()
  world.memory.store.failNext('putHold', new Error('killed'), 'after')
  await expect(world.alarm(ok)).rejects.toThrow('killed')
  await world.alarm(ok)
  await world.settledAll()
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(await world.formerFlags()).toEqual({})
})

test('a hold that an operator lifted is placed again only by a later ALARM', async () => {
  const world = createWorld()
  await world.alarm(alarm)
  await world.command(command('command-activate-alarm'))
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  await world.alarm(alarm)
  await world.pass(1 * minutes)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test.each([
  ['ALARM', () => alarm],
  ['OK', () => ok],
])('a drain that could not be started ends after the OK, when %s comes again', async (_, again) => {
  const world = createWorld()
  world.memory.workflows.failNext('start', new Error('ThrottlingException'))
  world.memory.workflows.failNext('start', new Error('ThrottlingException'))
  await expect(world.alarm(alarm)).rejects.toThrow('Throttling')
  await expect(world.alarm(ok)).rejects.toThrow('Throttling')
  expect(await world.record('alarm/media-server-cpu')).toMatchObject({ state: 'claimed' })
  await world.alarm(again())
  await world.until((record) => record?.state === 'ended', 'alarm/media-server-cpu')
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('an OK that finds no hold outlasts the hold of its ALARM whose write was not answered and arrives later', async () => {
  const world = createWorld()
  const { store } = world.memory
  const { placeWaiting } = store
  let arrive = async (): Promise<unknown> => undefined
  store.placeWaiting = async (...given) => {
    store.placeWaiting = placeWaiting
    arrive = () => placeWaiting(...given)
    throw new Error('not answered')
  }
  await expect(world.alarm(at('18:00:00', 'alarm-metric-alarm'))).rejects.toThrow('not answered')
  await world.alarm(at('18:00:01', 'alarm-metric-ok'))
  await arrive()
  await world.pass(2 * minutes)
  expect(await store.holds()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('an alarm on a server that one edge lists twice without duids holds it on the others, and guards it there', async () => {
  const twice = [...file, { set: 1, uri: server, flags: 'AP' as const }]
  const world = createWorld({ edges: [{ id: 'edge-a', file: twice }, { id: 'edge-b' }] })
  await world.alarm(alarm)
  await world.pass(1 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  expect(world.edge('edge-a').truth().held).toContain(server)
})

test('an ALARM that comes again while a newer ALARM could not be done yet opens nothing', async () => {
  const world = createWorld()
  await world.alarm(at('18:00:00', 'alarm-metric-alarm'))
  await world.pass(10 * minutes)
  world.memory.store.failNext('placeWaiting', new Error('ThrottlingException'))
  await expect(world.alarm(at('18:10:00', 'alarm-metric-alarm'))).rejects.toThrow('ThrottlingException')
  await world.alarm(at('18:00:00', 'alarm-metric-alarm'))
  expect(world.flags()).toEqual(everywhere('DX'))
})
