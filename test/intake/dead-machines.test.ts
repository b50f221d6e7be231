import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { drain, freeze, unfreeze, waitingIn } from '../world/clearance-world.ts'
import { publishedIn } from '../world/published.ts'
import { command, createWorld, everywhere, facts, minutes, server } from '../world/world.ts'

test('what waits for a dead machine is dropped by the launch of the one that has its address', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  world.memory.instances.setState('i-1234567890abcdef0', 'terminated')
  await world.pass(2 * minutes)
  const newcomer = 'i-0fedcba9876543210'
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  const token = '87654321-4321-4321-4321-210987654324'
  world.beginAction({ hook: 'admit-calls', instanceId: newcomer, token })
  await world.lifecycle(message('lifecycle-launch-scale-out', { EC2InstanceId: newcomer }))
  expect(await waitingIn(world)).toEqual([])
  expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ by: `launch of ${newcomer}` }])
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual([])
})

test.each([
  ['instance', command('command-drain-instance', { id: 'drain-1' })],
  ['destination', drain(server)],
])(
  'what waits for the %s of a dead machine is dropped, and its heir gets calls, launched without a hook',
  async (_what, body) => {
    const world = createWorld()
    await world.command(freeze())
    await world.command(body)
    world.memory.instances.setState('i-1234567890abcdef0', 'terminated')
    await world.pass(2 * minutes)
    const heir = 'i-0fedcba9876543210'
    world.memory.instances.put(facts({ instanceId: heir, launchedAt: world.clock.now() }))
    await world.command(unfreeze)
    expect([await world.heldBy(), await waitingIn(world)]).toEqual([[], []])
    expect(world.flags()).toEqual(everywhere('AP', 'IP'))
    const by = `i-1234567890abcdef0 is gone, and ${heir} has its address`
    expect(publishedIn(world, 'Drain Superseded')).toMatchObject([{ by }])
  },
)

test('what waits for a dead machine whose address nobody has begins: its entry is listed', async () => {
  const world = createWorld()
  await world.command(freeze())
  await world.command(drain(server))
  world.memory.instances.setState('i-1234567890abcdef0', 'terminated')
  await world.pass(2 * minutes)
  await world.command(unfreeze)
  expect(await world.heldBy()).toEqual(['operator/10.0.1.20:5060;udp/alice'])
})
