import { expect, test } from 'vitest'
import { drainRow } from '../../functions/aws/drain-row.ts'
import type { Drain } from '../../functions/control/drain.ts'
import { look } from '../../functions/drain/look.ts'
import { admit } from '../../functions/intake/admit.ts'
import { inventory } from '../../functions/stored/inventory.ts'
import { message } from '../contracts/event-files.ts'
import { present } from '../present.ts'
import {
  command,
  config,
  createWorld,
  drainId,
  everywhere,
  facts,
  file,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
} from '../world/world.ts'

const newcomer = 'i-0fedcba9876543210'
const token = '87654321-4321-4321-4321-210987654324'

/** A server was drained and terminated; a new machine has its address and comes to its launch hook. */
async function reused(world: World): Promise<void> {
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.setState(instanceId, 'terminated')
  await world.lifecycle(message('terminate-successful'))
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
}

const now = (world: World) => ({ time: new Date(world.clock.now()).toISOString() })
const launch = message('lifecycle-launch-scale-out', { EC2InstanceId: newcomer })
const continued = { result: 'CONTINUE', by: 'completion' }

test('a launch ends the retired mark of its address, reads back, and continues', async () => {
  const world = createWorld()
  await reused(world)
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.lifecycle(launch)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(world.ended()).toMatchObject([continued, continued])
  expect(await world.heldBy()).toEqual([])
  expect(world.memory.events.of('Launch Admitted')).toMatchObject([
    { instanceId: newcomer, ended: [{ source: 'retired' }], still: [] },
  ])
})

test("a launch ends dead machines' holds, and keeps those of the living and of the bare address", async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await reused(world)
  world.memory.instances.put(facts({ instanceId: 'i-00000000000000001', addresses: ['10.0.1.30'] }))
  await world.lifecycle(launch)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(await world.heldBy()).toEqual([])

  const held = createWorld({ instances: [] })
  await held.command(command('command-drain-destination', { id: 'drain-1' }))
  held.memory.instances.put(facts({ instanceId: newcomer }))
  await held.pass(1 * minutes)
  held.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
  await held.lifecycle(launch)
  expect(held.ended()).toMatchObject([continued])
  expect(held.flags()).toEqual(everywhere('DX'))
  expect(held.memory.events.of('Launch Admitted')).toMatchObject([
    { still: [{ source: 'operator', who: 'alice' }] },
  ])
})

test('an action that ended without us leaves no mark on the newcomer that has the address by then', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'draining')
  await world.pass(1 * seconds)
  world.stop()
  world.memory.instances.setState(instanceId, 'terminated')
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
  await world.lifecycle(launch)
  const drain = present(await world.memory.store.drain(drainId), drainId)
  const over = {
    ...(await world.record()),
    state: 'completing',
    result: 'action-over',
    completion: 'CONTINUE',
  }
  await world.memory.store.putDrain({ ...drainRow.parse(over), version: drain.version + 1 })

  const payload = { drainId, attempt: 1, next: 'complete', waitSeconds: 5, retrySeconds: 100 } as const
  expect(await look(world.ports, payload)).toMatchObject({ next: 'ended' })
  expect(await world.heldBy()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test("an operator's hold of the machine itself stays when it comes back into service", async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  await world.pass(1 * minutes)
  world.beginAction({ hook: 'admit-calls', token })
  await world.lifecycle(message('lifecycle-launch-from-warm-pool'))
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await world.heldBy()).toEqual([`operator/${instanceId}/alice`])
})

