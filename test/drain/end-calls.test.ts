import { expect, test } from 'vitest'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { some } from '../present.ts'
import {
  config,
  createWorld,
  everywhere,
  gapsOf,
  instanceId,
  minutes,
  seconds,
  server,
  type World,
  type WorldOptions,
} from '../world/world.ts'

const deadline = 10 * minutes
const within = 120 * seconds
/** how old a round may be that a step goes by */
const roundAge = 5 * seconds
type Policy = ControlConfigInput['groups'][number]['deadlinePolicy']

/** A group that ends calls, four in a step; two edges with that many calls each. */
function endingWorld(
  calls: readonly [number, number],
  { unknown = 'terminate', ...options }: WorldOptions & { unknown?: Policy['unknown'] } = {},
) {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: deadline / seconds,
    deadlinePolicy: { callsLeft: 'end-calls', unknown } as const,
    endCalls: { perStep: 4, withinSeconds: within / seconds },
  }))
  const world = createWorld({ ...options, config: { groups } })
  world.edges.forEach((edge, index) => {
    for (let call = 0; call < (calls[index] ?? 0); call++) edge.callTo(server)
  })
  return { world, endings: watchEndings(world) }
}

/** When how many calls were ended with BYEs, on which edge. */
function watchEndings(world: World): { at: number; edge: string; ended: number }[] {
  const endings: { at: number; edge: string; ended: number }[] = []
  for (const edge of world.edges) {
    edge.change(({ endCalls }) => ({
      endCalls: async (of, most) => {
        const ended = await endCalls(of, most)
        endings.push({ at: world.age(), edge: edge.id, ended })
        return ended
      },
    }))
  }
  return endings
}

const callsUp = (world: World) => world.edges.map((edge) => edge.truth().calls)
const overdue = (world: World) => world.memory.events.of('Drain Overdue')
const retired = (world: World) => world.until((record) => record?.state === 'ended')
/** What was ended by all edges in the step that began at each moment. */
function perStep(endings: readonly { at: number; ended: number }[]): [at: number, ended: number][] {
  const steps = new Map<number, number>()
  for (const { at, ended } of endings) steps.set(at, (steps.get(at) ?? 0) + ended)
  return [...steps]
}

test('from the deadline on calls are ended in small steps over all edges, and CONTINUE comes when they are seen to be over', async () => {
  const { world, endings } = endingWorld([7, 3])
  await world.scaleIn()
  await world.pass(deadline - 1 * seconds)
  expect(endings).toEqual([])
  await retired(world)
  const steps = perStep(endings)
  expect(Math.max(...steps.map(([, ended]) => ended))).toBe(4)
  expect(Math.min(...gapsOf(steps.map(([at]) => at)))).toBeGreaterThanOrEqual(5 * seconds)
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
  expect(callsUp(world)).toEqual([0, 0])
  expect(await world.record()).toMatchObject({ result: 'drained', callsEnded: 10 })
})

test('it is said which policy ends them and why, how many each step ended and where, and they are counted', async () => {
  const { world } = endingWorld([10, 0])
  await world.scaleIn()
  await retired(world)
  expect(overdue(world)).toMatchObject([
    { policy: 'end-calls', because: '10 calls are left (callsLeft: end-calls)', callsLeft: 10 },
  ])
  const events = world.memory.events.of('Calls Ended')
  expect(events).toMatchObject([
    { policy: 'end-calls', instanceId, ended: 4, callsEnded: 4 },
    { ended: 4, callsEnded: 8 },
    { ended: 2, callsEnded: 10, edges: [{ edge: 'edge-a', ended: 2 }] },
  ])
  expect(world.memory.metrics.total('CallsEnded')).toBe(10)
  expect(world.memory.events.of('Lifecycle Action Completed')).toMatchObject([{ callsEnded: 10 }])
})

test('an edge that refuses to end calls is said, takes no part from the others, and its calls go when the time is over', async () => {
  const { world, endings } = endingWorld([6, 6], {
    edges: [{ id: 'edge-a', endsCalls: false }, { id: 'edge-b' }],
  })
  await world.scaleIn()
  await retired(world)
  expect(endings.reduce((sum, { ended }) => sum + ended, 0)).toBe(6)
  expect(callsUp(world)).toEqual([6, 0])
  expect(world.memory.events.of('Calls Ended')[0]).toMatchObject({
    edges: [
      { edge: 'edge-a', ended: 0, failed: expect.stringContaining('policy refuses') },
      { edge: 'edge-b', ended: 2 },
    ],
  })
  const [action] = world.ended()
  expect(action).toMatchObject({ result: 'CONTINUE', by: 'completion' })
  expect(action?.at).toBeGreaterThanOrEqual(deadline + within)
  expect(action?.at).toBeLessThan(deadline + within + 2 * minutes)
  expect(overdue(world)).toMatchObject([
    { policy: 'end-calls' },
    {
      policy: 'terminate',
      because: '6 calls were ended and the time for it is over: 6 calls are left (callsLeft: terminate)',
    },
  ])
  expect(world.memory.metrics.total('DrainsPastDeadline')).toBe(2)
})

