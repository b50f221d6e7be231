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

/** One edge, which answers after a second; a write to the neighbour does what is told. */
function slowWorld(neighbourWrites: () => EdgeError) {
  const world = createWorld({ edges: [{ id: 'edge-a' }] })
  const [a] = world.edges
  if (!a) throw new Error('no edge')
  const write = a.write
  let underWay = 0
  a.write = async (writes) => {
    underWay += 1
    await world.pass(1 * seconds)
    const others = await write(writes.filter(({ uri }) => uri !== neighbour))
    underWay -= 1
    let other = 0
    return writes.map(({ uri }) => (uri === neighbour ? neighbourWrites() : (others[other++] ?? 'done')))
  }
  return { world, edge: a, underWay: () => underWay }
}

test('one write that is refused is the outcome of its own hold; the others of the batch are disabled and said so', async () => {
  const { world, edge } = slowWorld(() => new EdgeError('edge-a', 'refused', 'planted'))
  const results = await disableTogether(world.ports, edge, scopes)
  expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'refused'])
  expect(world.flags()).toEqual({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})

test('also where something else breaks, no write of the batch is under way after it', async () => {
  const { world, edge, underWay } = slowWorld(() => {
    throw new TypeError('a defect')
  })
  await expect(disableTogether(world.ports, edge, scopes)).rejects.toThrow('a defect')
  expect(underWay()).toBe(0)
})

test('two hundred scopes on one edge are a few requests', async () => {
  const many = Array.from({ length: 200 }, (_, n) => ({ group: 1, uri: `sip:10.0.4.${n}:5060` }))
  const world = createWorld({ edges: [{ id: 'edge-a', file: many }] })
  const [a] = world.edges
  if (!a) throw new Error('no edge')
  const results = await disableTogether(
    world.ports,
    a,
    many.map(({ uri }) => ({ uris: [verbatim(uri)], addresses: [], wholeInstance: false })),
  )
  expect(new Set(results.map(({ outcome, guarded }) => `${outcome} ${guarded}`))).toEqual(
    new Set(['applied true']),
  )
  // Two lists, 400 writes and 200 guards read back.
  expect(a.posts).toBeLessThanOrEqual(2 + 4 + 2)
})
