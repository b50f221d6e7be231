import { type DrainingLoad, drainingLoads } from '../control/draining-load.ts'
import type { Hold } from '../control/hold.ts'
import { activeHosts, type LoadInService, loadInService } from '../control/load-in-service.ts'
import type { EdgeReading } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from './on-each.ts'
import { storedReadings } from './read-back.ts'

/** What the edges carried when they were read last. */
export interface StoredLoad {
  readonly edges: readonly EdgeReading[]
  readonly draining: readonly DrainingLoad[]
  readonly inService: LoadInService
}

export async function storedLoad(
  { store, config, clock }: Pick<Ports, 'store' | 'config' | 'clock'>,
  holds: readonly Hold[],
): Promise<StoredLoad> {
  const { edges } = await storedReadings({ store, config }, clock.now())
  const draining = drainingLoads(edges, holds)
  const loads = await onEach(edges, async (edge) => {
    if (!edge.readable) return undefined
    const listing = await store.listing(edge.edge)
    if (listing && 'unread' in listing) return undefined
    return { ...edge.load, active: activeHosts(listing?.listed ?? []) }
  })
  return { edges, draining, inService: loadInService(loads, draining) }
}
