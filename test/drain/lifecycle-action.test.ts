import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import {
  createWorld,
  drainId,
  everywhere,
  gapsOf,
  hours,
  instanceId,
  minutes,
  seconds,
  server,
} from '../world/world.ts'

const retired = [`retired/${instanceId}/drain-calls`]

test('a heartbeat that fails is published and does not stop the look', async () => {
  let deaf = true
  const world = createWorld({
    watch: {
      before(method) {
        if (deaf && method === 'lifecycleActions.heartbeat') throw new Error('throttled')
      },
    },
  })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(2 * minutes)
  expect(world.memory.events.of('Heartbeat Failed')[0]).toMatchObject({ instanceId, error: 'throttled' })
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(world.looks()).toBeGreaterThan(1)
  deaf = false
  await world.pass(20 * minutes)
  expect(world.ended()).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('a heartbeat that is refused is tried again within a third of the interval, whether its step goes on or fails', async () => {
  const triedAt: number[] = []
  const world = createWorld({
    watch: {
      before(method) {
        if (!method.startsWith('lifecycleActions.')) return
        triedAt.push(world.clock.now())
        throw new Error('throttled')
      },
    },
  })
  const gaps = () => gapsOf(triedAt)
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(4 * minutes)
  const whileCalls = gaps()
  expect(whileCalls.length).toBeGreaterThan(4)
  world.edge('edge-a').hangUp(call)
  await world.pass(4 * minutes)
  expect(gaps().length).toBeGreaterThan(whileCalls.length + 4)
  // A third of 100 s, and what a look takes that waits for a reading.
  expect(Math.max(...gaps())).toBeLessThan(45 * seconds)
})

test('heartbeats keep the action alive for as long as a call lasts', async () => {
  const world = createWorld()
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(50 * minutes)
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test.each(['before begin', 'mid-drain'])(
  'an action that is over %s is not completed again; its destinations are retired',
  async (when) => {
    let completions = 0
    const world = createWorld({
      watch: {
        before(method) {
          if (method === 'lifecycleActions.complete') completions += 1
        },
      },
    })
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    if (when === 'mid-drain') await world.pass(5 * minutes)
    await world.memory.lifecycleActions.complete(
      { group: 'media-servers', hook: 'drain-calls', instanceId },
      'CONTINUE',
    )
    await world.until((record) => record?.state === 'ended')
    expect(completions).toBe(0)
    expect(world.flags()).toEqual(everywhere('DX'))
    expect(await world.heldBy()).toEqual(retired)
    expect(world.ended()).toHaveLength(1)
    expect(await world.record()).toMatchObject({ result: 'action-over' })
  },
)

test('one false "no active action" does not complete an action whose calls are up', async () => {
  let lies = 0
  const world = createWorld({
    watch: {
      before(method) {
        if (method === 'lifecycleActions.heartbeat') lies += 1
      },
    },
  })
  const { heartbeat } = world.memory.lifecycleActions
  Object.assign(world.memory.lifecycleActions, {
    heartbeat: (target: Parameters<typeof heartbeat>[0]) => (lies === 3 ? 'over' : heartbeat(target)),
  })
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(30 * minutes)
  expect(lies).toBeGreaterThanOrEqual(3)
  expect(world.ended().filter(({ by }) => by === 'completion')).toEqual([])
})

test('a refusal for a moment is tried again until it is completed', async () => {
  const world = createWorld()
  const contention = Object.assign(new Error('pending update'), { name: 'ResourceContentionFault' })
  for (let i = 0; i < 5; i++) world.memory.lifecycleActions.failNext('complete', contention)
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.memory.events.of('Lifecycle Action Completion Failed')).toEqual([])
})

test('an answer that was lost after the completion is a completion, once', async () => {
  const world = createWorld()
  world.memory.lifecycleActions.failNext('complete', new Error('answer lost'), 'after')
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toHaveLength(1)
  expect(world.memory.events.of('Lifecycle Action Completed')).toMatchObject([{ outcome: 'over' }])
})

test('completing that is never allowed is tried, kept alive and published until Auto Scaling ends the action itself', async () => {
  const world = createWorld({
    watch: {
      before(method) {
        if (method === 'lifecycleActions.complete') throw new Error('AccessDenied')
      },
    },
  })
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  const failures = world.memory.events.of('Lifecycle Action Completion Failed')
  expect(failures[0]).toMatchObject({ completion: 'CONTINUE', error: 'AccessDenied', tries: 10 })
  expect(failures[1]).toMatchObject({ tries: 20 })
  expect(world.memory.metrics.total('CompletionsFailed')).toBe(failures.length)
  expect(world.age()).toBeGreaterThan(8 * hours)
  const beats = world.memory.lifecycleActions.heartbeats.length
  await world.pass(1 * hours)
  expect(world.memory.lifecycleActions.heartbeats).toHaveLength(beats)
  expect(world.ended()).toMatchObject([{ by: 'expiry' }])
  expect(await world.heldBy()).toEqual(retired)
  expect(world.memory.events.of('Lifecycle Action Completion Failed')).toHaveLength(failures.length)
})

test('a retired destination is disabled again when a stranger activates it, until it is terminated', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  await world.pass(5 * minutes)
  world.edge('edge-a').strangerSets('a', 1, server)
  await world.pass(1 * minutes)
  await world.reconcile()
  expect(world.flags()).toEqual(everywhere('DX'))
  world.memory.instances.setState(instanceId, 'terminated')
  await world.until((record) => record?.state === 'ended')
  await world.pass(10 * seconds)
  expect(world.flags()).toEqual(everywhere('DX'))
})

test('a complete step that comes again does not bring back a retired mark that was lifted since', async () => {
  const world = createWorld()
  await world.scaleIn()
  await world.until((record) => record?.state === 'ended')
  world.stop()
  await world.command({
    version: 1,
    id: 'c-1',
    command: 'activate',
    destination: server,
    source: 'retired',
    requestedBy: 'alice',
  })
  const payload = { drainId, attempt: 1, next: 'complete', waitSeconds: 5, retrySeconds: 100 } as const
  await look(world.ports, payload)
  expect(await world.heldBy()).toEqual([])
  expect(world.flags()).toEqual(everywhere('AP', 'IP'))
})
