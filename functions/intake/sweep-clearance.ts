import { eventTypes, metricNames } from '../contracts/names.ts'
import { belowFloor } from '../control/clearance.ts'
import { UnexpectedAnswer } from '../control/errors.ts'
import type { Ports } from '../ports/ports.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { inTurn } from '../stored/on-each.ts'
import { type ClearanceNeeds, clearanceView, clearDrains, rulesOf } from './clear-drains.ts'
import { currentFreeze } from './freeze.ts'
import { sweepEnds } from './sweep-ends.ts'

/**
 * What waits for clearance begins once it may, and holds whose end has come are lifted. Floors that are not
 * kept, whatever took the servers, are published each minute: a lifecycle drain can't be refused.
 * @throws what was thrown first, and UnexpectedAnswer for what waits and can't be read, when all was done
 */
export async function sweepClearance(ports: ClearanceNeeds): Promise<void> {
  // What waited may give a hold another end.
  await inTurn([() => clearWaiting(ports), () => sweepEnds(ports), () => publishBelowFloor(ports)])
}

async function clearWaiting(ports: ClearanceNeeds): Promise<void> {
  const { metrics, store, clock } = ports
  const freeze = await currentFreeze(ports)
  metrics.count(metricNames.frozen, freeze ? 1 : 0)
  const cleared = await clearDrains(ports)
  const { drains, unread } = await store.waiting()
  // A window that is days away waits for nobody.
  const due = drains.filter(({ beginsAt = 0 }) => beginsAt <= clock.now())
  metrics.count(metricNames.waitingDrains, due.length + unread.length)
  for (const each of cleared?.values() ?? []) if (each.kind === 'failed') throw each.error
  if (unread.length > 0) throw new UnexpectedAnswer(unread.join('; '))
}

async function publishBelowFloor(ports: InventoryNeeds & Pick<Ports, 'events' | 'metrics'>): Promise<void> {
  const { events, metrics } = ports
  const { floors } = rulesOf(ports)
  if (floors.length === 0) return
  const view = await clearanceView(ports)
  const notKept = floors.map((floor) => belowFloor(floor, view)).filter(({ length }) => length > 0)
  const below = notKept.flat().map(({ because }) => because)
  metrics.count(metricNames.belowFloor, notKept.length)
  if (below.length > 0) await events.publish({ type: eventTypes.belowFloor, detail: { floors: below } })
}
