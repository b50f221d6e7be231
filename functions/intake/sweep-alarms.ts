import { type AlarmOver, type AlarmState, alarmOf, alarmOver } from '../control/alarm.ts'
import { type Hold, type HoldName, holdKey, orderOf } from '../control/hold.ts'
import { type InstanceFacts, isGone } from '../control/instance-life.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { type InventoryNeeds, instancesById, momentMs, unlessRefused } from '../stored/inventory.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import { dropWaiting } from './drop-waiting.ts'
import { isFrozen } from './freeze.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { publishSwept } from './swept.ts'

export type AlarmNeeds = Pick<SweepPorts, 'alarms'>

/** CloudWatch may show the state before for some seconds. */
const shownWithinMs = 60_000

/**
 * What CloudWatch shows of each alarm that it was asked for in this sweep; undefined: there is no such alarm.
 */
export type ShownAlarms = ReadonlyMap<string, AlarmState | undefined>

/** CloudWatch answers so many in a request, one request after the other, and is asked for so long. */
const alarmsAtOnce = 100
const statesMs = 15_000

/** What an alarm asked for: its hold, or one that waits to be placed. */
export interface Asked {
  readonly hold: Hold
  readonly waits: boolean
}

/**
 * Alarms' holds, and what waits for them, whose OK was lost or came during a freeze, or never comes: the
 * alarm was deleted, or has no data since its machine died. While a freeze is in force holds stay. Before
 * what waits may begin: what waits for an alarm that is over does not begin. Where CloudWatch is slow, or
 * refuses, what it showed before that is done all the same.
 * @param shown is filled in, for who asks for the series of these alarms
 */
export async function sweepAlarms(
  ports: LiftNeeds & InventoryNeeds & AlarmNeeds,
  shown: Map<string, AlarmState | undefined>,
): Promise<void> {
  const askedAt = ports.clock.now()
  const asked = await askedByAlarms(ports, askedAt)
  if (asked.length === 0) return
  const byAlarm = Map.groupBy(asked, ({ hold }) => alarmOf(hold).alarmName)
  await tryAll([
    () => askForStates(ports, allInTurn([...byAlarm.keys()], askedAt), shown),
    () => endShown(ports, byAlarm, shown, askedAt),
  ])
}

/** Each minute begins with others: where there is time for some of them only, all have their turn. */
function allInTurn(alarmNames: readonly string[], now: number): readonly string[] {
  const rounds = Math.ceil(alarmNames.length / alarmsAtOnce)
  const from = (Math.floor(now / 60_000) % rounds) * alarmsAtOnce
  const sorted = alarmNames.toSorted()
  return [...sorted.slice(from), ...sorted.slice(0, from)]
}

async function askForStates(
  { alarms, clock }: AlarmNeeds & Pick<LiftNeeds, 'clock'>,
  alarmNames: readonly string[],
  shown: Map<string, AlarmState | undefined>,
): Promise<void> {
  const until = clock.now() + statesMs
  for (let from = 0; from < alarmNames.length && clock.now() < until; from += alarmsAtOnce) {
    const names = alarmNames.slice(from, from + alarmsAtOnce)
    const states = await alarms.states(names)
    for (const name of names) shown.set(name, states.get(name))
  }
}

async function endShown(
  ports: LiftNeeds & InventoryNeeds,
  byAlarm: ReadonlyMap<string, readonly Asked[]>,
  shown: ShownAlarms,
  askedAt: number,
): Promise<void> {
  // Of the others nobody has to know their machines: EC2 may refuse, and then no machine is known to be gone.
  const ids = [...byAlarm.values()]
    .flat()
    .flatMap(({ hold }) =>
      shown.get(alarmOf(hold).alarmName)?.value === 'INSUFFICIENT_DATA' && hold.subject.kind === 'instance'
        ? [hold.subject.instanceId]
        : [],
    )
  const machines = await unlessRefused(instancesById(ports, ids, askedAt - momentMs))
  const isGoneWith = (hold: Hold) => machines !== 'refused' && isMachineGone(hold, machines, askedAt)
  await endOver(ports, byAlarm, async (alarmName, hold) => {
    if (!shown.has(alarmName)) return undefined
    const state = shown.get(alarmName)
    return alarmOver({
      ...{ state, askedAt, isMachineGone: isGoneWith(hold) },
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
  const over = await onEach([...byAlarm], async ([alarmName, its]) => {
    const ended = await onEach(its, async ({ hold, waits }) => {
      const found = await overOf(alarmName, hold)
      return found ? [{ hold, waits, ...found }] : []
    })
    return ended.flat()
  })
  await endAsked(ports, over.flat())
}

/** All at once: what each edge shows of it is waited for once. */
async function endAsked(ports: LiftNeeds, over: readonly (Asked & AlarmOver)[]): Promise<void> {
  const ends = new Map(over.map((one) => [holdKey(one.hold), one]))
  const by = (hold: HoldName) => `sweep: ${ends.get(holdKey(hold))?.why}`
  const order = (hold: HoldName) => ends.get(holdKey(hold))?.order ?? orderOf(0)
  const holdsOf = (its: boolean) => over.flatMap(({ hold, waits }) => (waits === its ? [hold] : []))
  const waiting = new Set(holdsOf(true).map(holdKey))
  const held = holdsOf(false)
  const publish = (ended: readonly (HoldName & Pick<Hold, 'who'>)[]) =>
    onEach(ended, async (hold) => {
      const why = ends.get(holdKey(hold))?.why ?? ''
      await publishSwept(ports, { what: 'alarm', alarm: alarmOf(hold).alarmName, holdId: hold.id, why })
    })
  await tryAll([
    async () => {
      if (waiting.size === 0) return
      await publish(await dropWaiting(ports, ({ hold }) => waiting.has(holdKey(hold)), by, { order }))
    },
    async () => {
      if (held.length > 0) await publish((await lift(ports, held, by, { order, byItself: true })).lifted)
    },
  ])
}
