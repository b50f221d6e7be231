import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommandRefused } from '../../functions/control/errors.ts'
import { message } from '../contracts/event-files.ts'
import { present } from '../present.ts'
import {
  command,
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

const operatorDrain = 'operator/10.0.1.20:5060;udp/alice'

const tokens = ['11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222'] as const

const messages: Record<string, (world: World) => Promise<unknown>> = {
  'first action': (world) =>
    world.lifecycle(message('lifecycle-terminate-scale-in', { LifecycleActionToken: tokens[0] })),
  'second action': (world) =>
    world.lifecycle(
      message('lifecycle-terminate-scale-in', {
        LifecycleActionToken: tokens[1],
        time: '2026-11-22T20:00:01Z',
      }),
    ),
  alarm: (world) => world.alarm(message('alarm-metric-alarm')),
  ok: (world) => world.alarm(message('alarm-metric-ok')),
  'drain 1': (world) => world.command(command('command-drain-destination', { id: 'c-1' }), 1),
  'activate 2': (world) => world.command(command('command-activate', { id: 'c-2' }), 2),
  'drain 3': (world) => world.command(command('command-drain-destination', { id: 'c-3' }), 3),
  'drain of the instance 4': (world) => world.command(command('command-drain-instance', { id: 'c-4' }), 4),
  'activate of the instance 5': (world) =>
    world.command(
      {
        version: 1,
        id: 'c-5',
        command: 'activate',
        instance: instanceId,
        holdId: `${instanceId}/alice`,
        requestedBy: 'alice',
      },
      5,
    ),
}
const all = Object.keys(messages)
const send = (name: string, world: World) => present(messages[name], `message ${name}`)(world)
/** An activate that finds nothing but the scale-in's hold is refused, and changes nothing. */
const refusedBesideTheAction = (error: unknown) => {
  if (!(error instanceof CommandRefused)) throw error
}

test('messages about one instance, twice and in any order, end in the same holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }),
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 2 * all.length, maxLength: 2 * all.length }),
      async (order, gaps) => {
        const untilTold = gaps.slice(0, order.indexOf('second action')).reduce((sum, gap) => sum + gap, 0)
        // Nobody keeps an action alive that nobody has heard of: after 300 s it is over.
        fc.pre(untilTold < 290)
        const world = createWorld()
        world.edge('edge-a').callTo(server)
        for (const token of tokens) world.beginAction({ token })
        for (const [index, name] of order.entries()) {
          const isActivate = name.startsWith('activate')
          const sent = world.deliver(async () => send(name, world))
          await (isActivate ? sent.catch(refusedBesideTheAction) : sent)
          await world.pass((gaps[index] ?? 0) * seconds)
        }
        await world.pass(3 * minutes)
        world.stop()
        expect(await world.heldBy()).toEqual([drainId, 'operator/10.0.1.20:5060;udp/alice'])
        expect(world.flags()).toEqual(everywhere('DX'))
        expect(await world.formerFlags()).toEqual(everywhere('AP', 'IP'))
        expect(await world.record()).toMatchObject({ lifecycle: { token: tokens[1] } })
        expect(world.ended().filter(({ by }) => by === 'completion')).toEqual([])
      },
    ),
    { numRuns: 40 },
  )
})

test('a lifecycle event that comes again after the drain has ended starts nothing', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  world.memory.instances.setState(instanceId, 'terminated')
  await world.until((record) => record?.state === 'ended')
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  await world.pass(1 * minutes)
  expect(world.executions).toHaveLength(1)
  expect(world.ended()).toHaveLength(1)
})

test('a second token is a new attempt: the first one ends, and only the second is completed', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  for (const token of tokens) world.beginAction({ token })
  await send('first action', world)
  await world.pass(1 * minutes)
  await send('second action', world)
  await world.pass(2 * minutes)
  expect(world.executions.map(({ input }) => input.attempt)).toEqual([1, 2])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(await world.execution().done).toMatchObject({ status: 'SUCCEEDED' })
  expect(world.memory.lifecycleActions.ended()).toMatchObject([{ token: tokens[1], result: 'CONTINUE' }])
})

test('an event that comes while its execution has failed starts a new attempt', async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(1 * minutes)
  world.memory.workflows.fail(drainId, 1)
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  await world.pass(2 * minutes)
  expect(world.executions.map(({ input }) => input)).toMatchObject([
    { attempt: 1, next: 'observe' },
    { attempt: 2, next: 'observe' },
  ])
  expect(world.memory.lifecycleActions.active()).toHaveLength(1)
})

test('an instance that is terminated before its event comes is completed at once', async () => {
  const world = createWorld()
  world.memory.instances.setState(instanceId, 'terminated')
  await world.lifecycle(message('terminate-successful'))
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
  expect(world.age()).toBeLessThan(1 * minutes)
})

test('a completion that was decided before any hold was placed is taken up by a new attempt', async () => {
  let refused = true
  const world = createWorld({
    watch: {
      before(method) {
        if (refused && method === 'lifecycleActions.complete') throw new Error('throttled')
      },
    },
  })
  world.memory.instances.setState(instanceId, 'terminated')
  await world.scaleIn()
  await world.pass(10 * seconds)
  world.memory.workflows.fail(drainId, 1)
  refused = false
  await world.lifecycle(message('lifecycle-terminate-scale-in'))
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('a drain whose start was refused is started before its hold is lifted, and ends', async () => {
  const world = createWorld()
  world.memory.workflows.failNext('start', new Error('ThrottlingException'))
  await expect(world.command(command('command-drain-destination'))).rejects.toThrow('Throttling')
  expect(await world.record(operatorDrain)).toMatchObject({ state: 'claimed' })
  await world.command(command('command-activate', { id: 'activate-1' }))
  await world.until((record) => record?.state === 'ended', operatorDrain)
  expect(await world.record(operatorDrain)).toMatchObject({ result: 'lifted' })
})

test.each([
  ['an operator', operatorDrain, (world: World) => world.command(command('command-drain-destination'), 1)],
  ['an alarm', 'alarm/media-server-cpu', (world: World) => world.alarm(message('alarm-metric-alarm'))],
] as const)(
  'a drain of %s whose start was refused is started when the message comes again, also where it names nothing any more',
  async (_, id, deliver) => {
    const world = createWorld()
    world.memory.workflows.failNext('start', new Error('ThrottlingException'))
    await expect(deliver(world)).rejects.toThrow('Throttling')
    await world.pass(1 * minutes)
    world.memory.instances.forget(instanceId)
    for (const edge of world.edges) {
      edge.writeFile(file.filter(({ uri }) => uri !== server))
      edge.strangerReloads()
    }
    await world.pass(10 * minutes)
    await world.settle()
    await deliver(world).catch(() => undefined)
    expect(world.executions).toHaveLength(1)
    await world.pass(1 * minutes)
    expect(await world.record(id)).not.toMatchObject({ state: 'claimed' })
  },
)

test('a drain that its activate has overtaken places nothing, also when the machine it named is gone by then', async () => {
  const world = createWorld()
  expect(await world.command(command('command-activate', { id: 'activate-1' }), 2)).toMatchObject({
    result: 'nothing-to-lift',
  })
  world.memory.instances.put(facts({ state: 'terminated', addresses: [] }))
  await world.pass(1 * minutes)
  expect(await world.command(command('command-drain-destination', { id: 'drain-1' }), 1)).toMatchObject({
    result: 'stale',
  })
  await world.pass(1 * minutes)
  expect(await world.heldBy()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})
