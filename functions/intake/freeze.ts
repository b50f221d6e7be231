import type { FreezeCommand, UnfreezeCommand } from '../contracts/command.ts'
import type { CommandOutcome } from '../contracts/events.ts'
import { eventTypes } from '../contracts/names.ts'
import { CommandRefused, OutcomePending } from '../control/errors.ts'
import { type Freeze, inForce, replacedBy } from '../control/freeze.ts'
import { utc } from '../control/window.ts'
import type { Ports } from '../ports/ports.ts'
import type { Sent } from '../stored/command-outcome.ts'
import { type ClearanceNeeds, clearDrains } from './clear-drains.ts'
import { planFreeze } from './plan-freeze.ts'

/** Whoever decides what begins is done by then, or has lost its lease. */
const patienceMs = 12_000

/** There is one freeze for all. No hold of an operator has an id without a slash. */
const request = { source: 'operator', id: 'freeze' } as const

/**
 * From its outcome on no drain by choice begins, unless it is forced. Its end is judged by when it was sent
 * (epoch ms), so that it is refused, or not, the same however late it comes, and again. Where that is over by
 * now, what is in force stays.
 * @throws CommandRefused for an end that had passed by then; OutcomePending while another run decides
 */
export async function freeze(
  ports: ClearanceNeeds,
  command: FreezeCommand,
  { order, sender, sentAt }: Sent & { readonly sentAt: number },
): Promise<CommandOutcome<'freeze'>> {
  const { store, clock } = ports
  const now = clock.now()
  const { requestedBy: who, reason: why, until, dryRun } = command
  if (until !== undefined && until <= sentAt)
    throw new CommandRefused(
      `"until" has passed, the command was sent at ${utc(sentAt)}: a freeze ends later, or has no end`,
    )
  if (dryRun) return planFreeze(ports)
  const last = await store.freeze()
  // What an earlier delivery of it wrote was in force: that is published, by a run that was killed too.
  if (until !== undefined && until <= now && last?.order !== order)
    return { result: 'stale', frozen: inForce(last, now) }
  const isNewest = (await store.seeRequest(request, order, 'hold')) === 'newest'
  // What an earlier delivery of the same command has replaced is the same again.
  const replaces = last?.order === order ? last.replaces : replacedBy(sender, last, now)
  const placed: Freeze = {
    ...{ who, sender, why, at: now, order },
    ...(until !== undefined && { until }),
    ...(replaces && { replaces }),
  }
  if (!isNewest || (await store.putFreeze(placed)) === 'stale')
    return { result: 'stale', frozen: inForce(await store.freeze(), now) }
  await decidedOnce(ports, command)
  await ports.events.publish({ type: eventTypes.frozen, detail: { who, sender, why, until, replaces } })
  if (!inForce(placed, now)) return { result: 'stale', frozen: undefined }
  return { result: 'frozen', until, replaces }
}

/** What waits is decided on at once. */
export async function unfreeze(
  ports: ClearanceNeeds,
  { requestedBy: by, reason: why, dryRun }: UnfreezeCommand,
  sent: Sent,
): Promise<CommandOutcome<'unfreeze'>> {
  const { store, clock } = ports
  if (dryRun) return planFreeze(ports)
  // One that overtook its freeze: the older freeze must find that its end was requested already.
  await store.seeRequest(request, sent.order, 'lift')
  const last = await store.freeze()
  const before = inForce(last, clock.now())
  // What a run of this very command has ended that was killed is published, and decided on, again.
  const frozen = before ?? (last?.ended && last.order === sent.order ? last : undefined)
  if (!frozen) return { result: 'not-frozen', frozen: before }
  if (!(await endFreeze(ports, frozen, { by, why, sender: sent.sender }, sent)))
    return { result: 'stale', frozen: inForce(await store.freeze(), clock.now()) }
  await clearDrains(ports)
  return { result: 'unfrozen' }
}

interface EndedBy {
  readonly by: string
  readonly sender?: Sent['sender']
  readonly why?: string | undefined
}

/** @returns whether it was ended, and no later freeze is there */
async function endFreeze(
  { store, events, clock }: Pick<Ports, 'store' | 'events' | 'clock'>,
  freeze: Freeze,
  { by, sender, why: reason }: EndedBy,
  { order }: Pick<Sent, 'order'>,
): Promise<boolean> {
  const whose = { by, ...(sender && { sender }), ...(reason !== undefined && { why: reason }) }
  const ended = { ...freeze, order, ended: { at: clock.now(), ...whose } }
  if ((await store.putFreeze(ended)) === 'stale') return false
  const { who, why, at } = freeze
  const detail = { who, why, since: at, by, sender, endedWhy: reason }
  await events.publish({ type: eventTypes.freezeEnded, detail })
  return true
}

/** Whether one is in force now. */
export async function isFrozen({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<boolean> {
  return inForce(await store.freeze(), clock.now()) !== undefined
}

/** A freeze whose end has come is ended, and published. @returns the one in force */
export async function currentFreeze(
  ports: Pick<Ports, 'store' | 'events' | 'clock'>,
): Promise<Freeze | undefined> {
  const now = ports.clock.now()
  const freeze = await ports.store.freeze()
  const isOver = inForce(freeze, now) === undefined
  if (!isOver) return freeze
  // In its own order: a freeze that was sent before this end, and comes after it, stands.
  if (freeze && !freeze.ended) await endFreeze(ports, freeze, { by: 'its end' }, freeze)
  return undefined
}

/** Has decided, or waited for whoever did, since the freeze was written: what begins later knows it. */
async function decidedOnce(ports: ClearanceNeeds, { id }: FreezeCommand): Promise<void> {
  const giveUpAt = ports.clock.now() + patienceMs
  for (let waitMs = 50; !(await clearDrains(ports)); waitMs = Math.min(1000, waitMs * 2)) {
    if (ports.clock.now() >= giveUpAt)
      throw new OutcomePending(`freeze ${id} is written; another run still begins what it had decided on`)
    await ports.clock.sleep(waitMs)
  }
}
