import { expect, test } from 'vitest'
import { drainRow } from '../../functions/aws/drain-row.ts'
import { lookPayload } from '../../functions/control/look-payload.ts'
import {
  config,
  createWorld,
  hours,
  instanceId,
  minutes,
  seconds,
  server,
  type WorldOptions,
} from '../world/world.ts'

const maxAge = 2 * hours

/** A drain of ten minutes with a call that outlasts it, in a group that retains. */
async function retainedWorld(options: WorldOptions = {}) {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 600,
    retainedMaxAgeSeconds: maxAge / seconds,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }))
  const world = createWorld({ ...options, config: { groups } })
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.until((record) => record?.retainedAt !== undefined)
  const tooLong = () => world.memory.events.of('Retained Too Long')
  return { world, call, tooLong }
}

test('retained past the maximum age: said once, with the calls that are left, and still kept', async () => {
  const { world, call, tooLong } = await retainedWorld()
  await world.pass(maxAge - 1 * minutes)
  expect(tooLong()).toEqual([])
  await world.pass(4 * minutes)
  expect(tooLong()).toMatchObject([{ callsLeft: 1, unknown: [] }])
  await world.pass(maxAge)
  expect(tooLong()).toHaveLength(1)
  expect(world.memory.metrics.total('RetainedTooLong')).toBe(1)
  expect(world.memory.lifecycleActions.terminated).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.lifecycleActions.terminated).toHaveLength(1)
})

test.each([
  ['store.edgeHeads', 'denied'],
  ['store.putReading', 'nobody has read it since'],
  ['fleet.edges', 'nobody has read it since'],
])(
  'retained past the maximum age while nothing can be read (%s fails): published once, with the reason',
  async (broken, why) => {
    let breaks = false
    const { world, call, tooLong } = await retainedWorld({
      watch: {
        before(method) {
          if (breaks && method === broken) throw new Error('denied')
        },
      },
    })
    breaks = true
    await world.pass(maxAge - 1 * minutes)
    expect(tooLong()).toEqual([])
    await world.pass(2 * maxAge)
    expect(tooLong()).toMatchObject([
      { callsLeft: 0, unknown: expect.arrayContaining([expect.stringContaining(why)]) },
    ])
    expect(world.memory.lifecycleActions.terminated).toEqual([])
    breaks = false
    world.edge('edge-a').hangUp(call)
    await world.until((record) => record?.state === 'ended')
    expect(world.memory.lifecycleActions.terminated).toHaveLength(1)
  },
)

test.each([
  ['calls left', { callsLeft: 'terminate', unknown: 'retain' }],
  ['what is unknown', { callsLeft: 'retain', unknown: 'terminate' }],
] as const)(
  'an instance that %s lets go, but whose completion is refused until the hook retained it, is not forgotten',
  async (which, deadlinePolicy) => {
    const groups = config.groups.map((group) => ({ ...group, drainDeadlineSeconds: 600, deadlinePolicy }))
    let denied = true
    const world = createWorld({
      config: { groups },
      watch: {
        before(method) {
          if (denied && method === 'lifecycleActions.complete') throw new Error('AccessDenied')
        },
      },
    })
    const a = world.edge('edge-a')
    const call = which === 'calls left' ? a.callTo(server) : undefined
    if (call === undefined) a.misbehaviour = { unreachable: true }
    await world.scaleIn()
    await world.until((record) => record?.completion === 'CONTINUE')
    // The heartbeats go on; Auto Scaling's own end comes after 100 of them.
    await world.pass(9 * hours)
    expect(world.ended()).toMatchObject([{ result: 'ABANDON', by: 'expiry' }])
    denied = false
    a.misbehaviour = {}
    await world.pass(5 * minutes)
    if (call !== undefined) a.hangUp(call)
    await world.until((record) => record?.state === 'ended')
    expect(world.memory.lifecycleActions.terminated).toHaveLength(1)
  },
)

test('an instance that is retained before its set could be resolved is drained as soon as it can be, and goes then', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 600,
    retainedMaxAgeSeconds: 3600,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }))
  const world = createWorld({ config: { groups } })
  const call = world.edge('edge-a').callTo(server)
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(2 * hours)
  expect(world.ended()).toMatchObject([{ result: 'ABANDON', by: 'completion' }])
  expect(world.memory.events.of('Retained Too Long')).toHaveLength(1)
  for (const edge of world.edges) edge.misbehaviour = {}
  await world.pass(5 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX' })
  expect(world.memory.lifecycleActions.terminated).toEqual([])
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  expect(world.memory.lifecycleActions.terminated).toHaveLength(1)
})

test('an instance that EC2 forgot before its set could be resolved is not taken for one that is kept: its drain ends', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 600,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }))
  const world = createWorld({ config: { groups } })
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.until((record) => record?.retainedAt !== undefined)
  world.memory.instances.forget(instanceId)
  for (const edge of world.edges) edge.misbehaviour = {}
  await world.pass(3 * hours)
  expect(world.memory.events.of('Instance Retained')).toHaveLength(1)
  expect(await world.record()).toMatchObject({ state: 'ended' })
})

test('a drain whose instance is retained has no heartbeat, and waits as one without', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    ...{ heartbeatTimeoutSeconds: 30, drainDeadlineSeconds: 2900 },
  }))
  const world = createWorld({ config: { groups } })
  await world.scaleIn()
  const row = await world.record()
  await world.pass(1 * hours)
  const { timers } = world.ports.config
  const waitsOf = (changes: object) =>
    lookPayload(drainRow.parse({ ...row, ...changes }), 'calls-up', world.clock.now(), timers)
  expect(waitsOf({ state: 'draining' })).toMatchObject({ waitSeconds: 3, retrySeconds: 3 })
  expect(waitsOf({ state: 'draining', retainedAt: 1 })).toMatchObject({ waitSeconds: 120, retrySeconds: 120 })
})
