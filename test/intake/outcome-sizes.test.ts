import { expect, test } from 'vitest'
import { some } from '../present.ts'
import { command, createWorld, server, type World } from '../world/world.ts'

/** 50 edges, each with 120 sets that list the server. */
function manySets(): World {
  const file = Array.from({ length: 120 }, (_, n) => ({ set: n + 1, uri: server }))
  return createWorld({ edges: Array.from({ length: 50 }, (_, n) => ({ id: `edge-${n}`, file })) })
}

test('an outcome stays within what an event and a row take, however many sets and edges it speaks of', async () => {
  const world = manySets()
  const outcome = await world.command(command('command-drain-destination'))
  expect(Buffer.byteLength(JSON.stringify(outcome))).toBeLessThan(200_000)
  expect(
    some(world.edges).every((edge) => some(edge.truth().entries).every(({ flags }) => flags === 'DX')),
  ).toBe(true)
  expect(world.memory.events.of('Command Answered').at(-1)).toMatchObject({
    edges: expect.arrayContaining([
      expect.objectContaining({ edge: 'edge-49', outcome: 'applied', more: 100 }),
    ]),
  })
})

test('what is kept of a dry run stays within what a row takes, and names what was left out', async () => {
  const world = manySets()
  const outcome = await world.command(command('command-drain-destination', { id: 'drain-1', dryRun: true }))
  expect(Buffer.byteLength(JSON.stringify(outcome))).toBeLessThan(200_000)
  expect(outcome['edges']).toHaveLength(50)
  expect(outcome['leftOut']).toMatchObject({ 'edges.49.plan.writes': expect.any(Number) })
  expect(await world.memory.store.commandOutcome('drain-1')).toEqual(outcome)
})
