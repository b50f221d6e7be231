import { seriesOf } from '../contracts/alarm.ts'
import { type AlarmOver, type AlarmState, alarmOf, alarmOver } from '../control/alarm.ts'
import type { WaitingDrain } from '../control/clearance.ts'
import { type Hold, type HoldName, holdKey, orderOf } from '../control/hold.ts'
import { type InstanceFacts, isGone } from '../control/instance-life.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { type InventoryNeeds, instancesById, momentMs } from '../stored/inventory.ts'
import { inTurn, onEach } from '../stored/on-each.ts'
import { dropWaiting } from './drop-waiting.ts'
import { isFrozen } from './freeze.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { publishSwept } from './swept.ts'

type AlarmNeeds = Pick<SweepPorts, 'alarms'>

/** CloudWatch may show the state before for some seconds. */
const shownWithinMs = 60_000

/** What an alarm asked for: its hold, or one that waits to be placed. */
interface Asked {
  readonly hold: Hold
  readonly waits: boolean
}

/**
 * Alarms' holds, and what waits for them, whose OK was lost or came during a freeze, or never comes: the
 * alarm was deleted, or has no data since its machine died. While a freeze is in force holds stay. An alarm's
 * series are asked for only while one of them is held or waits.
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
  const ofSeries = [...byAlarm].flatMap(([alarmName, its]) => {
    const isOfSeries = its.some(({ hold }) => alarmOf(hold).series !== '')
    return isOfSeries && states.get(alarmName)?.value === 'ALARM' ? [alarmName] : []
  })
  const inAlarm = new Map<string, ReadonlySet<string>>()
  const endAll = async () => {
    // Asking CloudWatch takes seconds, and a freeze may have come.
    const frozen = await isFrozen(ports)
    await onEach([...byAlarm], async ([alarmName, its]) => {
      const [state, shown] = [states.get(alarmName), inAlarm.get(alarmName)]
      const over = await onEach(its, async ({ hold, waits }) => {
        const { series } = alarmOf(hold)
        const found = alarmOver({
          ...{ state, askedAt, isMachineGone: isMachineGone(hold, machines, askedAt) },
          ...(series !== '' && shown && { seriesInAlarm: shown.has(series) }),
          okSeen: await okSeen(ports, hold, state),
        })
        return found ? [{ hold, waits, ...found }] : []
      })
      const ended = over.flat().filter(({ waits }) => waits || !frozen)
      await endAsked(ports, alarmName, ended)
    })
  }
  await inTurn([() => askForSeries(ports, turnOf(ofSeries, askedAt), inAlarm), endAll])
}

async function askedByAlarms(ports: LiftNeeds, now: number): Promise<Asked[]> {
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

/**
 * CloudWatch lets few such requests through, and one alarm is one of them: so many a minute, one after the
 * other, so far apart. It is the others' turn in the minutes that follow.
 */
const seriesAMinute = 30
const apartMs = 200

function turnOf(alarmNames: readonly string[], now: number): readonly string[] {
  const rounds = Math.ceil(alarmNames.length / seriesAMinute)
  const from = rounds === 0 ? 0 : (Math.floor(now / 60_000) % rounds) * seriesAMinute
  return alarmNames.toSorted().slice(from, from + seriesAMinute)
}

async function askForSeries(
  { alarms, clock }: AlarmNeeds & Pick<LiftNeeds, 'clock'>,
  alarmNames: readonly string[],
  inAlarm: Map<string, ReadonlySet<string>>,
): Promise<void> {
  await inTurn(
    alarmNames.map((alarmName, n) => async () => {
      if (n > 0) await clock.sleep(apartMs)
      const contributors = await alarms.contributorsInAlarm(alarmName)
      inAlarm.set(alarmName, new Set(contributors.map((contributor) => seriesOf(alarmName, contributor))))
    }),
  )
}

function isMachineGone(
  { subject, placedAt }: Hold,
  machines: ReadonlyMap<string, InstanceFacts>,
  now: number,
): boolean {
  return subject.kind === 'instance' && isGone(machines.get(subject.instanceId), placedAt, now)
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
