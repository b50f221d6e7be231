import { expect, test } from 'vitest'
import { StaleGeneration } from '../../functions/control/errors.ts'
import { settleEdge } from '../../functions/fleet/settle-fleet.ts'
import { holdOf, oneEdge, want } from '../world/settle-world.ts'
import { server } from '../world/world.ts'

test('a refusal that names a lower generation than ours takes none back', async () => {
  const { world, edge } = await oneEdge()
  const { store } = world.memory
  const first = (await store.takeEdge('edge-a', 'x', world.clock.now(), 0)) ?? 0
  await store.raiseGeneration('edge-a', first, 500)
  await store.giveUpEdge('edge-a', 501, 0)
  let isFirst = true
  edge.change(({ facts }) => ({
    facts: async () => {
      if (!isFirst) return facts()
      isFirst = false
      throw new StaleGeneration('edge-a', 'core.uptime', 3)
    },
  }))
  await want(world, holdOf(server))
  await settleEdge(world.ports, edge)
  expect(await store.takeEdge('edge-a', 'y', world.clock.now(), 0)).toBeGreaterThan(501)
})
