import type { Edge, Fleet } from '../../functions/use-cases/ports.ts'
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
