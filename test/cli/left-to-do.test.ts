import { expect, test } from 'vitest'
import type { Ports } from '../../functions/ports/ports.ts'
import { minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

/** The store, whose answers to commands have been changed. */
function answering(store: Ports['store'], changes: (row: object) => object): Ports['store'] {
  const commandOutcome = async (id: string) => {
    const row = await store.commandOutcome(id)
    return row && { ...row, ...changes(row) }
  }
  return Object.assign(Object.create(store), { commandOutcome })
}
const pendingOn = (edges: readonly string[]) => (row: object) => {
  const all: readonly { readonly edge: string }[] =
    'edges' in row && Array.isArray(row.edges) ? row.edges : []
  return { edges: all.map((each) => (edges.includes(each.edge) ? { ...each, outcome: 'pending' } : each)) }
}

test.each([[['edge-a', 'edge-b']], [['edge-b']]])(
  'what %j had not been read back of may still send new calls: 4, and the order stands',
  async (edges) => {
    const { kdc, world } = kdcWorld()
    const deployed = { shelf: answering(world.memory.store, pendingOn(edges)) }
    for (const line of [drain, `activate ${server}`])
      expect(await kdc(line, { deployed })).toMatchObject({
        code: 4,
        err: expect.stringContaining(`${edges.join(', ')} had not been read back yet; what is wanted stands`),
      })
  },
)

test('an edge that is pending ends no wait: the drain that is over ends with 0', async () => {
  const { kdc, world } = kdcWorld()
  const deployed = { shelf: answering(world.memory.store, pendingOn(['edge-b'])) }
  expect(await kdc(`${drain} --wait`, { deployed })).toMatchObject({ code: 0 })
})

test('an edge that refuses ends with 3 and is named: what is wanted stands', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  world.edge('edge-b').misbehaviour = { faults: { 'dispatcher.set_state': 'refused' } }
  expect(await kdc(drain)).toMatchObject({
    code: 3,
    err: expect.stringContaining('edge-b could not be written until somebody puts it right'),
  })
})

test('a drain that an edge refuses is waited for: somebody puts it right, and it ends with 0', async () => {
  const { kdc, world } = kdcWorld()
  await world.settledAll()
  const edge = world.edge('edge-b')
  edge.misbehaviour = { faults: { 'dispatcher.set_state': 'refused' } }
  const start = world.clock.now()
  world.clock.at(start + 5 * minutes, () => {
    edge.misbehaviour = {}
  })
  expect(await kdc(`${drain} --wait`)).toMatchObject({ code: 0 })
  expect(world.clock.now()).toBeGreaterThan(start + 5 * minutes)
})

test('a drain after which something later was requested is refused with 3, and not waited for', async () => {
  const { kdc, world } = kdcWorld()
  const deployed = { shelf: answering(world.memory.store, () => ({ result: 'stale', edges: [] })) }
  const began = world.clock.now()
  expect(await kdc(`${drain} --wait`, { deployed })).toMatchObject({
    code: 3,
    err: expect.stringContaining('something later was requested about it already'),
  })
  expect(world.clock.now()).toBeLessThan(began + 1 * minutes)
})
