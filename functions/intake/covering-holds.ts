import type { ListedDestination } from '../control/destination.ts'
import { type Hold, isResolved } from '../control/hold.ts'
import { instanceDestinations } from '../control/resolve.ts'
import { type InventoryNeeds, instancesById, momentMs, unlessRefused } from '../stored/inventory.ts'

/**
 * The hold of a lifecycle action is placed by the instance's id, before anything is asked, and settle fills
 * in what it covers: until then its server would count as one that nobody takes.
 * @returns the holds with what EC2 shows of those, and an instance of which it shows nothing, as it refuses
 */
export async function coveringHolds(
  ports: InventoryNeeds,
  holds: readonly Hold[],
  listed: readonly ListedDestination[],
): Promise<{ readonly holds: readonly Hold[]; readonly unshown?: string }> {
  const ids = holds.flatMap((hold) =>
    hold.subject.kind === 'instance' && hold.source !== 'retired' && !isResolved(hold)
      ? [hold.subject.instanceId]
      : [],
  )
  const [unshown] = ids
  if (unshown === undefined) return { holds }
  const shown = await unlessRefused(instancesById(ports, ids, ports.clock.now() - momentMs))
  if (shown === 'refused') return { holds, unshown }
  return {
    holds: holds.map((hold) => {
      const facts =
        hold.subject.kind === 'instance' && !isResolved(hold) ? shown.get(hold.subject.instanceId) : undefined
      if (!facts) return hold
      return { ...hold, addresses: facts.addresses, uris: instanceDestinations(facts, listed) }
    }),
  }
}
