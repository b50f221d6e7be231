import { expect, test } from 'vitest'
import { EdgeError } from '../../functions/control/errors.ts'
import { disableTogether } from '../../functions/use-cases/edges.ts'
import { createWorld, neighbour, seconds, server, verbatim } from './world.ts'

const scopes = [server, neighbour].map((uri) => ({
  subject: { kind: 'uri', uri: verbatim(uri) } as const,
  uris: [verbatim(uri)],
  addresses: [],
  wholeInstance: false,
}))

/** One edge, which answers after a second; `setState` of the neighbour does what is told. */
function slowWorld(neighbourWrites: () => Promise<never>) {
  const world = createWorld({ edges: [{ id: 'edge-a' }] })
  const [a] = world.edges
  if (!a) throw new Error('no edge')
  const setState = a.setState.bind(a)
  let underWay = 0
  a.setState = async (state, group, uri) => {
    if (uri === neighbour) return neighbourWrites()
    underWay += 1
    await world.pass(1 * seconds)
    await setState(state, group, uri)
    underWay -= 1
  }
  return { world, edge: a, underWay: () => underWay }
}

test('one write that is refused is the outcome of its own hold; the others of the batch are disabled and said so', async () => {
  const { world, edge } = slowWorld(async () => {
    throw new EdgeError('edge-a', 'refused', 'planted')
  })
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
