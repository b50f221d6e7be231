import { expect, test } from 'vitest'
import { look } from '../../functions/drain/look.ts'
import { settleFleet } from '../../functions/fleet/settle-fleet.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import { headOf, holdOf, readingOf, want } from '../world/settle-world.ts'
import { command, createWorld, everywhere, minutes, seconds, server, type World } from '../world/world.ts'

/** Every edge knows the counter's value 40. Then somebody restores its row as it was at 3. */
async function wentBack(): Promise<World> {
  const world = createWorld()
  await world.settledAll()
  const { store } = world.memory
  while ((await store.raiseWanted()) < 40);
  await world.settle()
  await world.pass(1 * minutes)
  for (const edge of world.edges) edge.forgetRequests()
  let counter = 3
  Object.assign(store, {
    wanted: async () => counter,
    raiseWanted: async () => {
      counter += 1
      return counter
    },
  })
  return world
}

test('a reading that knows more than the counter says knows nothing: its edge is settled', async () => {
  const world = await wentBack()
  const since = await want(world, holdOf(server))
  await settleFleet(world.ports)
  expect(world.flags()).toEqual(everywhere('DX'))
  expect(await headOf(world)).toMatchObject({ wanted: since })
  for (const edge of world.edges) edge.forgetRequests()
  expect(await settleFleet(world.ports)).toEqual([])
})

test('no command is answered by a reading of before the counter went back', async () => {
  const world = await wentBack()
  expect(await world.command(command('command-drain-destination'))).toMatchObject({
    result: 'started',
    edges: [
      { edge: 'edge-a', outcome: 'applied' },
      { edge: 'edge-b', outcome: 'applied' },
    ],
  })
})

test('nor where no settle comes: its edges are pending, and their end is published by a reading that was begun later', async () => {
  const world = await wentBack()
  const { settles, store, events } = world.memory
  const { ask } = settles
  Object.assign(settles, { ask: async () => undefined })
  expect(await world.command(command('command-drain-destination', { id: 'drain-1' }))).toMatchObject({
    edges: [
      { edge: 'edge-a', outcome: 'pending' },
      { edge: 'edge-b', outcome: 'pending' },
    ],
  })
  world.stop()
  await world.pass(5 * seconds)
  Object.assign(settles, { ask })
  await reconcile(world.ports)
  expect(events.of('Command Settled')).toEqual([])
  // It goes back once more: the value that the answer waits for is far away.
  Object.assign(store, { wanted: async () => 1 })
  await world.reconcile()
  expect(events.of('Command Settled')).toMatchObject([
    { id: 'drain-1', edges: [{ outcome: 'applied' }, { outcome: 'applied' }] },
  ])
})

test('no drain is confirmed, or over, by a reading that does not know its hold, whatever value that names', async () => {
  const world = await wentBack()
  Object.assign(world.memory.settles, { ask: async () => undefined })
  await world.scaleIn()
  await world.pass(1 * seconds)
  world.stop()
  await world.pass(1 * minutes)
  const input = world.payload()
  expect((await readingOf(world)).wanted).toBeGreaterThan(await world.memory.store.wanted())
  await look(world.ports, { ...input, next: 'observe' })
  expect(world.memory.events.of('Drain Progress').at(-1)).toMatchObject({
    verdict: 'unknown',
    unknown: [
      expect.stringContaining("it was not read since the server's address was known"),
      expect.stringContaining("it was not read since the server's address was known"),
    ],
  })
  expect(world.memory.events.of('Drain Confirmed')).toEqual([])
  expect(world.ended()).toEqual([])
})
