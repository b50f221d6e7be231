import { eventTypes, metricNames } from '../contracts/names.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import { UnexpectedAnswer } from '../control/errors.ts'
import { belowFloor } from '../control/floors.ts'
import { holdKey } from '../control/hold.ts'
import type { Ports } from '../ports/ports.ts'
import type { InventoryNeeds } from '../stored/inventory.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import { type ClearanceNeeds, type Cleared, clearanceView, clearDrains, rulesOf } from './clear-drains.ts'
import { currentFreeze } from './freeze.ts'
import { publishWaiting } from './hold-and-drain.ts'
import { sweepEnds } from './sweep-ends.ts'

/**
 * What waits for clearance begins once it may, and holds whose end has come are lifted. Floors that are not
 * kept, whatever took the servers, are published each minute: a lifecycle drain can't be refused.
 * @throws what was thrown first, and UnexpectedAnswer for what waits and can't be read, when all was done
 */
export async function sweepClearance(ports: ClearanceNeeds): Promise<void> {
  // What waited may give a hold another end.
  await tryAll([() => clearWaiting(ports), () => sweepEnds(ports), () => publishBelowFloor(ports)])
}

async function clearWaiting(ports: ClearanceNeeds): Promise<void> {
  const { metrics, store, clock } = ports
  const freeze = await currentFreeze(ports)
  metrics.count(metricNames.frozen, freeze ? 1 : 0)
  const now = clock.now()
  const cleared = await clearDrains(ports)
  const { drains, unread } = await store.waiting()
  // A window that is days away waits for nobody.
  const due = drains.filter(({ beginsAt = 0 }) => beginsAt <= now)
  metrics.count(metricNames.waitingDrains, due.length + unread.length)
  await publishOverdue(ports, due, cleared)
  for (const each of cleared?.values() ?? []) if (each.kind === 'failed') throw each.error
  if (unread.length > 0) throw new UnexpectedAnswer(unread.join('; '))
}

/**
 * Who asked for a window knows only when it begins: that it may not is published once, with the reason.
 * Published first, then marked: a sweep that is killed in between publishes it twice, never zero times.
 */
async function publishOverdue(
  ports: ClearanceNeeds,
  due: readonly WaitingDrain[],
  cleared: ReadonlyMap<string, Cleared> | undefined,
): Promise<void> {
  await onEach(due, async (waiting) => {
    const { hold, beginsAt, overduePublished } = waiting
    const its = cleared?.get(holdKey(hold))
    if (beginsAt === undefined || overduePublished) return
    if (its?.kind !== 'waits' && its?.kind !== 'never') return
    await publishWaiting(ports, { source: 'operator', beginsAt }, hold, its.because)
    await ports.store.markOverdue(waiting)
  })
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
