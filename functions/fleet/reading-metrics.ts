import { metricNames } from '../contracts/names.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { storedLoad } from '../stored/load.ts'

/**
 * Counts what the minute's settle has read. For every configured group, also one in which nothing is
 * draining: a metric that only stops does not show that it is 0. No dimension but the group: drains and
 * servers come and go for ever.
 */
export async function countReadings(
  ports: Pick<EdgePorts, 'metrics' | 'config' | 'store' | 'clock'>,
  startedAt: number,
): Promise<void> {
  const { metrics, config, store, clock } = ports
  metrics.count(metricNames.settleDuration, clock.now() - startedAt)
  const holds = await store.holds()
  const { edges, draining: loads, inService } = await storedLoad(ports, holds)
  metrics.count(metricNames.edgesUnreachable, edges.filter(({ readable }) => !readable).length)
  const opaque = edges.map((edge) => (edge.readable ? edge.description.list.opaque : 0))
  metrics.count(
    metricNames.opaqueEntries,
    opaque.reduce((sum, each) => sum + each, 0),
  )
  metrics.count(metricNames.serversInService, inService.servers)
  // Left out while it is unknown, so that a scaling policy has no data and holds still.
  if (inService.calls !== undefined) {
    metrics.count(metricNames.activeCalls, inService.calls)
    if (inService.servers > 0)
      metrics.count(metricNames.activeCallsPerServer, inService.calls / inService.servers)
  }
  const none = { servers: 0, calls: 0, unknown: 0 }
  for (const name of new Set([
    ...config.groups.map((group) => group.name),
    ...loads.map(({ group }) => group),
  ])) {
    const { servers, calls, unknown } = loads.find(({ group }) => group === name) ?? none
    const dimensions = { group: name ?? noGroup }
    metrics.count(metricNames.drainingServers, servers, dimensions)
    metrics.count(metricNames.drainingCalls, calls, dimensions)
    metrics.count(metricNames.drainingUnknown, unknown, dimensions)
  }
}

/** Held destinations that belong to no group which we know. */
const noGroup = 'none'
