import { eventTypes } from '../contracts/names.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import type { DrainHold } from '../control/drain.ts'
import { holdKey } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'

/**
 * Drops what waits: something later was requested about it. What comes of an older message then is stale.
 * @returns what was dropped, which is published
 */
export async function dropWaiting(
  ports: Pick<Ports, 'store' | 'events' | 'clock'>,
  isMeant: (waiting: WaitingDrain) => boolean,
  by: string,
  { order, sender }: { readonly order: string; readonly sender?: Sender | undefined },
): Promise<DrainHold[]> {
  const { drains } = await ports.store.waiting()
  const meant = drains.filter((waiting) => isMeant(waiting) && waiting.hold.order <= order)
  const dropped = await onEach(meant, async (waiting) => {
    await ports.store.seeRequest(waiting.hold, order, 'lift')
    return (await supersede(ports, waiting, by, sender)) ? [waiting.hold] : []
  })
  return dropped.flat()
}

/** Publishes what was dropped, and nothing where another run has begun it, or dropped it, before. */
export async function supersede(
  { store, events, clock }: Pick<Ports, 'store' | 'events' | 'clock'>,
  waiting: WaitingDrain,
  by: string,
  sender?: Sender,
): Promise<boolean> {
  const { who, why, ...hold } = waiting.hold
  const detail = { drainId: holdKey(hold), who, why, by, sender, since: waiting.since }
  return events.publishWith({ type: eventTypes.drainSuperseded, detail }, (kept) =>
    store.dropWaiting(waiting, { at: clock.now(), by, ...(sender && { sender }) }, kept),
  )
}
