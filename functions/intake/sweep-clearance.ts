import { eventTypes, metricNames } from '../contracts/names.ts'
import { belowFloor } from '../control/clearance.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { clearanceView, clearDrains, rulesOf } from './clear-drains.ts'
import { currentFreeze } from './freeze.ts'

/**
 * What waits for clearance begins once it may. Floors that are not kept, whatever took the servers, are
 * published each minute: a lifecycle drain can't be refused.
 */
export async function sweepClearance(ports: SweepPorts): Promise<void> {
  const { events, metrics, store } = ports
  const freeze = await currentFreeze(ports)
  metrics.count(metricNames.frozen, freeze ? 1 : 0)
  await clearDrains(ports)
  metrics.count(metricNames.waitingDrains, (await store.waiting()).length)
  const { floors } = rulesOf(ports)
  if (floors.length === 0) return
  const view = await clearanceView(ports)
  const below = floors.flatMap((floor) => belowFloor(floor, view)?.because ?? [])
  metrics.count(metricNames.belowFloor, below.length)
  if (below.length > 0) await events.publish({ type: eventTypes.belowFloor, detail: { floors: below } })
}
