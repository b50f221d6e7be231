import { expect, test } from 'vitest'
import { createWorld, minutes, server } from './world.ts'

test('the looks of a drain remember how its calls ended, and keep that while an edge is unknown', async () => {
  const world = createWorld()
  const [edge, other] = world.edges
  if (!edge || !other) throw new Error('two edges at least')
  const everyMinute = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      await world.pass(1 * minutes)
      await world.settle()
    }
  }
  const calls = Array.from({ length: 6 }, () => edge.callTo(server))
  await world.scaleIn()
  await world.pass(1 * minutes)
  for (const call of calls.slice(0, 4)) edge.hangUp(call)
  await everyMinute(4)
  expect((await world.record())?.calls).toMatchObject({ count: 2, ended: 4, known: true })
  other.misbehaviour = { unreachable: true }
  await everyMinute(4)
  expect((await world.record())?.calls).toMatchObject({ count: 2, ended: 4, known: false })
})
