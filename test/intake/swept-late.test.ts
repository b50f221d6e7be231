import { expect, test } from 'vitest'
import { latestDeadline } from '../../functions/contracts/config.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { look } from '../../functions/drain/look.ts'
import { sweepMembers } from '../../functions/intake/sweep-members.ts'
import { present } from '../present.ts'
import { drain } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import {
  config,
  createWorld,
  drainId,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

test('of an instance whose event was lost the policy decides, and not the clock of Auto Scaling, however late the deadline', async () => {
  const heartbeatTimeoutSeconds = 150
  const deadlinePolicy = { callsLeft: 'terminate', unknown: 'terminate' } as const
  const group = { ...present(config.groups[0], 'a group'), heartbeatTimeoutSeconds, deadlinePolicy }
  const { latest } = latestDeadline({ heartbeatTimeoutSeconds, deadlinePolicy }, { maxWaitSeconds: 120 })
  const groups = [{ ...group, drainDeadlineSeconds: Math.floor(latest) }]
  const world = createWorld({ config: { groups } })
  world.edge('edge-a').callTo(server)
  const action = { group: group.name, hook: group.terminateHook, token: 'token', instanceId }
  world.memory.lifecycleActions.begin({ ...action, heartbeatTimeoutSeconds, defaultResult: 'CONTINUE' })
  const member = { group: group.name, instanceId, state: 'terminating-wait' } as const
  world.memory.groupMembers.show(member)
  await world.pass(75 * seconds)
  await world.sweep()
  await world.pass(100 * heartbeatTimeoutSeconds * seconds)
  expect(publishedIn(world, 'Drain Overdue')).toMatchObject([{ policy: 'terminate' }])
  expect(world.ended()).toMatchObject([{ by: 'completion' }])
})

test('a drain whose run was killed when it had saved the end, and whose execution was stopped, is seen out by the sweep', async () => {
  let isKilled = false
  let isCompleted = false
  const world = createWorld({
    watch: {
      before() {
        if (isKilled) throw new Error('killed')
      },
      after(method) {
        if (method === 'lifecycleActions.complete') isCompleted = true
        if (!isCompleted || method !== 'store.putDrain') return
        isKilled = true
        throw new Error('killed')
      },
    },
  })
  await world.scaleIn()
  await world.pass(3 * seconds)
  world.stop()
  for (let tries = 0; tries < 30 && !isKilled; tries += 1) {
    await world.pass(12 * seconds)
    await world.settle()
    if (!isKilled) await look(world.ports, world.payload(-1)).catch((error: unknown) => error)
  }
  expect(await world.memory.store.drain(drainId)).toMatchObject({ phase: { name: 'ended' } })
  world.memory.workflows.fail(drainId, 1)
  ;[isKilled, isCompleted] = [false, false]
  for (let minute = 0; minute < 7; minute += 1) {
    await world.pass(1 * minutes)
    await world.sweep()
  }
  expect(publishedIn(world, 'Drain Ended')).toHaveLength(1)
  expect(await world.heldBy()).toEqual([`retired/${drainId.replace('lifecycle/', '')}`])
})

test.each([
  ['an hour', 60],
  ['three days', 3 * 24 * 60],
])(
  'an instance that waits at our hook again, %s after its last drain, has its whole deadline',
  async (_, after) => {
    const deadlinePolicy = { callsLeft: 'terminate', unknown: 'terminate' } as const
    const group = { ...present(config.groups[0], 'a group'), heartbeatTimeoutSeconds: 36, deadlinePolicy }
    const world = createWorld({ config: { groups: [{ ...group, drainDeadlineSeconds: 3000 }] } })
    await world.scaleIn()
    await world.until((record) => record?.state === 'ended')
    await world.pass(after * minutes)
    world.beginAction({ token: '87654321-4321-4321-4321-210987654325' })
    world.edge('edge-a').callTo(server)
    world.memory.groupMembers.show({ group: group.name, instanceId, state: 'terminating-wait' })
    const since = world.clock.now()
    await world.sweep()
    const drain = present(await world.memory.store.drain(drainId), 'its drain')
    expect(drain.hold.until - since).toBeGreaterThan(2900 * seconds)
    await world.pass(10 * minutes)
    expect(world.ended().slice(1)).toEqual([])
  },
)

test('a drain of which the record can not be read keeps no other one from being gone on with', async () => {
  const world = createWorld()
  const unread = 'operator/10.0.1.21:5060;udp/alice'
  const other = 'operator/10.0.1.20:5060;udp/alice'
  world.edge('edge-a').callTo(server)
  for (const destination of [neighbour, server]) await world.command(drain(destination))
  world.memory.workflows.fail(other, 1)
  const { drain: drainOf } = world.memory.store
  world.memory.store.drain = async (id) => {
    if (id === unread) throw new UnexpectedAnswer(`DRAIN#${id}: state: Invalid input`)
    return drainOf(id)
  }
  await expect(world.sweep()).rejects.toThrow('state: Invalid input')
  expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'drain', drainId: other }])
})

test('an instance that waits at our hook and fails keeps no other one from being gone on with', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  world.memory.workflows.fail(drainId, 1)
  const unread = 'i-0987654321fedcba0'
  for (const id of [unread, instanceId])
    world.memory.groupMembers.show({ group: 'media-servers', instanceId: id, state: 'terminating-wait' })
  world.memory.lifecycleActions.failNext('heartbeat', new Error('throttled'))
  await expect(sweepMembers(world.ports)).rejects.toThrow('throttled')
  expect(publishedIn(world, 'Swept')).toMatchObject([{ what: 'drain', drainId }])
})
