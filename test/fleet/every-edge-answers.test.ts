import { expect, test } from 'vitest'
import { command, createWorld, minutes, seconds, server, type World } from '../world/world.ts'

const drain = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-drain-destination', { id: 'drain-1', ...changes })
const activate = (changes: Readonly<Record<string, unknown>> = {}) =>
  command('command-activate', { id: 'activate-1', ...changes })

/** Its server is held, and edge-b has not heard of it. */
async function heldOnOneEdge(): Promise<World> {
  const world = createWorld()
  await world.settledAll()
  misbehave(world, { unreachable: true })
  await world.command(drain())
  world.stop()
  await world.pass(20 * seconds)
  return world
}

function misbehave(world: World, how: object): void {
  world.edge('edge-b').misbehaviour = how
}

test('an activate names an edge that lists its destination, and never had it disabled, as already', async () => {
  const world = await heldOnOneEdge()
  misbehave(world, {})
  await world.pass(20 * seconds)
  expect(await world.command(activate())).toMatchObject({
    edges: [{ outcome: 'applied' }, { edge: 'edge-b', outcome: 'already', entries: [{ uri: server }, {}] }],
  })
})

test('what is settled of a change that was lifted meanwhile is already so, not unlisted', async () => {
  const world = await heldOnOneEdge()
  await world.command(activate())
  misbehave(world, {})
  await world.pass(10 * seconds)
  await world.reconcile()
  await world.reconcile()
  expect(world.memory.events.of('Command Settled')).toMatchObject([
    { edges: [{ edge: 'edge-b', outcome: 'already' }] },
    { edges: [{ edge: 'edge-b', outcome: 'already' }] },
  ])
})

test('an edge that keeps the guard of a lifted hold has not opened its destination, and says why', async () => {
  const world = createWorld()
  await world.command(drain())
  await world.pass(1 * minutes)
  misbehave(world, { faults: { 'htable.delete': 'refused' } })
  expect(await world.command(activate())).toMatchObject({
    edges: [{ outcome: 'applied' }, { outcome: 'refused', detail: expect.stringContaining('still guarded') }],
  })
})

test('the end on an edge that refused every request until somebody put it right is published', async () => {
  const world = createWorld()
  await world.settledAll()
  misbehave(world, { faults: { 'dispatcher.list': 'unauthorized' } })
  expect(await world.command(drain())).toMatchObject({ edges: [{}, { outcome: 'refused' }] })
  misbehave(world, {})
  await world.pass(1 * minutes)
  await world.reconcile()
  await world.reconcile()
  expect(world.memory.events.of('Command Settled')).toMatchObject([
    { edges: [{ edge: 'edge-b', outcome: 'applied' }] },
  ])
})

test('an activate that finds nothing to lift names every edge', async () => {
  const world = createWorld()
  expect(await world.command(activate())).toMatchObject({
    result: 'nothing-to-lift',
    edges: [
      { edge: 'edge-a', outcome: 'already' },
      { edge: 'edge-b', outcome: 'already' },
    ],
  })
})

test('an activate that lifts several holds names each edge once, and its answer is bounded', async () => {
  const sets = Array.from({ length: 20 }, (_, n) => ({ set: n + 1, uri: server, flags: 'AP' as const }))
  const edges = Array.from({ length: 50 }, (_, n) => ({ id: `edge-${n}`, file: sets }))
  const world = createWorld({ edges })
  for (const requestedBy of ['alice', 'bob', 'carol', 'dave', 'erin'])
    await world.command(drain({ id: `drain-${requestedBy}`, requestedBy }))
  const outcome = await world.command(activate({ source: 'operator' }))
  expect(outcome['lifted']).toHaveLength(5)
  expect(outcome['edges']).toHaveLength(50)
  expect(outcome['edges']).toMatchObject([
    { edge: 'edge-0', outcome: 'applied' },
    ...edges.slice(1).map(() => ({})),
  ])
  expect(JSON.stringify(outcome).length).toBeLessThan(200_000)
})
