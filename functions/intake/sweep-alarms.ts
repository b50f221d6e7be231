import { seriesOf } from '../contracts/alarm.ts'
import { alarmOf, alarmOver } from '../control/alarm.ts'
import { inForce } from '../control/clearance.ts'
import { type Hold, orderOf } from '../control/hold.ts'
import { type InstanceFacts, isGone } from '../control/instance-life.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { type InventoryNeeds, instancesById, momentMs } from '../stored/inventory.ts'
import { inTurn, onEach } from '../stored/on-each.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { publishSwept } from './swept.ts'

type AlarmNeeds = Pick<SweepPorts, 'alarms'>

/** CloudWatch may show the state before for some seconds. */
const shownWithinMs = 60_000

/**
 * Alarms' holds whose OK was lost, or never comes: the alarm was deleted, or has no data since its machine
 * died. While a freeze is in force they stay. An alarm's series are asked for only while one of them is held.
 */
export async function sweepAlarms(ports: LiftNeeds & InventoryNeeds & AlarmNeeds): Promise<void> {
  const askedAt = ports.clock.now()
  if (inForce(await ports.store.freeze(), askedAt)) return
  const holds = (await ports.store.holds()).filter(
    ({ source, placedAt }) => source === 'alarm' && askedAt - placedAt >= shownWithinMs,
  )
  if (holds.length === 0) return
  const byAlarm = Map.groupBy(holds, (hold) => alarmOf(hold).alarmName)
  const states = await ports.alarms.states([...byAlarm.keys()])
  const ids = holds.flatMap(({ subject }) => (subject.kind === 'instance' ? [subject.instanceId] : []))
  const machines = await instancesById(ports, ids, askedAt - momentMs)
  const ofSeries = [...byAlarm].flatMap(([alarmName, its]) => {
    const isSeriesHeld = its.some((hold) => alarmOf(hold).series !== '')
    return isSeriesHeld && states.get(alarmName)?.value === 'ALARM' ? [alarmName] : []
  })
  const inAlarm = new Map<string, ReadonlySet<string>>()
  const liftAll = () =>
    onEach([...byAlarm], async ([alarmName, its]) => {
      const [state, shown] = [states.get(alarmName), inAlarm.get(alarmName)]
      const over = new Map<Hold, NonNullable<ReturnType<typeof alarmOver>>>()
      for (const hold of its) {
        const { series } = alarmOf(hold)
        const found = alarmOver({
          ...{ state, askedAt, isMachineGone: isMachineGone(hold, machines, askedAt) },
          ...(series !== '' && shown && { seriesInAlarm: shown.has(series) }),
        })
        if (found) over.set(hold, found)
      }
      await liftOver(ports, alarmName, over)
    })
  await inTurn([() => askForSeries(ports, turnOf(ofSeries, askedAt), inAlarm), liftAll])
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

async function liftOver(
  ports: LiftNeeds,
  alarmName: string,
  over: ReadonlyMap<Hold, { readonly why: string; readonly at: number }>,
): Promise<void> {
  if (over.size === 0) return
  const by = (hold: Hold) => `sweep: ${over.get(hold)?.why}`
  const order = (hold: Hold) => orderOf(over.get(hold)?.at ?? 0)
  const { lifted } = await lift(ports, [...over.keys()], by, { order })
  for (const hold of lifted)
    await publishSwept(ports, {
      ...{ what: 'alarm', alarm: alarmName, holdId: hold.id },
      why: over.get(hold)?.why ?? '',
    })
}
