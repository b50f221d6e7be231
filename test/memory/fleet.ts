import type { Edge } from '../../functions/ports/edge.ts'
import type { Fleet } from '../../functions/ports/fleet.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryFleet extends Fleet {
  /** Edges are added and removed here. */
  readonly list: Edge[]
}

export function createMemoryFleet(edges: readonly Edge[] = []): Faulty<MemoryFleet> {
  const list = [...edges]
  return faulty<MemoryFleet>({
    list,
    edges: async () => [...list],
    reread: async () => undefined,
  })
}
