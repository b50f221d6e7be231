import { expect, test } from 'vitest'
import { settleEdge } from '../../functions/fleet/settle-fleet.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { holdOf, lifted, oneEdge, want } from '../world/settle-world.ts'
import { file, minutes, seconds, server, type World } from '../world/world.ts'

const closedInFile = file.map((entry) => ({ ...entry, flags: entry.uri === server ? 'DX' : entry.flags }))

/** A hold that never came about: the edge answered every write with an error. */
async function refusing(): Promise<{ world: World; edge: MemoryEdge }> {
  const { world, edge } = await oneEdge()
  edge.misbehaviour = { faults: { 'dispatcher.set_state': 'refused' } }
  await want(world, holdOf(server))
  await settled(world, edge)
  edge.misbehaviour = {}
  return { world, edge }
}

async function settled(world: World, edge: MemoryEdge): Promise<void> {
  const running = settleEdge(world.ports, edge)
  await world.pass(30 * seconds)
  await running
}

test.each([
  [
    'its list, which was reloaded',
    (edge: MemoryEdge) => {
      edge.writeFile(closedInFile)
      edge.strangerReloads()
    },
  ],
  [
    'its list, with a restart',
    (edge: MemoryEdge) => {
      edge.writeFile(closedInFile)
      edge.restart()
    },
  ],
  [
    'an operator at its console',
    (edge: MemoryEdge) => {
      edge.strangerSets('d', 1, server)
      edge.strangerSets('d', 2, server)
    },
  ],
])('nothing is opened that we did not close: our writes were refused, and %s closed it', async (_, close) => {
  const { world, edge } = await refusing()
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'AP', 'edge-a/2': 'IP' })
  close(edge)
  await settled(world, edge)
  await want(world, lifted(server))
  await settled(world, edge)
  await world.pass(2 * minutes)
  expect(world.flags()).toMatchObject({ 'edge-a/1': 'DX', 'edge-a/2': 'DX' })
})
