import { expect, test } from 'vitest'
import type { Hold } from '../../functions/control/hold.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import { holdOf, want } from '../world/settle-world.ts'
import { createWorld, facts, instanceId, neighbour, seconds, server, type World } from '../world/world.ts'

const subjectOf = (id: string) => ({ kind: 'instance', instanceId: id, launchedAt: 0 }) as const
const unresolved = (id = instanceId): Hold =>
  holdOf(server, {
    ...{ source: 'lifecycle', id: `${id}/drain-calls`, subject: subjectOf(id) },
    ...{ wholeInstance: true, uris: [] },
  })
const young = 'i-0000000000000aaaa'

interface Answer {
  readonly takesMs: number
  readonly shown: readonly InstanceFacts[] | Error
}

/**
 * A world that was read while nothing was held, and what EC2 answers there from now on; the last answer,
 * again and again.
 */
async function worldWhere(
  instances: readonly InstanceFacts[],
  ...answers: readonly Answer[]
): Promise<World> {
  const world = createWorld({ instances })
  await world.settledAll()
  world.stop()
  await world.pass(6 * seconds)
  let asked = 0
  Object.assign(world.memory.instances, {
    inGroups: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)]
      asked += 1
      await world.clock.sleep(answer?.takesMs ?? 0)
      if (answer?.shown instanceof Error) throw answer.shown
      return answer?.shown ?? []
    },
  })
  return world
}
const addressesOf = async ({ memory: { store } }: World) =>
  (await store.hold('lifecycle', unresolved().id, subjectOf(instanceId)))?.addresses

test('what a run fills in stays filled in when a slower one ends after it', async () => {
  const launchedAt = Date.UTC(2026, 10, 22, 20)
  const both = facts({ launchedAt, addresses: ['10.0.1.20', '10.0.1.21'] })
  const world = await worldWhere(
    [],
    { takesMs: 25 * seconds, shown: [facts({ launchedAt })] },
    { takesMs: 0, shown: [both] },
  )
  await want(world, unresolved())
  const slow = world.settle({ kind: 'settle' })
  await world.pass(21 * seconds)
  await world.settle({ kind: 'settle' })
  expect(await addressesOf(world)).toEqual(both.addresses)
  await slow
  expect(await addressesOf(world)).toEqual(both.addresses)
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/2': 'DX' })
})

test.each([
  ['answers', [facts()]],
  ['refuses', new Error('RequestLimitExceeded')],
])(
  'a hold that is left to a run which asks EC2 is filled in by it, however late EC2 %s',
  async (_, shown) => {
    const world = await worldWhere([facts()], { takesMs: 6 * seconds, shown })
    await want(world, unresolved(young))
    const asks = world.settle({ kind: 'settle' }).catch(() => undefined)
    await world.pass(3 * seconds)
    await want(world, unresolved())
    await Promise.all([asks, world.settle({ kind: 'settle' })])
    expect(await addressesOf(world)).toEqual(['10.0.1.20'])
    expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  },
)

test('an EC2 that is slow keeps nothing else from being disabled', async () => {
  const world = await worldWhere([facts()], { takesMs: 11 * seconds, shown: [facts()] })
  await want(world, unresolved(young), holdOf(neighbour))
  const asks = world.settle({ kind: 'settle' })
  await world.pass(2 * seconds)
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
  await asks
})

test('what a slow EC2 shows is disabled by the run that has asked it', async () => {
  const world = await worldWhere([], { takesMs: 11 * seconds, shown: [facts()] })
  await want(world, unresolved())
  await world.settle({ kind: 'settle' })
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/1': 'DX', 'edge-b/2': 'DX' })
})

test('what a slow EC2 is refused with is thrown once the edges are settled, and nothing is at work then', async () => {
  const world = await worldWhere([], { takesMs: 11 * seconds, shown: new Error('RequestLimitExceeded') })
  await want(world, unresolved(), holdOf(neighbour))
  await expect(world.settle({ kind: 'settle' })).rejects.toThrow('RequestLimitExceeded')
  expect(world.flags(neighbour)).toMatchObject({ 'edge-a/1': 'DX', 'edge-b/2': 'DX' })
  const { store } = world.memory
  expect(await store.takeEdge('/holds', 'next', world.clock.now(), 0)).toBeGreaterThan(0)
})
