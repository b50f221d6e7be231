import type { EdgeDescription } from '../../functions/control/edge-facts.ts'
import type { Reading } from '../../functions/control/reading.ts'

export const description: EdgeDescription = {
  edge: 'a',
  restoresDialogs: false,
  version: 'kamailio 6.1.5',
  bootTime: 'monday',
  uptimeSeconds: 90_000,
  bootId: '1-2',
  batch: true,
  fence: true,
  guard: true,
  profiles: ['dst', 'src'],
  counters: true,
  list: { destinations: 2, opaque: 0, opaqueSamples: [], iuid: true },
  counts: 'counting',
}

/** Of an edge that is up for long and holds nothing. */
export function aReading(edge: string, changes: Partial<Reading> = {}): Reading {
  return {
    edge,
    wanted: 1,
    askedAt: 0,
    answeredAt: 0,
    boot: 'monday',
    entries: [],
    uptimeSeconds: 90_000,
    restoresDialogs: false,
    description: { ...description, edge },
    load: { calls: 0 },
    holds: {},
    ...changes,
  }
}
