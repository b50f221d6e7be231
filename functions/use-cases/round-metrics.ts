import { metricNames } from '../contracts/names.ts'
import { drainingLoads } from '../control/draining-load.ts'
import type { Hold } from '../control/hold.ts'
import { type EdgeLoad, loadInService } from '../control/load-in-service.ts'
import type { Round } from '../control/round.ts'
import type { Ports } from './ports.ts'

/**
 * Counts what a round saw, once, by who made it. For every configured group, also one in which nothing is draining: a metric
 * that only stops does not say that it is 0. No dimension but the group: drains and servers come and go for ever.
 */
export function countRound(
  { metrics, config }: Pick<Ports, 'metrics' | 'config'>,
  round: Round,
  holds: readonly Hold[],
  edgeLoads: readonly (EdgeLoad | undefined)[],
): void {
  metrics.count(metricNames.edgesUnreachable, round.edges.filter((reading) => !reading.readable).length)
  const opaque = round.edges.map((edge) => (edge.readable ? (edge.description?.list.opaque ?? 0) : 0))
  metrics.count(
    metricNames.opaqueEntries,
    opaque.reduce((sum, each) => sum + each, 0),
  )
  metrics.count(metricNames.roundDuration, round.finishedAt - round.startedAt)
  const loads = drainingLoads(round.edges, holds)
  const shown = round.edges.flatMap((edge) => (edge.readable ? Object.values(edge.holds) : []))
  const countedNow = shown.every(({ counted }) => counted === undefined || counted.at >= round.startedAt)
  const inService = loadInService(edgeLoads, loads, countedNow)
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
