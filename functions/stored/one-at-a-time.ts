import type { Ports } from '../ports/ports.ts'

/**
 * Does something that one run at a time does, under a lease of that name in the table. A run that was killed
 * keeps it until `leaseMs` are over; then another one does it beside what may be left of that.
 * @param name with a slash in front, which no edge's has
 * @returns what the work does; undefined: another run is at it
 */
export async function oneAtATime<T>(
  { store, clock, ids }: Pick<Ports, 'store' | 'clock' | 'ids'>,
  name: `/${string}`,
  leaseMs: number,
  work: (generation: number) => Promise<T>,
): Promise<T | undefined> {
  const now = clock.now()
  const generation = await store.takeEdge(name, ids.next(), now, now + leaseMs)
  if (generation === undefined) return undefined
  try {
    return await work(generation)
  } finally {
    await store.giveUpEdge(name, generation, 0)
  }
}
