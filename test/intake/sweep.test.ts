import { describe, expect, test } from 'vitest'
import { holdKey } from '../../functions/control/hold.ts'
import { look } from '../../functions/drain/look.ts'
import type { WaitingMember } from '../../functions/ports/group-members.ts'
import { message } from '../contracts/event-files.ts'
import { minutesGoBy } from '../world/changes-on-file.ts'
import { publishedIn } from '../world/published.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  everywhere,
  facts,
  instanceId,
  minutes,
  seconds,
  server,
} from '../world/world.ts'

const member = (state: WaitingMember['state']): WaitingMember => ({
  group: 'media-servers',
  instanceId,
  state,
})
describe('an instance that waits at our terminate hook', () => {
  test('and whose event was lost is drained, and goes when its calls are over', async () => {
    const world = createWorld()
    const call = world.edge('edge-a').callTo(server)
    world.beginAction()
    world.memory.groupMembers.show(member('terminating-wait'))
    await world.sweep()
    await world.pass(20 * minutes)
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(world.ended()).toEqual([])
    world.edge('edge-a').hangUp(call)
    await world.until((record) => record?.state === 'ended')
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
    expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'instance', instanceId, hook: 'drain-calls' }])
    expect(world.memory.metrics.total('Swept')).toBe(1)
  })

  test('is kept alive from the sweep on, before anything is drained', async () => {
    const world = createWorld()
    world.beginAction()
    await world.pass(299 * seconds)
    world.memory.groupMembers.show(member('terminating-wait'))
    await world.sweep()
    await world.pass(10 * seconds)
    expect(world.ended()).toEqual([])
  })

  test('and is drained already is left to its drain', async () => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    world.memory.groupMembers.show(member('terminating-wait'))
    for (let minute = 0; minute < 5; minute += 1) {
      await world.pass(1 * minutes)
      await world.sweep()
    }
    expect(world.executions).toHaveLength(1)
    expect(publishedIn(world, 'Swept')).toEqual([])
  })

  test('whose event comes after the sweep keeps its drain', async () => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    world.beginAction()
    world.memory.groupMembers.show(member('terminating-wait'))
    await world.pass(10 * minutes)
    world.beginAction({ token: '87654321-4321-4321-4321-210987654321' })
    await world.sweep()
    await world.lifecycle(message('lifecycle-terminate-scale-in'))
    await world.pass(1 * minutes)
    expect(world.executions).toHaveLength(1)
  })

  test("at somebody else's hook is left alone, whether it was drained before or never", async () => {
    const world = createWorld()
    world.memory.groupMembers.show(member('terminating-wait'))
    await world.sweep()
    expect(await world.heldBy()).toEqual([])
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    await world.pass(5 * minutes)
    await world.sweep()
    expect(world.executions).toHaveLength(1)
    expect(publishedIn(world, 'Swept')).toEqual([])
  })

  test('again, after an earlier life was drained, is drained again', async () => {
    const world = createWorld()
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    await world.pass(1 * minutes)
    world.beginAction({ token: '87654321-4321-4321-4321-210987654321' })
    world.memory.groupMembers.show(member('terminating-wait'))
    await world.sweep()
    await world.pass(5 * seconds)
    expect(world.payload(-1)).toMatchObject({ drainId, attempt: 2 })
    await world.until((record) => record?.state === 'ended' && record.attempt === 2)
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }, { result: 'CONTINUE' }])
  })
})

describe('an instance that Auto Scaling retains', () => {
  test('without a drain is drained, and terminated when its calls are over, whatever the policy', async () => {
    const world = createWorld()
    const call = world.edge('edge-a').callTo(server)
    world.memory.groupMembers.show(member('retained'))
    await world.sweep()
    await world.pass(20 * minutes)
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(await world.record()).toMatchObject({ state: 'draining', retainedAt: expect.any(Number) })
    world.edge('edge-a').hangUp(call)
    await world.until((record) => record?.state === 'ended')
    expect(world.memory.lifecycleActions.terminated).toMatchObject([{ instanceId }])
  })

  test('and that is on its way out is left alone', async () => {
    const world = createWorld()
    world.memory.instances.setState(instanceId, 'shutting-down')
    world.memory.groupMembers.show(member('retained'))
    await world.sweep()
    expect(world.executions).toEqual([])
  })
})

