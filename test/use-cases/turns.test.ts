import { expect, test } from 'vitest'
import { inTurn } from '../../functions/use-cases/turns.ts'
import { createWorld, drainId, everywhere, hours, minutes, seconds } from './world.ts'

/** Every place is taken by somebody who is done when told. */
async function crowded(world: ReturnType<typeof createWorld>) {
  const gate = Promise.withResolvers<'done'>()
  const others = Array.from({ length: 16 }, () => inTurn(world.ports, () => gate.promise))
  await world.pass(1)
  return async () => {
    gate.resolve('done')
    expect(await Promise.all(others)).toEqual(others.map(() => 'done'))
  }
}

test('sixteen work at once and no more; a place that is given back is the next one’s', async () => {
  const world = createWorld()
  const leave = await crowded(world)
  let worked = 0
  const work = async () => ++worked
  expect(await inTurn(world.ports, work)).toBeUndefined()
  expect(worked).toBe(0)
  await leave()
  expect(await inTurn(world.ports, work)).toBe(1)
})

test('the place of a step that was killed comes free by itself', async () => {
  const world = createWorld()
  await crowded(world)
  await world.pass(1 * minutes)
  expect(await inTurn(world.ports, async () => 'mine')).toBe('mine')
})

/** All places stay taken, as by drains that come again and again. */
async function takeEveryPlace(world: ReturnType<typeof createWorld>) {
  for (let place = 0; place < 16; place++)
    await world.memory.store.takeLease(
      `turn/${place}`,
      'others',
      world.clock.now(),
      world.clock.now() + 5 * hours,
    )
}

test('a drain that waits for its turn past its deadline is decided by the policy for what is unknown, and it is said', async () => {
  const world = createWorld()
  await takeEveryPlace(world)
  await world.scaleIn()
  await world.pass(59 * minutes)
  expect(world.ended()).toEqual([])
  await world.pass(5 * minutes)
  expect(world.memory.events.of('Drain Overdue')).toMatchObject([
    { policy: 'terminate', unknown: [expect.stringContaining('waits for its turn')] },
  ])
  expect(world.ended()).toMatchObject([{ result: 'CONTINUE', by: 'completion' }])
})

test('however long a drain has waited for its turn it asks as soon again as a newcomer, in executions that end in time', async () => {
  const world = createWorld()
  await takeEveryPlace(world)
  await world.scaleIn()
  await world.pass(40 * minutes)
  expect(await world.record()).toMatchObject({ state: 'claimed' })
  expect((await world.record())?.attempt).toBeGreaterThan(1)
  for (let place = 0; place < 16; place++) await world.memory.store.releaseLease(`turn/${place}`, 'others')
  await world.pass(10 * seconds)
  expect(await world.record(drainId)).toMatchObject({ state: 'draining' })
  expect(world.flags()).toEqual(everywhere('DX'))
})