test('an edge that does not answer while calls are ended harms neither the others nor the heartbeats', async () => {
  const { world, endings } = endingWorld([6, 6])
  const a = world.edge('edge-a')
  a.misbehaviour = { faults: { 'dlg.profile_list': 'unreachable' } }
  await world.scaleIn()
  await retired(world)
  expect(some(endings).every(({ edge }) => edge === 'edge-b')).toBe(true)
  expect(callsUp(world)).toEqual([6, 0])
  const beats = world.memory.lifecycleActions.heartbeats.map(({ at }) => at - world.startedAt)
  expect(beats.filter((at) => at > deadline).length).toBeGreaterThan(0)
  expect(world.ended()).toMatchObject([{ by: 'completion' }])
})

test('what is unknown is waited for while calls are ended, and decided by its own rule when the time is over', async () => {
  const { world, endings } = endingWorld([6, 6], { unknown: 'terminate' })
  const b = world.edge('edge-b')
  await world.scaleIn()
  await world.pass(deadline - 30 * seconds)
  b.misbehaviour = { unreachable: true }
  await retired(world)
  expect(endings.reduce((sum, { ended }) => sum + ended, 0)).toBe(6)
  expect(world.ended()[0]?.at).toBeGreaterThanOrEqual(deadline + within)
  expect(overdue(world)).toMatchObject([{ policy: 'end-calls' }, { policy: 'terminate' }])
})

test.each([
  ['from the deadline on', deadline - 30 * seconds],
  ['from the first step on', deadline + 35 * seconds],
])(
  'no call is ended in vain: with unknown edges %s whose rule retains, the others stay up',
  async (_, when) => {
    const { world, endings } = endingWorld([40, 6], { unknown: 'retain' })
    const a = world.edge('edge-a')
    const b = world.edge('edge-b')
    await world.scaleIn()
    await world.pass(when)
    b.misbehaviour = { unreachable: true }
    const at = world.age()
    await world.until((record) => record?.retainedAt !== undefined)
    expect(endings.filter((ending) => ending.at > at + roundAge)).toEqual([])
    expect(world.ended()).toMatchObject([{ result: 'ABANDON' }])
    expect(a.truth().calls).toBeGreaterThan(0)
  },
)

test('a drain that can no longer look while it ends calls ends none, and goes by its rule for unknown when the time is over', async () => {
  let breaks = false
  const { world, endings } = endingWorld([40, 0], {
    watch: {
      before(method) {
        if (breaks && method === 'store.edgeHeads') throw new Error('denied')
      },
    },
  })
  await world.scaleIn()
  await world.until((record) => (record?.callsEnded ?? 0) > 0)
  breaks = true
  const at = world.age()
  await retired(world)
  expect(endings.filter((ending) => ending.at > at + roundAge)).toEqual([])
  expect(world.ended()[0]?.at).toBeGreaterThanOrEqual(deadline + within)
  expect(overdue(world).at(-1)).toMatchObject({ policy: 'terminate', unknown: ['denied'] })
})

test.each(['before', 'after'] as const)(
  'a step that is killed %s an edge ends calls, or any write around it, ends no more than its share and forgets none',
  async (when) => {
    for (let killAt = 1; killAt <= 12; killAt++) {
      let writes = 0
      let killedAt: number | undefined
      const dead = () => {
        if (killedAt !== undefined && killedAt === world.clock.now()) throw new Error('killed')
      }
      const die = (method: string) => {
        dead()
        if (world.age() < deadline || !/^(edge\.endCalls|store\.putDrain|events)/.test(method)) return
        writes += 1
        if (writes !== killAt) return
        killedAt = world.clock.now()
        throw new Error(`killed ${when} ${method}`)
      }
      const watch = when === 'before' ? { before: die } : { before: dead, after: die }
      const { world, endings } = endingWorld([7, 3], { watch })
      await world.scaleIn()
      await retired(world)
      world.stop()
      expect(killedAt).toBeDefined()
      for (const [at] of some(perStep(endings))) {
        const burst = endings.filter((ending) => ending.at >= at && ending.at < at + 5 * seconds)
        expect(burst.reduce((sum, { ended }) => sum + ended, 0)).toBeLessThanOrEqual(4)
      }
      expect(callsUp(world)).toEqual([0, 0])
      expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
      expect(world.flags()).toEqual(everywhere('DX'))
    }
  },
)

test('an old drain whose calls were all ended is seen to be over in time', async () => {
  const groups = config.groups.map((group) => ({
    ...group,
    drainDeadlineSeconds: 3600,
    deadlinePolicy: { callsLeft: 'end-calls', unknown: 'terminate' } as const,
    endCalls: { perStep: 4, withinSeconds: 40 },
  }))
  const world = createWorld({ config: { groups } })
  for (const edge of world.edges) edge.callTo(server)
  await world.scaleIn()
  await retired(world)
  expect(await world.record()).toMatchObject({ result: 'drained', callsEnded: 2 })
})
