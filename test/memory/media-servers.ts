import type { MediaServers } from '../../functions/ports/media-servers.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryMediaServers extends MediaServers {
  /**
   * What the servers of this group count at these addresses; a group that was never set has no count
   * configured.
   */
  setCalls(group: string, calls: Readonly<Record<string, number>>): void
}

export function createMemoryMediaServers(): Faulty<MemoryMediaServers> {
  const groups = new Map<string, Readonly<Record<string, number>>>()
  return faulty<MemoryMediaServers>({
    setCalls: (group, calls) => {
      groups.set(group, { ...calls })
    },
    async activeCalls({ group, addresses }) {
      const calls = group === undefined ? undefined : groups.get(group)
      if (!calls) return undefined
      const counted = addresses.flatMap((address) => calls[address] ?? [])
      if (counted.length === 0) throw new Error(`no media server answers at ${addresses.join(', ')}`)
      return counted.reduce((sum, count) => sum + count, 0)
    },
  })
}
