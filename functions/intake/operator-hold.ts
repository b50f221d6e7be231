import type { ActivateCommand, DrainCommand } from '../contracts/command.ts'
import { destinationKey } from '../control/destination.ts'
import type { ChosenHold } from '../control/drain.ts'
import { CommandRefused } from '../control/errors.ts'
import { type Hold, holdKey, named } from '../control/hold.ts'
import { refuseBeyond, type Sender } from '../control/sender.ts'
import type { Ports } from '../ports/ports.ts'
import type { Sent } from '../stored/command-outcome.ts'
import { onEach } from '../stored/on-each.ts'
import type { DrainOrder } from './hold-and-drain.ts'
import type { Target } from './target.ts'

/** Each operator's own: what one of them lifts, another may hold still. */
export function ownHoldId(target: Target, requestedBy: string): string {
  const [uri] = target.uris
  const whole =
    target.wholeInstance && target.subject.kind === 'instance' ? target.subject.instanceId : undefined
  return `${whole ?? (uri === undefined ? '' : destinationKey(uri))}/${requestedBy}`
}

/** What an operator's command asks for, of whatever it names. */
export function operatorOrder(
  { config, clock }: Pick<Ports, 'config' | 'clock'>,
  command: DrainCommand,
  { order, sender }: Sent,
): Omit<DrainOrder, 'holdId'> {
  const now = clock.now()
  const { from: beginsAt, until: endsAt } = command
  const deadline = command.deadlineSeconds ?? config.operatorDrainDeadlineSeconds
  return {
    source: 'operator',
    who: command.requestedBy,
    sender,
    why: command.reason,
    force: command.force,
    order,
    requestedAt: now,
    deadlineAt: (beginsAt ?? now) + deadline * 1000,
    ...{ beginsAt, endsAt },
  }
}

/**
 * What a later request has overtaken takes nothing of the limit: its message comes again, and is answered.
 * @throws CommandRefused where with the others its sender would have more holds than the settings allow
 */
export async function refuseBeyondLimit(
  ports: Pick<Ports, 'store' | 'config'>,
  sender: Sender,
  asked: readonly ChosenHold[],
): Promise<void> {
  const holds = await heldOrWaiting(ports)
  const refuse = (its: readonly ChosenHold[]) =>
    refuseBeyond(ports.config.maxHoldsPerSender, sender, holds, its.map(holdKey))
  try {
    refuse(asked)
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error
    const open = await onEach(asked, async (hold) => ((await ports.store.isStale(hold)) ? [] : [hold]))
    refuse(open.flat())
  }
}

/** Holds in force, and those that wait. */
export async function heldOrWaiting({ store }: Pick<Ports, 'store'>): Promise<readonly Hold[]> {
  const { drains } = await store.waiting()
  return [...(await store.holds()), ...drains.map(({ hold }) => hold)]
}

/**
 * What an earlier delivery of a command has lifted, and what it has dropped, whose run ended before its
 * outcome was kept: what it names may have left the lists since, or EC2.
 */
export async function endedBefore({ store }: Pick<Ports, 'store'>, order: string) {
  const ended = await store.endedFor(order)
  return { lifted: ended.filter((hold) => hold.lifted), dropped: ended.filter((hold) => !hold.lifted) }
}

export function others(holds: readonly Hold[], but: readonly Hold[]) {
  return holds.filter((hold) => !hold.lifted && !but.includes(hold)).map(named)
}

/** Of a whole group that scales in. */
const mostNamed = 5

/**
 * No command ends a lifecycle action's drain: whose hold it names, or where nothing else is there to lift.
 * @param found what it would lift or drop, or has
 * @throws CommandRefused
 */
export function refuseAbort(
  { holdId }: ActivateCommand,
  itsHolds: readonly Hold[],
  found: readonly Hold[],
): void {
  const isOfAction = ({ source }: Hold) => source === 'lifecycle'
  const onlyDoes =
    'which no command lifts: only the end of the lifecycle action does. Its drain goes on, and the instance is let go after it'
  if (found.some(isOfAction)) throw new CommandRefused(`${holdId} is a lifecycle hold, ${onlyDoes}`)
  if (found.length > 0 || itsHolds.length === 0 || !itsHolds.every(isOfAction)) return
  const names = itsHolds.slice(0, mostNamed).map(holdKey).join(', ')
  const more = itsHolds.length > mostNamed ? ` and ${itsHolds.length - mostNamed} more` : ''
  throw new CommandRefused(
    `nothing of what this may lift is there; what holds it is ${names}${more}, ${onlyDoes}`,
  )
}
