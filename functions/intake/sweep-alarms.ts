import { type AlarmOver, type AlarmState, alarmOf, alarmOver } from '../control/alarm.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import { type Hold, type HoldName, holdKey, orderOf } from '../control/hold.ts'
import { type InstanceFacts, isGone } from '../control/instance-life.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { type InventoryNeeds, instancesById, momentMs } from '../stored/inventory.ts'
import { onEach } from '../stored/on-each.ts'
import { dropWaiting } from './drop-waiting.ts'
import { isFrozen } from './freeze.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { publishSwept } from './swept.ts'

export type AlarmNeeds = Pick<SweepPorts, 'alarms'>

/** CloudWatch may show the state before for some seconds. */
const shownWithinMs = 60_000

/** What an alarm asked for: its hold, or one that waits to be placed. */
export interface Asked {
  readonly hold: Hold
  readonly waits: boolean
}

/**
 * Alarms' holds, and what waits for them, whose OK was lost or came during a freeze, or never comes: the
 * alarm was deleted, or has no data since its machine died. While a freeze is in force holds stay. Before
 * what waits may begin: what waits for an alarm that is over does not begin.
 */
export async function sweepAlarms(ports: LiftNeeds & InventoryNeeds & AlarmNeeds): Promise<void> {
  const askedAt = ports.clock.now()
  const asked = await askedByAlarms(ports, askedAt)
  if (asked.length === 0) return
  const byAlarm = Map.groupBy(asked, ({ hold }) => alarmOf(hold).alarmName)
  const states = await ports.alarms.states([...byAlarm.keys()])
  // Of the others nobody has to know their machines: EC2 may refuse.
  const ids = asked.flatMap(({ hold }) =>
    states.get(alarmOf(hold).alarmName)?.value === 'INSUFFICIENT_DATA' && hold.subject.kind === 'instance'
      ? [hold.subject.instanceId]
      : [],
  )
  const machines = await instancesById(ports, ids, askedAt - momentMs)
  await endOver(ports, byAlarm, async (alarmName, hold) => {
    const state = states.get(alarmName)
    return alarmOver({
      ...{ state, askedAt, isMachineGone: isMachineGone(hold, machines, askedAt) },
      okSeen: await okSeen(ports, hold, state),
    })
  })
}

/** What alarms asked for, but for what CloudWatch may not show yet. */
export async function askedByAlarms(ports: LiftNeeds, now: number): Promise<Asked[]> {
  const { store } = ports
  const waiting = (await store.waiting()).drains.map(({ hold }) => ({ hold, waits: true }))
  const held = (await isFrozen(ports)) ? [] : (await store.holds()).map((hold) => ({ hold, waits: false }))
  return [...waiting, ...held].filter(
    ({ hold: { source, placedAt } }) => source === 'alarm' && now - placedAt >= shownWithinMs,
  )
}

/** CloudWatch forgets that an alarm was OK once it has no data. */
async function okSeen(
  { store }: LiftNeeds,
  hold: Hold,
  state: AlarmState | undefined,
): Promise<string | undefined> {
  if (state?.value !== 'INSUFFICIENT_DATA') return undefined
  const seen = await store.seenRequest(hold)
  return seen?.intent === 'lift' ? seen.order : undefined
}

function isMachineGone(
  { subject, placedAt }: Hold,
  machines: ReadonlyMap<string, InstanceFacts>,
  now: number,
): boolean {
  return subject.kind === 'instance' && isGone(machines.get(subject.instanceId), placedAt, now)
}

/** Lifts holds whose alarm is over, unless a freeze is in force, and drops what waits for such an alarm. */
export async function endOver(
  ports: LiftNeeds,
  byAlarm: ReadonlyMap<string, readonly Asked[]>,
  overOf: (alarmName: string, hold: Hold) => Promise<AlarmOver | undefined> | AlarmOver | undefined,
): Promise<void> {
  // Asking CloudWatch takes seconds, and a freeze may have come.
  const frozen = await isFrozen(ports)
  await onEach([...byAlarm], async ([alarmName, its]) => {
    const over = await onEach(its, async ({ hold, waits }) => {
      const found = await overOf(alarmName, hold)
      return found ? [{ hold, waits, ...found }] : []
    })
    const ended = over.flat().filter(({ waits }) => waits || !frozen)
    await endAsked(ports, alarmName, ended)
  })
}

async function endAsked(
  ports: LiftNeeds,
  alarmName: string,
  over: readonly (Asked & AlarmOver)[],
): Promise<void> {
  const ends = new Map(over.map((one) => [holdKey(one.hold), one]))
  const by = (hold: HoldName) => `sweep: ${ends.get(holdKey(hold))?.why}`
  const order = (hold: HoldName) => ends.get(holdKey(hold))?.order ?? orderOf(0)
  const isOwn = (hold: HoldName) => (waiting: WaitingDrain) => holdKey(waiting.hold) === holdKey(hold)
  const [waiting, held] = [over.filter(({ waits }) => waits), over.filter(({ waits }) => !waits)]
  const dropped = await onEach(waiting, ({ hold }) =>
    dropWaiting(ports, isOwn(hold), by(hold), { order: order(hold) }),
  )
  const holds = held.map(({ hold }) => hold)
  const { lifted } = holds.length > 0 ? await lift(ports, holds, by, { order }) : { lifted: [] }
  for (const { source, id } of [...dropped.flat(), ...lifted])
    await publishSwept(ports, {
      ...{ what: 'alarm', alarm: alarmName, holdId: id },
      why: ends.get(holdKey({ source, id }))?.why ?? '',
    })
}
