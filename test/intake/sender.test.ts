import { describe, expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import {
  alice,
  command,
  createWorld,
  facts,
  instanceId,
  minutes,
  neighbour,
  seconds,
  server,
} from '../world/world.ts'

const pipeline = 'AROAJQABLZS4A3QDU576Q'
const senders = [
  { id: alice, name: 'Alice Example' },
  { id: pipeline, name: 'deploy pipeline' },
]
const known = { config: { senders } }
const drain = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-drain-destination', { id: 'drain-1', ...changes })
const activate = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-activate', { id: 'activate-1', ...changes })

test('who a command says it is for stands beside its verified sender, in the hold, its events and the answer', async () => {
  const world = createWorld(known)
  const sender = { id: `${pipeline}:deploy-17`, name: 'deploy pipeline' }
  const outcome = await world.command(drain(), undefined, sender.id)
  expect(outcome).toMatchObject({ result: 'started', requestedBy: 'alice', sender })
  expect(await world.hold()).toMatchObject({ who: 'alice', sender })
  await world.pass(1 * minutes)
  expect(world.memory.events.of('Command Answered')).toMatchObject([{ requestedBy: 'alice', sender }])
  for (const type of ['Drain Started', 'Drain Confirmed'] as const)
    expect(world.memory.events.of(type)).toMatchObject([{ who: 'alice', sender }])
})

test('who lifts a hold is published with the verified sender and the reason, and so is who had placed it', async () => {
  const world = createWorld(known)
  const placedBySender = { id: `${pipeline}:deploy-17`, name: 'deploy pipeline' }
  const sender = { id: alice, name: 'Alice Example' }
  await world.command(drain(), undefined, placedBySender.id)
  const { subject, source, id } = await world.hold()
  await world.command({ ...activate(), reason: 'it is mended' })
  expect(world.memory.events.of('Hold Lifted')).toMatchObject([
    { by: 'alice', sender, why: 'it is mended', placedBy: 'alice', placedBySender },
  ])
  expect(await world.memory.store.hold(source, id, subject)).toMatchObject({
    sender: placedBySender,
    lifted: { by: 'alice', sender },
  })
})

test('a launch is published with the verified sender of each hold, of what it ends and of what stays', async () => {
  const world = createWorld()
  await world.command(command('command-drain-instance', { id: 'drain-1' }))
  world.memory.instances.forget(instanceId)
  await world.pass(5 * minutes)
  await world.command(drain({ id: 'drain-2', requestedBy: 'bob' }), undefined, pipeline)
  const newcomer = 'i-0fedcba9876543210'
  world.memory.instances.put(facts({ instanceId: newcomer, launchedAt: world.clock.now() }))
  world.beginAction({
    hook: 'admit-calls',
    instanceId: newcomer,
    token: '87654321-4321-4321-4321-210987654324',
  })
  await world.lifecycle(message('lifecycle-launch-scale-out', { EC2InstanceId: newcomer }))
  expect(world.memory.events.of('Launch Admitted')).toMatchObject([
    {
      ended: [{ who: 'alice', sender: { id: alice } }],
      still: [{ who: 'bob', sender: { id: pipeline } }],
    },
  ])
})

test('without senders in the settings whomever IAM lets send may command, and the bare id is kept', async () => {
  const world = createWorld()
  await world.command(drain(), undefined, `${pipeline}:deploy-17`)
  expect((await world.hold()).sender).toEqual({ id: `${pipeline}:deploy-17` })
})

test.each([drain(), activate(), command('command-reload'), command('command-release-edge')])(
  'a sender that the settings do not name is refused, and told what to add: %o',
  async (body) => {
    const world = createWorld(known)
    await expect(world.command(body, undefined, 'AROASTRANGER:night-shift')).rejects.toMatchObject({
      name: 'CommandRefused',
      permanent: true,
      message: expect.stringMatching(
        /^its SenderId AROASTRANGER:night-shift is not among control\.senders .*\{"id":"AROASTRANGER","name":"…"\}/,
      ),
    })
    expect(await world.heldBy()).toEqual([])
    expect(world.memory.settles.asked.filter(({ kind }) => kind === 'command')).toEqual([])
  },
)

test('a newer drain of the same name makes its own sender the holder', async () => {
  const world = createWorld(known)
  await world.command(drain(), undefined, `${pipeline}:deploy-17`)
  await world.pass(1 * seconds)
  await world.command(drain({ id: 'drain-2' }))
  const sender = { id: alice, name: 'Alice Example' }
  expect((await world.hold()).sender).toEqual(sender)
  await world.command(activate())
  const id = 'operator/10.0.1.20:5060;udp/alice'
  await world.until((record) => record?.state === 'ended', id)
  expect(world.memory.events.of('Drain Ended')).toMatchObject([{ sender }])
})

test('reloads and releases are published and answered with their verified sender', async () => {
  const world = createWorld(known)
  const sender = { id: alice, name: 'Alice Example' }
  expect(await world.command(command('command-reload'))).toMatchObject({ result: 'reloaded', sender })
  expect(world.memory.events.of('Reload Finished')).toMatchObject([{ requestedBy: 'alice', sender }])
  await world.settledAll()
  world.memory.fleet.list.pop()
  const release = command('command-release-edge', { id: 'release-1' })
  expect(await world.command(release)).toMatchObject({ result: 'released', sender })
  expect(world.memory.events.of('Edge Released')).toMatchObject([{ sender }])
  expect(await world.memory.store.releases()).toMatchObject([{ sender }])
})

test("an alarm's hold has the alarm's ARN as its sender, and so has its lifting, whomever the settings let command", async () => {
  const world = createWorld(known)
  const sender = { id: 'arn:aws:cloudwatch:us-west-2:123456789012:alarm:media-server-cpu' }
  await world.alarm(message('alarm-metric-alarm'))
  expect(await world.hold()).toMatchObject({ who: 'alarm media-server-cpu', sender })
  await world.alarm(message('alarm-metric-ok'))
  expect(world.memory.events.of('Hold Lifted')).toMatchObject([{ sender, placedBySender: sender }])
})

test('an Auto Scaling action’s hold has no sender', async () => {
  const world = createWorld()
  await world.scaleIn()
  expect(await world.hold()).not.toHaveProperty('sender')
})

test('a sender has no more holds in force than the settings allow, over all sessions of its role', async () => {
  const world = createWorld({ config: { maxHoldsPerSender: 1 } })
  const first = drain()
  await world.command(first, 1, `${pipeline}:deploy-17`)
  const second = drain({ id: 'drain-2', destination: neighbour })
  for (const body of [second, { ...second, dryRun: true }])
    await expect(world.command(body, 2, `${pipeline}:deploy-18`)).rejects.toMatchObject({
      name: 'CommandRefused',
      message: expect.stringMatching(
        /^the sender AROAJQABLZS4A3QDU576Q is at the limit of 1 holds in force \(control\.maxHoldsPerSender/,
      ),
    })
  expect(await world.heldBy()).toHaveLength(1)
  // Each has its own, what is lifted makes room, and a renewal is no new hold.
  await world.command(drain({ id: 'drain-3', destination: neighbour, requestedBy: 'bob' }), 3)
  expect(await world.command(drain({ id: 'drain-4' }), 4, `${pipeline}:deploy-18`)).toMatchObject({
    hold: 'operator/10.0.1.20:5060;udp/alice',
  })
  await world.command(activate(), 5, `${pipeline}:deploy-18`)
  await world.command(drain({ id: 'drain-5', destination: neighbour }), 6, `${pipeline}:deploy-19`)
  expect(await world.heldBy()).toHaveLength(2)
})

test('a drain whose answer was lost is answered when it comes again, also at the limit', async () => {
  const world = createWorld({ config: { maxHoldsPerSender: 1 } })
  world.memory.store.failNext('putCommandOutcome', new Error('throttled'))
  await expect(world.command(drain(), 1)).rejects.toThrow('throttled')
  expect(await world.command(drain(), 1)).toMatchObject({ destinations: [server] })
})

describe('a drain that comes again after it was lifted is stale, also where its sender is at the limit by then', () => {
  const world = async (body: object) => {
    const world = createWorld({ config: { maxHoldsPerSender: 1 } })
    world.memory.store.failNext('putCommandOutcome', new Error('throttled'))
    await expect(world.command(body, 1)).rejects.toThrow('throttled')
    await world.command(activate(), 2)
    await world.command(drain({ id: 'drain-2', destination: neighbour }), 3)
    return world
  }
  test('of one server', async () => {
    expect(await (await world(drain())).command(drain(), 1)).toMatchObject({ result: 'stale' })
  })
  test('that waited for its window', async () => {
    const window = drain({ from: '2026-11-23T10:00:00Z' })
    expect(await (await world(window)).command(window, 1)).toMatchObject({ result: 'stale' })
  })
})

test("alarms' and Auto Scaling's holds are no command's: the limit leaves them", async () => {
  const world = createWorld({ config: { maxHoldsPerSender: 1 } })
  await world.command(drain({ destination: neighbour }))
  await world.alarm(message('alarm-metric-alarm'))
  await world.scaleIn()
  expect(
    some(await world.memory.store.holds())
      .map(({ source }) => source)
      .sort(),
  ).toEqual(['alarm', 'lifecycle', 'operator'])
  expect(await world.heldBy()).toContain(`lifecycle/${instanceId}/drain-calls`)
})
