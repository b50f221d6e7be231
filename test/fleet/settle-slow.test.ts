import { expect, test } from 'vitest'
import { settleEdge } from '../../functions/fleet/settle-fleet.ts'
import { found, holdOf, oneEdge, want } from '../world/settle-world.ts'
import { isWrite, seconds } from '../world/world.ts'

/** An edge without our files takes no batches, and has no fence. */
async function slowEdge(servers: number, { latencyMs, guard }: { latencyMs: number; guard: boolean }) {
  const uris = Array.from({ length: servers }, (_, n) => `sip:10.0.${n >> 8}.${n & 255}:5060`)
  const file = uris.map((uri) => ({ set: 1, uri }))
  const { world, edge } = await oneEdge({ rpcFile: 'none', guard, file })
  edge.misbehaviour = { latencyMs }
  await want(world, ...uris.map((uri) => holdOf(uri)))
  const held = () => edge.truth().entries.filter(({ flags }) => flags.startsWith('D')).length
  return { world, edge, held }
}

test('a large plan is written under a lease that is extended: nobody takes a slow edge while a write is under way', async () => {
  const { world, edge, held } = await slowEdge(120, { latencyMs: 2900, guard: false })
  const free: number[] = []
  edge.change((each) => ({
    write: async (writes) => {
      const answers = await each.write(writes)
      const isFree = await world.memory.store.takeEdge('edge-a', 'other', world.clock.now(), 0)
      if (isFree !== undefined) free.push(world.age())
      return answers
    },
  }))
  await settleEdge(world.ports, edge)
  expect(free).toEqual([])
  expect(held()).toBeGreaterThan(0)
})

test.each([[false], [true]])(
  'what the lease leaves no time for is written by the next settles, and the reading says so (guard: %s)',
  async (guard) => {
    const { world, edge, held } = await slowEdge(300, { latencyMs: 2900, guard })
    const before = held()
    const { problem } = found(await settleEdge(world.ports, edge))
    expect(problem).toContain('are left to the next settle')
    let last = before
    for (let settles = 0; settles < 20 && last < 300; settles += 1) {
      await world.pass(60 * seconds)
      found(await settleEdge(world.ports, edge, { atOnce: true }))
      expect(held()).toBeGreaterThan(last)
      last = held()
    }
    expect(last).toBe(300)
  },
)

test('a large plan is written in its order: every guard, and then the states', async () => {
  const { world, edge, held } = await slowEdge(120, { latencyMs: 10, guard: true })
  edge.forgetRequests()
  await settleEdge(world.ports, edge)
  const methods = edge.requests.filter(isWrite).map((request) => request.split(' ')[0])
  expect(methods).toEqual([...Array(120).fill('htable.seti'), ...Array(120).fill('dispatcher.set_state')])
  expect(held()).toBe(120)
})

test('once the way to an edge fails, no later part of a plan is sent', async () => {
  const { world, edge } = await slowEdge(120, { latencyMs: 10, guard: false })
  const sizes: number[] = []
  edge.change((each) => ({
    write: async (writes) => {
      sizes.push(writes.length)
      edge.misbehaviour = { unreachable: true }
      return each.write(writes)
    },
  }))
  expect(await settleEdge(world.ports, edge)).toMatchObject({ error: { fault: 'unreachable' } })
  expect(sizes).toEqual([48])
})
