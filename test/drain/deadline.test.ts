import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import { config, createWorld, gapsOf, minutes, seconds, server, type WorldOptions } from '../world/world.ts'

const deadline = 60 * minutes

type Group = (typeof config.groups)[number]

function withPolicy(
  deadlinePolicy: Group['deadlinePolicy'],
  more: WorldOptions & { readonly group?: Partial<Group> } = {},
) {
  const groups = config.groups.map((group) => ({ ...group, ...more.group, deadlinePolicy }))
  return createWorld({ ...more, config: { groups } })
}
const always = (choice: 'terminate' | 'retain') => ({ callsLeft: choice, unknown: choice })

test.each([
  ['terminate', 'CONTINUE', 'terminated-at-deadline'],
  ['retain', 'ABANDON', 'retained'],
] as const)(
  'calls that are left at the deadline: the policy %s completes with %s, and it is said',
  async (policy, completion, result) => {
    const world = withPolicy(always(policy))
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(deadline - 1 * seconds)
    expect(world.ended()).toEqual([])
    await world.pass(3 * minutes)
    expect(world.ended()).toMatchObject([{ result: completion, by: 'completion' }])
    expect(world.memory.events.of('Drain Overdue')).toMatchObject([
      { policy, because: `1 calls are left (callsLeft: ${policy})`, callsLeft: 1 },
    ])
    expect(world.memory.metrics.total('DrainsPastDeadline')).toBe(1)
    expect(world.memory.metrics.counted).toContainEqual({
      name: 'DeadlineDecisions',
      value: 1,
      dimensions: { policy },
    })
    expect(await world.record()).toMatchObject({ result })
  },
)

test.each(['terminate', 'retain'] as const)(
  'one edge unreachable for the whole drain: nothing before the deadline, then by policy %s, said with the edge',
  async (policy) => {
    const world = withPolicy(always(policy))
    const b = world.edge('edge-b')
    b.misbehaviour = { unreachable: true }
    await world.scaleIn()
    await world.pass(deadline - 1 * seconds)
    expect(world.ended()).toEqual([])
    await world.pass(3 * minutes)
    expect(world.ended()).toMatchObject([{ result: policy === 'terminate' ? 'CONTINUE' : 'ABANDON' }])
    expect(world.memory.events.of('Drain Overdue')).toMatchObject([
      { unknown: [expect.stringContaining('edge-b')] },
    ])
  },
)

const apart = { callsLeft: 'terminate', unknown: 'retain' } as const

test('calls left and unknown are decided apart: calls that are known to be left go by their own rule', async () => {
  const world = withPolicy(apart)
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(deadline + 3 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test('calls left and unknown are decided apart: where both apply, the gentler rule holds', async () => {
  const world = withPolicy(apart)
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  a.callTo(server)
  b.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(deadline + 3 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'ABANDON' }])
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([
    { policy: 'retain', because: expect.stringContaining('the gentler one holds') },
  ])
})

test('an edge that shows a zero with the destination open is not known to be empty', async () => {
  const world = withPolicy({ callsLeft: 'retain', unknown: 'terminate' })
  const a = world.edge('edge-a')
  const b = world.edge('edge-b')
  a.misbehaviour = { unreachable: true }
  b.misbehaviour = { claimsFlags: 'AP' }
  await world.scaleIn()
  await world.pass(deadline + 3 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'ABANDON' }])
})

test('every edge unreachable for the whole drain: nothing before the deadline, heartbeats throughout, then by policy', async () => {
  const world = withPolicy(always('terminate'))
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(deadline - 1 * seconds)
  expect(world.ended()).toEqual([])
  await world.pass(5 * minutes)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([
    { unknown: [expect.stringContaining('edge-a'), expect.stringContaining('edge-b')] },
  ])
})

test.each([
  ['store.edgeHeads', 'denied'],
  ['settles.ask', 'denied'],
  ['store.putReading', 'nobody has read it since'],
  ['fleet.edges', 'nobody has read it since'],
])(
  'a drain that can never look (%s fails) is decided by policy at the deadline, not before',
  async (broken, why) => {
    const world = withPolicy(always('terminate'), {
      watch: {
        before(method) {
          if (method === broken) throw new Error('denied')
        },
      },
    })
    // Its message would come again.
    await Promise.allSettled([world.scaleIn()])
    await world.pass(deadline - 1 * seconds)
    expect(world.ended()).toEqual([])
    await world.pass(5 * minutes)
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
    expect(world.memory.events.of('Drain Overdue')).toMatchObject([
      { unknown: expect.arrayContaining([expect.stringContaining(why)]) },
    ])
  },
)

test('heartbeats do not depend on Kamailio answering', async () => {
  const world = createWorld()
  for (const edge of world.edges) edge.misbehaviour = { unreachable: true }
  await world.scaleIn()
  await world.pass(50 * minutes)
  const beats = [
    0,
    ...world.memory.lifecycleActions.heartbeats.map(({ at }) => at - world.startedAt),
    50 * minutes,
  ]
  expect(Math.max(...gapsOf(beats))).toBeLessThanOrEqual(160 * seconds)
  expect(world.ended()).toEqual([])
})

test('an edge that is unreachable at begin is disabled, confirmed and counted once it is back', async () => {
  const world = createWorld()
  const b = world.edge('edge-b')
  b.callTo(server)
  b.misbehaviour = { faults: { 'dispatcher.list': 'unreachable', 'core.uptime': 'unreachable' } }
  await world.scaleIn()
  await world.pass(5 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'AP' })
  expect(world.memory.events.of('Drain Started')).toHaveLength(1)
  b.misbehaviour = {}
  await world.pass(2 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  expect(world.memory.events.of('Drain Confirmed')).toHaveLength(1)
  expect(world.ended()).toEqual([])
  b.hangUp(1)
  await world.until((record) => record?.state === 'ended')
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE' }])
})

test("a drain past an operator's deadline is said once, and the hold stays", async () => {
  const world = createWorld()
  world.edge('edge-a').callTo(server)
  await world.command({
    version: 1,
    id: 'c-1',
    command: 'drain',
    destination: server,
    reason: 'disk',
    requestedBy: 'alice',
    deadlineSeconds: 60,
  })
  await world.pass(30 * minutes)
  expect(world.memory.events.of('Drain Overdue')).toHaveLength(1)
  expect(await world.heldBy()).toEqual(['operator/10.0.1.20:5060;udp/alice'])
})

test('what is left at the deadline is asked of the edges then, however fresh what is stored', async () => {
  const world = withPolicy(always('terminate'))
  world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(deadline - 80 * seconds)
  world.stop()
  await world.pass(60 * seconds)
  await world.settle()
  await world.pass(20 * seconds)
  const input = world.payload(-1)
  const asked = world.memory.settles.asked.length
  await look(world.ports, input)
  expect(world.memory.settles.asked.length).toBeGreaterThan(asked)
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([{ callsLeft: 1 }])
})

test.each(['retain', 'terminate'] as const)(
  'a last call that ends seconds before the deadline is confirmed first: no policy (%s) decides on one zero',
  async (callsLeft) => {
    const groups = config.groups.map((group) => ({
      ...group,
      deadlinePolicy: { callsLeft, unknown: callsLeft },
    }))
    const world = createWorld({ config: { groups } })
    const call = world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(deadline - 5 * seconds)
    world.edge('edge-a').hangUp(call)
    await world.settle()
    await world.pass(3 * minutes)
    expect(world.memory.events.of('Drain Overdue')).toEqual([])
    expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  },
)
