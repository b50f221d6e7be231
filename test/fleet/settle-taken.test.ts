import { expect, test } from 'vitest'
import { settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { holdOf, want } from '../world/settle-world.ts'
import { createWorld, everywhere, seconds, server } from '../world/world.ts'

test('a settle leaves an edge whose lease is taken without asking for it: hundreds may come at once', async () => {
  const world = createWorld()
  await world.settledAll()
  const { store } = world.memory
  const now = world.clock.now()
  const generation = (await store.takeEdge('edge-a', 'slow', now, now + 10 * seconds)) ?? 0
  const { takeEdge } = store
  const asked: string[] = []
  Object.assign(store, {
    takeEdge: async (...given: Parameters<typeof takeEdge>) => {
      asked.push(given[0])
      return takeEdge(...given)
    },
  })
  await want(world, holdOf(server))
  expect(await settleFleet(world.ports)).toContainEqual({ edge: world.edge('edge-a'), left: true })
  expect(asked).toEqual(['edge-b'])
  await store.giveUpEdge('edge-a', generation, 0)
  await settleFleet(world.ports)
  expect(world.flags()).toEqual(everywhere('DX'))
})