describe('an instance that waits at our launch hook', () => {
  test('and whose event was lost is let in: the mark of its address ends, and the launch goes on', async () => {
    const world = createWorld()
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    const newcomer = 'i-0bbbbbbbbbbbbbbbb'
    world.memory.instances.setState(instanceId, 'terminated')
    world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
    world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token: 'x' })
    world.memory.groupMembers.show({ ...member('pending-wait'), instanceId: newcomer })
    await world.sweep()
    expect(publishedIn(world, 'Swept')).toEqual([])
    await world.pass(1 * minutes)
    await world.sweep()
    expect(publishedIn(world, 'Swept')).toMatchObject([
      { what: 'launch', instanceId: newcomer, hook: 'admit-calls' },
    ])
    expect(world.ended().map(({ result }) => result)).toEqual(['CONTINUE', 'CONTINUE'])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  })

  test("is left alone at somebody else's", async () => {
    const world = createWorld()
    world.memory.groupMembers.show(member('pending-wait'))
    await world.sweep()
    expect(publishedIn(world, 'Swept')).toEqual([])
    expect(world.ended()).toEqual([])
  })
})

describe('a drain', () => {
  test('whose execution was stopped is looked at by its next attempt', async () => {
    const world = createWorld()
    const call = world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(1 * minutes)
    world.memory.workflows.fail(drainId, 1)
    await world.sweep()
    await world.pass(1 * minutes)
    expect(world.payload(-1)).toMatchObject({ drainId, attempt: 2 })
    world.edge('edge-a').hangUp(call)
    await world.until((record) => record?.state === 'ended')
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
    expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'drain', drainId }])
  })

  test('whose execution succeeded although it has not ended is looked at by its next attempt', async () => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    world.memory.workflows.succeed(drainId, 1)
    await world.sweep()
    await world.pass(1 * seconds)
    expect(world.payload(-1)).toMatchObject({ drainId, attempt: 2 })
  })

  test('whose execution hangs is looked at by its next attempt, once', async () => {
    const world = createWorld({
      config: { groups: config.groups.map((group) => ({ ...group, heartbeatTimeoutSeconds: 600 })) },
    })
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(1 * minutes)
    world.stop()
    for (let minute = 0; minute < 5; minute += 1) {
      await world.pass(1 * minutes)
      await world.sweep()
    }
    expect(world.executions.map(({ input }) => input.attempt)).toEqual([1, 2])
  })

  test('whose execution was stopped ends also where its hold was lifted since: its lift is not filed before', async () => {
    const world = createWorld()
    world.edge('edge-a').callTo(server)
    await world.command(command('command-drain-destination'))
    const id = holdKey(await world.hold())
    await world.pass(1 * minutes)
    world.stop()
    world.memory.workflows.fail(id, 1)
    await world.command(command('command-activate', { id: 'activate-1' }))
    await minutesGoBy(world, 5)
    const lifts = async () =>
      (await world.memory.store.openChanges()).changes.filter(({ kind }) => kind === 'lifted')
    expect(await lifts()).toHaveLength(1)
    await world.sweep()
    expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'drain', drainId: id }])
    await look(world.ports, world.payload(-1))
    expect(await world.record(id)).toMatchObject({ state: 'ended', attempt: 2 })
    await minutesGoBy(world, 1)
    expect(await lifts()).toEqual([])
  })

  test('that others write meanwhile, or that has just ended, is left to them', async () => {
    const world = createWorld()
    await world.scaleIn()
    world.memory.workflows.fail(drainId, 1)
    const { putDrain } = world.memory.store
    Object.assign(world.memory.store, { putDrain: async () => 'conflict' })
    await world.sweep()
    Object.assign(world.memory.store, { putDrain })
    expect(publishedIn(world, 'Swept')).toEqual([])
  })
})

test.each([
  ['groupMembers', 'waiting'],
  ['workflows', 'idle'],
  ['alarms', 'states'],
] as const)(
  'where %s can not be asked the others are swept all the same, and the sweep fails',
  async (port, method) => {
    const world = createWorld()
    await world.alarm(message('alarm-metric-alarm'))
    await world.scaleIn()
    await world.pass(2 * minutes)
    const asked: string[] = []
    for (const [name, of] of [
      ['groupMembers', 'waiting'],
      ['workflows', 'idle'],
      ['alarms', 'states'],
    ] as const) {
      const ask = Reflect.get(world.memory[name], of)
      Object.assign(world.memory[name], {
        [of]: async (...args: unknown[]) => {
          asked.push(name)
          if (name === port && of === method) throw new Error('planted')
          return ask(...args)
        },
      })
    }
    await expect(world.sweep()).rejects.toThrow('planted')
    expect(new Set(asked)).toEqual(new Set(['groupMembers', 'workflows', 'alarms']))
  },
)
