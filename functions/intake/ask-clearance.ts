import { eventTypes } from '../contracts/names.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import type { DrainHold } from '../control/drain.ts'
import { holdKey } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import type { Ports } from '../ports/ports.ts'
import { type Cleared, clearDrains } from './clear-drains.ts'

/** Longer than a run that was killed has the lease; what is not decided by then waits for the sweep. */
const patienceMs = 12_000

/**
 * Asks for a drain by choice: it begins now, or waits in order without a hold, and begins by itself.
 * @param never what is done with one that can't begin unless the fleet grows or the settings change
 * @returns what came of it so far
 */
export async function askClearance(
  ports: Ports,
  hold: DrainHold,
  never: 'waits' | 'refused',
): Promise<Cleared> {
  const cleared = await decided(ports, hold)
  if (cleared.kind !== 'never') return cleared
  if (never === 'waits') return { ...cleared, kind: 'waits' }
  await ports.store.dropWaiting({ hold, since: hold.placedAt })
  return cleared
}

async function decided(ports: Ports, hold: DrainHold): Promise<Cleared> {
  const { store, clock } = ports
  const known = (await store.waiting()).find((each) => holdKey(each.hold) === holdKey(hold))
  const own: WaitingDrain = { hold, since: known?.since ?? hold.placedAt }
  if ((await store.putWaiting(own)) === 'stale') return { kind: 'stale' }
  const giveUpAt = clock.now() + patienceMs
  for (let waitMs = 50; ; waitMs = Math.min(500, waitMs * 2)) {
    const cleared = (await clearDrains(ports))?.get(holdKey(hold))
    if (cleared) return cleared
    if (!(await isWaiting(ports, hold))) return decidedByAnother(ports, hold)
    if (clock.now() >= giveUpAt) return { kind: 'waits', because: 'others are decided on first' }
    await clock.sleep(waitMs)
  }
}

async function isWaiting({ store }: Ports, hold: DrainHold): Promise<boolean> {
  return (await store.waiting()).some((each) => holdKey(each.hold) === holdKey(hold))
}

async function decidedByAnother(
  { store }: Ports,
  { source, id, subject, order }: DrainHold,
): Promise<Cleared> {
  const placed = await store.hold(source, id, subject)
  return placed?.order === order && !placed.lifted ? { kind: 'begun', result: 'started' } : { kind: 'stale' }
}

/**
 * Drops what waits: something later was requested about it.
 * @returns what was dropped, which is published
 */
export async function dropWaiting(
  { store, events }: Pick<Ports, 'store' | 'events'>,
  isMeant: (hold: DrainHold) => boolean,
  by: string,
  { order, sender }: { readonly order: string; readonly sender?: Sender | undefined },
): Promise<DrainHold[]> {
  const dropped: DrainHold[] = []
  for (const waiting of await store.waiting()) {
    const { hold } = waiting
    if (!isMeant(hold) || hold.order > order || !(await store.dropWaiting(waiting))) continue
    dropped.push(hold)
    const { who, why } = hold
    await events.publish({
      type: eventTypes.drainSuperseded,
      detail: { drainId: holdKey(hold), who, why, by, sender, since: waiting.since },
    })
  }
  return dropped
}
