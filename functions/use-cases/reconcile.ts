import { endMarks } from './end-marks.ts'
import type { Ports } from './ports.ts'
import { endReleases } from './release-edge.ts'
import { freshRound } from './round.ts'

/**
 * Once a minute, also while nothing is drained: a round, which disables again what drifted and finishes liftings on edges
 * that were away; an edge that is configured again is waited for again; marks without a reason end; events that were refused are published. It also keeps a VPC link in use, which AWS makes inactive after 60 days without traffic.
 */
export async function reconcile(ports: Ports): Promise<void> {
  await ports.events.publishKept()
  await endReleases(ports)
  await endMarks(ports, await freshRound(ports))
}
