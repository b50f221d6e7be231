import { expect } from 'vitest'
import type { ChangesOf, FiledChange } from '../../functions/control/filed-change.ts'
import { hours, minutes, server, type World } from './world.ts'

/** Minutes in which edges are read and changes filed; the first may be too early for the last changes. */
export async function minutesGoBy(world: World, most = 3): Promise<void> {
  for (let n = 0; n < most; n++) {
    await world.pass(1 * minutes)
    await world.reconcile()
  }
}

export async function foundBy(world: World, of: ChangesOf): Promise<readonly FiledChange[]> {
  return (await world.memory.store.changes(of, { most: 100 })).changes
}

/** Samples of AWS are some days older than the world. The oldest first. */
export async function onFile(world: World): Promise<readonly FiledChange[]> {
  const days = Array.from({ length: 20 }, (_, n) => new Date(world.clock.now() - n * 24 * hours))
  const found: FiledChange[] = []
  for (const day of days) found.unshift(...(await foundBy(world, { day: day.toISOString().slice(0, 10) })))
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Of both edges, which show the same of it. */
export const shown = (before: string, after: string) => [
  expect.objectContaining({
    edges: ['edge-a', 'edge-b'],
    outcome: before === after ? 'already' : 'applied',
    entries: expect.arrayContaining([{ set: 1, uri: server, before, after }]),
  }),
]
