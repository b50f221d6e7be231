import type { ListedDestination } from '../control/destination.ts'
import { type Hold, isResolved } from '../control/hold.ts'
import { type InstanceFacts, isUp, mayBeUnknownYet } from '../control/instance-life.ts'
import { instanceDestinations } from '../control/resolve.ts'
import { type InventoryNeeds, instancesById, momentMs, unlessRefused } from '../stored/inventory.ts'

/**
 * The hold of a lifecycle action is placed by the instance's id, before anything is asked, and settle fills
 * in what it covers: until then its server would count as one that nobody takes.
 * @returns the holds with what EC2 shows of those, and an instance of which nobody knows yet what it has
 */
export async function coveringHolds(
  ports: InventoryNeeds,
  holds: readonly Hold[],
  listed: readonly ListedDestination[],
): Promise<{ readonly holds: readonly Hold[]; readonly unshown?: string }> {
  const unresolved = holds.flatMap((hold) =>
    hold.subject.kind === 'instance' && hold.source !== 'retired' && !isResolved(hold)
      ? [{ hold, id: hold.subject.instanceId }]
      : [],
  )
  const idOf = new Map(unresolved.map(({ hold, id }) => [hold, id]))
  const [first] = unresolved
  if (!first) return { holds }
  const now = ports.clock.now()
  const ids = unresolved.map(({ id }) => id)
  const shown = await unlessRefused(instancesById(ports, ids, now - momentMs))
  if (shown === 'refused') return { holds, unshown: first.id }
  const unshown = unresolved.find(({ id, hold }) => mayTakeAny(shown.get(id), hold, now))?.id
  return {
    ...(unshown !== undefined && { unshown }),
    holds: holds.map((hold) => {
      const facts = shown.get(idOf.get(hold) ?? '')
      if (!facts) return hold
      return { ...hold, addresses: facts.addresses, uris: instanceDestinations(facts, listed) }
    }),
  }
}

/** A machine in its first minutes, which EC2 does not know yet, or shows without its addresses. */
function mayTakeAny(shown: InstanceFacts | undefined, { placedAt }: Hold, now: number): boolean {
  if (!shown) return mayBeUnknownYet(placedAt, now)
  const { addresses, launchedAt } = shown
  return addresses.length === 0 && isUp(shown) && mayBeUnknownYet(launchedAt, now)
}
