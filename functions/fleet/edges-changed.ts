import { eventTypes } from '../contracts/names.ts'
import { endReleases } from './release-edge.ts'
import { type FleetNeeds, settleFleet } from './settle-fleet.ts'

/**
 * Somebody edited the list of edges. It is read at once, so that a bad edit is published within seconds and
 * not at the next drain; what is held is disabled on every edge of it, so that a new one sends no call to a
 * drained server once SIP reaches it.
 */
export async function edgesChanged(
  ports: FleetNeeds,
  change: { readonly parameter: string; readonly operation: string },
): Promise<void> {
  const { parameter, operation } = change
  const refused = await ports.fleet.reread()
  const edges = await ports.fleet.edges()
  if (!refused) await endReleases(ports)
  const detail = { parameter, operation, edges: edges.map((edge) => edge.id) }
  await ports.events.publish(
    refused
      ? { type: eventTypes.edgeListRefused, detail: { ...detail, reason: refused.message } }
      : { type: eventTypes.edgeListChanged, detail },
  )
  // What was read a moment ago may have been another Kamailio.
  if (!refused) await settleFleet(ports, { notBefore: ports.clock.now(), atOnce: true })
}
