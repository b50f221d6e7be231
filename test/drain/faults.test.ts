import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { createWorld, everywhere, gapsOf, minutes, seconds, server, type World } from '../world/world.ts'

const deadline = 60 * minutes

/** A drain of a server with one call; `fails` says which calls of ports are refused. */
function failing(fails: (method: string, age: number) => boolean): { world: World; called: Set<string> } {
  const called = new Set<string>()
  const world: World = createWorld({
    watch: {
      before(method) {
        called.add(method)
        if (!fails(method, world.age())) return
        throw method.startsWith('edge.')
          ? new EdgeError('edge', 'unreachable', 'no answer')
          : new Error('refused')
      },
    },
  })
  return { world, called }
}

async function drainedAfterCall(world: World, hangUpAt: number) {
  const call = world.edge('edge-a').callTo(server)
  await world.scaleIn()
  await world.pass(hangUpAt - world.age())
  const before = world.ended()
  world.edge('edge-a').hangUp(call)
  await world.until((record) => record?.state === 'ended')
  return { before, ended: world.ended(), flags: world.flags(), held: (await world.heldBy()).length }
}

const whole = failing(() => false)
await drainedAfterCall(whole.world, 5 * minutes)
whole.world.stop()
const methods = [...whole.called].sort()

test('the story touches every port that a drain needs', () => {
  for (const port of [
    'store',
    'edge',
    'lifecycleActions',
    'instances',
    'workflows',
    'events',
    'fleet',
    'mediaServers',
  ])
    expect(methods.some((method) => method.startsWith(`${port}.`))).toBe(true)
})

test.each(methods)(
  '%s fails once at the age of one minute: nothing is completed before the call ends, and then it is',
  async (broken) => {
    let failed = false
    const { world } = failing((method, age) => {
      if (failed || method !== broken || age < 1 * minutes) return false
      failed = true
      return true
    })
    expect(await drainedAfterCall(world, 5 * minutes)).toMatchObject({
      before: [],
      ended: [{ result: 'CONTINUE', by: 'completion' }],
      flags: everywhere('DX'),
      held: 1,
    })
  },
)

test.each(methods)(
  '%s fails from the age of one minute for two: nothing is completed before the call ends, and then it is',
  async (broken) => {
    const { world } = failing((method, age) => method === broken && age >= 1 * minutes && age < 3 * minutes)
    expect(await drainedAfterCall(world, 12 * minutes)).toMatchObject({
      before: [],
      ended: [{ result: 'CONTINUE', by: 'completion' }],
      flags: everywhere('DX'),
      held: 1,
    })
  },
)

test.each(methods)(
  '%s fails from the age of one minute on: nothing is completed by us before the deadline',
  async (broken) => {
    const { world } = failing((method, age) => method === broken && age >= 1 * minutes)
    world.edge('edge-a').callTo(server)
    await world.scaleIn()
    await world.pass(deadline - 1 * seconds)
    expect(world.ended().filter(({ by }) => by === 'completion')).toEqual([])
  },
)

// A drain does without reading the guard back: it was written before the state, and the state is read. When
// it booted comes with the counts.
const needless = ['edge.readGuards', 'edge.boot']
test.each(methods.filter((method) => method.startsWith('edge.') && !needless.includes(method)))(
  'heartbeats go on while %s fails on every edge',
  async (broken) => {
    const { world } = failing((method) => method === broken)
    await world.scaleIn()
    await world.pass(50 * minutes)
    const beats = world.memory.lifecycleActions.heartbeats.map(({ at }) => at)
    expect(beats.length).toBeGreaterThan(15)
    expect(Math.max(...gapsOf(beats))).toBeLessThanOrEqual(200 * seconds)
  },
)
