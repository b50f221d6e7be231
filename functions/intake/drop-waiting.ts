import { eventTypes } from '../contracts/names.ts'
import type { Superseded } from '../control/change.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import type { ChosenHold } from '../control/drain.ts'
import { holdKey } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import type { KeptEvent } from '../ports/events.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'

/** The message that dropped it: its sender, and its reason. */
interface DroppedBy {
  readonly sender?: Sender | undefined
  readonly why?: string | undefined
  readonly order?: string
}

/**
 * Drops what waits: something later was requested about it. What comes of an older message then is stale.
 * @returns what was dropped, which is published
 */
export async function dropWaiting(
  ports: Pick<Ports, 'store' | 'events' | 'clock'>,
  isMeant: (waiting: WaitingDrain) => boolean,
  by: string | ((hold: ChosenHold) => string),
  request: Omit<DroppedBy, 'order'> & { readonly order: string | ((hold: ChosenHold) => string) },
): Promise<ChosenHold[]> {
  const orderOf = (hold: ChosenHold) =>
    typeof request.order === 'string' ? request.order : request.order(hold)
  const { drains } = await ports.store.waiting()
  const meant = drains.filter((waiting) => isMeant(waiting) && waiting.hold.order <= orderOf(waiting.hold))
  const dropped = await onEach(meant, async (waiting) => {
    const { hold } = waiting
    const order = orderOf(hold)
    await ports.store.seeRequest(hold, order, 'lift')
    const byIts = typeof by === 'string' ? by : by(hold)
    return (await supersede(ports, waiting, byIts, { ...request, order })) ? [hold] : []
  })
  return dropped.flat()
}

/** Publishes what was dropped, and nothing where another run has begun it, or dropped it, before. */
export async function supersede(
  ports: Pick<Ports, 'store' | 'events' | 'clock'>,
  waiting: WaitingDrain,
  by: string,
  dropped: DroppedBy = {},
): Promise<boolean> {
  return supersedeWith(ports, waiting, by, dropped, (superseded, event) =>
    ports.store.dropWaiting(waiting, superseded, event),
  )
}

/** @param write keeps both in its transaction. @returns what it does: whether anything was written */
export async function supersedeWith(
  { events, clock }: Pick<Ports, 'events' | 'clock'>,
  waiting: WaitingDrain,
  by: string,
  { sender, why: droppedWhy, order }: DroppedBy,
  write: (superseded: Superseded, event: KeptEvent) => Promise<boolean>,
): Promise<boolean> {
  const { who, why, ...hold } = waiting.hold
  const detail = { drainId: holdKey(hold), who, why, by, sender, droppedWhy, since: waiting.since }
  const whose = {
    by,
    ...(sender && { sender }),
    ...(droppedWhy !== undefined && { why: droppedWhy }),
    ...(order !== undefined && { order }),
  }
  return events.publishWith({ type: eventTypes.drainSuperseded, detail }, (kept) =>
    write({ at: clock.now(), ...whose }, kept),
  )
}
