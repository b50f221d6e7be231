import type { WaitingDrain } from '../control/clearance.ts'
import type { DrainHold } from '../control/drain.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { finishOwnClaims, type StartNeeds } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import { type ClearanceNeeds, type Cleared, clearDrains } from './clear-drains.ts'

/** Longer than a run that was killed has the lease; what is not decided by then waits for the sweep. */
const patienceMs = 12_000

/**
 * Asks for a drain by choice: it begins now, or waits in order without a hold, and begins by itself.
 * @param asked the hold, and when its window begins
 * @param never what is done with one that can't begin unless the fleet grows or the settings change
 * @returns what came of it so far
 * @throws what it failed of
 */
export async function askClearance(
  ports: ClearanceNeeds,
  asked: Omit<WaitingDrain, 'since'>,
  never: 'waits' | 'refused',
): Promise<Exclude<Cleared, { kind: 'failed' }>> {
  const { hold } = asked
  const cleared = await decided(ports, asked)
  if (cleared.kind === 'failed') throw cleared.error
  if (cleared.kind !== 'never') return cleared
  if (never === 'waits') return { ...cleared, kind: 'waits' }
  await ports.store.dropWaiting({ hold, since: hold.placedAt })
  return cleared
}

async function decided(ports: ClearanceNeeds, asked: Omit<WaitingDrain, 'since'>): Promise<Cleared> {
  const { store, clock } = ports
  const { hold, beginsAt } = asked
  const { drains } = await store.waiting()
  const known = drains.find((each) => holdKey(each.hold) === holdKey(hold))
  // A window that is replaced has no place yet.
  const since = beginsAt ?? Math.min(known?.since ?? hold.placedAt, hold.placedAt)
  if ((await store.putWaiting({ ...asked, since })) === 'stale') return { kind: 'stale' }
  const giveUpAt = clock.now() + patienceMs
  for (let waitMs = 50; ; waitMs = Math.min(500, waitMs * 2)) {
    const cleared = (await clearDrains(ports))?.get(holdKey(hold))
    if (cleared) return cleared
    if (!(await isWaiting(ports, hold))) return decidedByAnother(ports, hold)
    if (clock.now() >= giveUpAt) return { kind: 'waits', because: 'others are decided on first' }
    await clock.sleep(waitMs)
  }
}

async function isWaiting({ store }: Pick<Ports, 'store'>, hold: DrainHold): Promise<boolean> {
  return (await store.waiting()).drains.some((each) => holdKey(each.hold) === holdKey(hold))
}

async function decidedByAnother(
  { store }: Pick<Ports, 'store'>,
  { source, id, subject, order }: DrainHold,
): Promise<Cleared> {
  const placed = await store.hold(source, id, subject)
  return placed?.order === order && !placed.lifted ? { kind: 'begun', result: 'started' } : { kind: 'stale' }
}

/**
 * What an earlier delivery of a message has asked for, before what it names is looked for: it may have left
 * the lists since. What was claimed and could not be started is started.
 * @param order the message's
 * @returns the holds that it has placed, or that wait
 */
export async function ownRequests(ports: StartNeeds, order: string): Promise<Hold[]> {
  const placed = await finishOwnClaims(ports, order)
  const { drains } = await ports.store.waiting()
  return [...placed, ...drains.map(({ hold }) => hold).filter((hold) => hold.order === order)]
}
