import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { disableTogether } from '../../functions/use-cases/edges.ts'
import type { Edge } from '../../functions/use-cases/ports.ts'
import { createWorld, neighbour, seconds, server, verbatim } from './world.ts'

const scopes = [server, neighbour].map((uri) => ({
  subject: { kind: 'uri', uri: verbatim(uri) } as const,
  uris: [verbatim(uri)],
  addresses: [],
  wholeInstance: false,
}))

/** One edge, which answers after a second; a write to the neighbour does what is told. */
function slowWorld(neighbourWrites: Edge['write']) {
  const world = createWorld({ edges: [{ id: 'edge-a' }] })
  const [a] = world.edges
  if (!a) throw new Error('no edge')
  const write = a.write
  let underWay = 0
  a.write = async (writes) => {
    if (writes.some(({ uri }) => uri === neighbour)) return neighbourWrites(writes)
    underWay += 1
    await world.pass(1 * seconds)
    const outcomes = await write(writes)
    underWay -= 1
    return outcomes
  }
  return { world, edge: a, underWay: () => underWay }
}

test('one write that is refused is the outcome of its own hold; the others of the batch are disabled and said so', async () => {
  const { world, edge } = slowWorld(async (writes) =>
    writes.map(() => new EdgeError('edge-a', 'refused', 'planted')),
  )
  const results = await disableTogether(world.ports, edge, scopes)
  expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'refused'])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('also where something else breaks, no write of the batch is under way after it', async () => {
  const { world, edge, underWay } = slowWorld(async () => {
    throw new TypeError('a defect')
  })
  await expect(disableTogether(world.ports, edge, scopes)).rejects.toThrow('a defect')
  expect(underWay()).toBe(0)
})