test('a launch that no edge lists is said and continues, and nothing is activated', async () => {
  const world = createWorld()
  await reused(world)
  world.memory.instances.put(facts({ instanceId: newcomer, addresses: ['10.0.9.9'] }))
  await world.lifecycle(launch)
  expect(world.memory.events.of('Launch Unlisted')).toMatchObject([{ instanceId: newcomer }])
  expect(world.ended()).toMatchObject([continued, continued])
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('a launch is not held up by edges that are away: they are restored by the next minute that finds them', async () => {
  const world = createWorld()
  await reused(world)
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  await world.lifecycle(launch)
  expect(world.ended()).toMatchObject([continued, continued])
  for (const edge of world.edges) edge.misbehaviour = {}
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.pass(10 * seconds)
  await world.reconcile()
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('a launch ends the mark where no edge is read in time to show that it lists the server again', async () => {
  const world = createWorld()
  await reused(world)
  for (const edge of world.edges) {
    edge.writeFile(file.filter(({ uri }) => uri !== server))
    edge.strangerReloads()
  }
  await world.pass(45 * seconds)
  await world.reconcile()
  for (const edge of world.edges) {
    edge.writeFile(file)
    edge.strangerReloads()
  }
  await world.pass(1 * seconds)
  const notInTime = { ...world.ports, settles: { ask: async () => undefined } }
  await admit(notInTime, { instanceId: newcomer, time: world.clock.now() })
  expect(world.memory.events.of('Launch Admitted')).toMatchObject([{ ended: [{ source: 'retired' }] }])
  expect(await world.heldBy()).toEqual([])
})

test('what drifts is disabled again within a minute, also while nothing is drained', async () => {
  const world = createWorld()
  await reused(world)
  for (const edge of world.edges) edge.strangerReloads()
  // Later its mark ends: somebody else has the address.
  await world.pass(45 * seconds)
  await world.reconcile()
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('a launch that was killed while it gave back the flags is finished when it comes again', async () => {
  const world = createWorld()
  await reused(world)
  world.memory.store.failNext('putHold', new Error('killed'), 'after')
  await expect(world.lifecycle(launch)).rejects.toThrow('killed')
  expect(world.flags()).toEqual(everywhere('DX'))
  await world.lifecycle(launch)
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  expect(world.ended()).toMatchObject([continued, continued])
})

test('the same launch twice ends the same, once', async () => {
  const world = createWorld()
  await reused(world)
  await world.lifecycle(launch)
  const writes = world.writes().length
  await world.lifecycle(launch)
  expect(world.writes()).toHaveLength(writes)
  expect(world.ended()).toHaveLength(2)
})

test('EC2 Instance Launch Successful admits where the group has no launch hook, and where the event of its action was lost', async () => {
  const groups = config.groups.map(({ launchHook, ...group }) => group)
  const without = createWorld({ config: { groups } })
  const withHook = createWorld()
  const successful = message('launch-successful', { EC2InstanceId: newcomer })
  await reused(without)
  await without.lifecycle(successful)
  expect(without.flags()).toEqual(everywhere('AP', 'IP'))
  await reused(withHook)
  await withHook.lifecycle(successful)
  expect(withHook.flags()).toEqual(everywhere('AP', 'IP'))
})

test('the news that a launch succeeded, later than the scale-in of its machine, leaves that held and its action alive', async () => {
  const world = createWorld()
  await reused(world)
  const leaving = { EC2InstanceId: newcomer, LifecycleActionToken: '87654321-4321-4321-4321-210987654325' }
  world.beginAction({ instanceId: newcomer, token: leaving.LifecycleActionToken })
  world.edge('edge-a').callTo(server)
  await world.lifecycle(message('lifecycle-terminate-scale-in', { ...leaving, ...now(world) }))
  await world.pass(5 * seconds)
  await world.lifecycle(message('launch-successful', { EC2InstanceId: newcomer, ...now(world) }))
  await world.pass(55 * minutes)
  expect(await world.heldBy()).toContain(`lifecycle/${newcomer}/drain-calls`)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.memory.lifecycleActions.active()).toMatchObject([{ hook: 'drain-calls' }])
})

test('nothing comes back when a drain has ended, its instance is forgotten and time goes by', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.setState(instanceId, 'terminated')
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.forget(instanceId)
  await world.pass(30 * minutes)
  world.edge('edge-a').restart()
  await world.command(
    command('command-drain-destination', { id: 'other', destination: 'sip:10.0.1.21:5060' }),
  )
  await world.pass(30 * seconds)
  expect(world.flags(server)).toEqual(everywhere('DX'))
  expect(
    world.writes().filter((write) => /^dispatcher\.set_state (a|i|t)|^htable\.delete/.test(write)),
  ).toEqual([])
})

test('a launch on the address of a machine that goes this very moment is admitted', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(5 * minutes)
  world.stop()
  await world.settle()
  await world.pass(10 * seconds)
  // The inventory shows it running, a moment ago.
  await inventory(world.ports, world.clock.now())
  world.memory.instances.setState(instanceId, 'terminated')
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
  await world.lifecycle(launch)
  expect(await world.heldBy()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})

test('an action that is completed while its address is launched anew leaves no mark on the newcomer', async () => {
  const world = createWorld()
  await world.scaleIn()
  const { store } = world.memory
  const { putDrain } = store
  Object.assign(store, {
    putDrain: async (drain: Drain) => {
      const written = await putDrain(drain)
      const [hold] = await store.holds()
      if (drain.phase.name === 'completing' && hold?.source === 'lifecycle')
        await store.putHold({ ...hold, lifted: { at: world.clock.now(), by: 'launch' } })
      return written
    },
  })
  await world.until((record) => record?.state === 'ended')
  await world.pass(1 * seconds)
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['its root volume was replaced', 'replace-root-volume', 'terminate-replace-root-volume'],
  ['it was in a warm pool of running machines', 'from-warm-pool', 'terminate-to-warm-pool'],
])(
  'the mark of a server ends with its launch also where its launch time is the former one: %s',
  async (_, launch, drain) => {
    const world = createWorld()
    const token = '87654321-4321-4321-4321-210987654321'
    world.beginAction({ token })
    await world.lifecycle(message(`lifecycle-${drain}`, { ...now(world), LifecycleActionToken: token }))
    await world.until((record) => record?.state === 'ended')
    await world.pass(5 * minutes)
    world.beginAction({ hook: 'admit-calls', token: '87654321-4321-4321-4321-210987654326' })
    await world.lifecycle(
      message(`lifecycle-launch-${launch}`, {
        ...now(world),
        LifecycleActionToken: '87654321-4321-4321-4321-210987654326',
      }),
    )
    await world.pass(2 * minutes)
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
  },
)
