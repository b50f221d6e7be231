import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { freeze, unfreeze, waitingIn, worldWith } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  createWorld,
  everywhere,
  facts,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

describe("an alarm's hold", () => {
  const placed = async () => {
    const world = createWorld()
    await world.alarm(message('alarm-metric-alarm'))
    await world.pass(2 * minutes)
    return world
  }
  const since = Date.UTC(2026, 10, 22, 18)

  test.each([
    ['whose OK was lost', { value: 'OK', since: Date.UTC(2026, 10, 22, 18) }],
    ['whose alarm is gone', undefined],
  ] as const)('%s is lifted', async (_what, state) => {
    const world = await placed()
    if (state) world.memory.alarms.show('media-server-cpu', state)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
    expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'alarm', alarm: 'media-server-cpu' }])
  })

  test('stays while its alarm is in ALARM, and without data while its machine lives', async () => {
    const world = await placed()
    for (const value of ['ALARM', 'INSUFFICIENT_DATA'] as const) {
      world.memory.alarms.show('media-server-cpu', { value, since })
      await world.sweep()
    }
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
  })

  test('without data for minutes is lifted once its machine is gone', async () => {
    const world = await placed()
    world.memory.instances.setState(instanceId, 'terminated')
    const now = world.clock.now()
    world.memory.alarms.show('media-server-cpu', { value: 'INSUFFICIENT_DATA', since: now - 4 * minutes })
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    world.memory.alarms.show('media-server-cpu', { value: 'INSUFFICIENT_DATA', since: now - 5 * minutes })
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
  })

  test('that was placed a moment ago is not compared with what CloudWatch may not show yet', async () => {
    const world = createWorld()
    await world.alarm(message('alarm-metric-alarm'))
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    await world.pass(1 * minutes)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
  })

  test('that a later ALARM has placed stays where an older OK is shown', async () => {
    const world = await placed()
    world.memory.alarms.show('media-server-cpu', { value: 'OK', since: Date.UTC(2026, 10, 1) })
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    expect(publishedIn(world, 'Swept')).toEqual([])
  })

  test('whose OK came during a freeze is lifted afterwards, although its alarm has no data any more', async () => {
    const world = await placed()
    await world.command(freeze(), 1)
    await world.alarm(message('alarm-metric-ok'))
    world.memory.alarms.show('media-server-cpu', { value: 'INSUFFICIENT_DATA', since })
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
    await world.command(unfreeze, 2)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
  })

  test('stays where a freeze comes while CloudWatch is asked', async () => {
    const world = await placed()
    world.memory.alarms.show('media-server-cpu', { value: 'OK', since })
    const { states } = world.memory.alarms
    world.memory.alarms.states = async (names) => {
      const found = await states(names)
      await world.command(freeze(), 1)
      return found
    }
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-cpu'])
  })

  test('whose alarm is OK is lifted also while EC2 refuses, and that of one without data stays until it answers', async () => {
    const world = await placed()
    await world.alarm(message('alarm-metric-alarm', { alarmName: 'media-server-disk' }))
    await world.pass(2 * minutes)
    world.memory.alarms.show('media-server-cpu', { value: 'OK', since })
    world.memory.alarms.show('media-server-disk', { value: 'INSUFFICIENT_DATA', since })
    world.memory.instances.setState(instanceId, 'terminated')
    const answers = { ...world.memory.instances }
    const refuse = () => Promise.reject(new Error('RequestLimitExceeded'))
    Object.assign(world.memory.instances, { inGroups: refuse, byIds: refuse, byAddress: refuse })
    await world.pass(10 * seconds)
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-server-disk'])
    Object.assign(world.memory.instances, answers)
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
  })

  test.each([
    ['while a freeze is in force', true],
    ['while a floor keeps it back', false],
  ])('that waits %s is dropped once its alarm is over, although its OK was lost', async (_what, isFrozen) => {
    const world = isFrozen ? createWorld() : worldWith({ floors: [{ set: 1, count: 4 }] })
    if (isFrozen) await world.command(freeze(), 1)
    await world.alarm(message('alarm-metric-alarm'))
    expect(await waitingIn(world)).toEqual(['alarm/media-server-cpu'])
    world.memory.alarms.show('media-server-cpu', { value: 'ALARM', since })
    await world.pass(2 * minutes)
    await world.sweep()
    expect(await waitingIn(world)).toEqual(['alarm/media-server-cpu'])
    world.memory.alarms.show('media-server-cpu', { value: 'OK', since })
    await world.sweep()
    expect(await waitingIn(world)).toEqual([])
    expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ by: 'sweep: the alarm is OK' }])
    expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'alarm', alarm: 'media-server-cpu' }])
  })

  test('of one series is lifted once that is in ALARM no more, and no other', async () => {
    const world = createWorld({
      config: { alarms: [{ name: 'media-servers-cpu' }] },
      instances: [facts(), facts({ instanceId: 'i-0aaaaaaaaaaaaaaaa', addresses: ['10.0.1.21'] })],
    })
    const own = JSON.parse(message('alarm-contributor-alarm'))
    await world.alarm(JSON.stringify(own))
    own.detail.alarmContributor = { id: 'other', attributes: { InstanceId: 'i-0aaaaaaaaaaaaaaaa' } }
    await world.alarm(JSON.stringify(own))
    await world.pass(2 * minutes)
    const contributor = { id: 'other', attributes: { InstanceId: 'i-0aaaaaaaaaaaaaaaa' } }
    world.memory.alarms.show('media-servers-cpu', { value: 'ALARM', since }, [contributor])
    await world.sweep()
    expect(await world.heldBy()).toEqual(['alarm/media-servers-cpu [["InstanceId","i-0aaaaaaaaaaaaaaaa"]]'])
    expect(world.flags(neighbour)).not.toEqual(world.flags(server))
  })
})
