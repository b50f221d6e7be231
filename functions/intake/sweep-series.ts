import { seriesOf } from '../contracts/alarm.ts'
import { alarmOf, alarmOver } from '../control/alarm.ts'
import { tryAll } from '../stored/on-each.ts'
import type { LiftNeeds } from './lift.ts'
import { type AlarmNeeds, askedByAlarms, endOver, type ShownAlarms } from './sweep-alarms.ts'

/**
 * CloudWatch lets few such requests through, and one alarm is one of them: so many a minute, one after the
 * other, so far apart, and for so long. It is the others' turn in the minutes that follow.
 */
const seriesAMinute = 30
const apartMs = 200
const seriesMs = 15_000

/**
 * Alarms' holds, and what waits for them, whose series is in ALARM no more while another of its alarm is. An
 * alarm's series are asked for only while one of them is held or waits. Where CloudWatch refuses, it is asked
 * no more in this minute; what it showed before that is done all the same.
 * @param shown what CloudWatch has shown of the alarms in this sweep: only of those in ALARM it is asked more
 */
export async function sweepSeries(ports: LiftNeeds & AlarmNeeds, shown: ShownAlarms): Promise<void> {
  const askedAt = ports.clock.now()
  const asked = (await askedByAlarms(ports, askedAt)).filter(({ hold }) => alarmOf(hold).series !== '')
  if (asked.length === 0) return
  const byAlarm = Map.groupBy(asked, ({ hold }) => alarmOf(hold).alarmName)
  const ofSeries = [...byAlarm.keys()].filter((alarmName) => shown.get(alarmName)?.value === 'ALARM')
  const inAlarm = new Map<string, ReadonlySet<string>>()
  const endThem = () =>
    endOver(ports, byAlarm, (alarmName, hold) => {
      const contributors = inAlarm.get(alarmName)
      if (!contributors) return undefined
      const seriesInAlarm = contributors.has(alarmOf(hold).series)
      return alarmOver({ state: shown.get(alarmName), seriesInAlarm, isMachineGone: false, askedAt })
    })
  await tryAll([() => askForSeries(ports, thoseOfThisMinute(ofSeries, askedAt), inAlarm), endThem])
}

/** Each turn begins with another: one that CloudWatch always refuses keeps none from being asked for. */
function thoseOfThisMinute(alarmNames: readonly string[], now: number): readonly string[] {
  const rounds = Math.ceil(alarmNames.length / seriesAMinute)
  if (rounds === 0) return []
  const minute = Math.floor(now / 60_000)
  const from = (minute % rounds) * seriesAMinute
  const turn = alarmNames.toSorted().slice(from, from + seriesAMinute)
  const first = Math.floor(minute / rounds) % turn.length
  return [...turn.slice(first), ...turn.slice(0, first)]
}

async function askForSeries(
  { alarms, clock }: AlarmNeeds & Pick<LiftNeeds, 'clock'>,
  alarmNames: readonly string[],
  inAlarm: Map<string, ReadonlySet<string>>,
): Promise<void> {
  const until = clock.now() + seriesMs
  for (const [n, alarmName] of alarmNames.entries()) {
    if (clock.now() >= until) return
    if (n > 0) await clock.sleep(apartMs)
    const contributors = await alarms.contributorsInAlarm(alarmName)
    inAlarm.set(alarmName, new Set(contributors.flatMap((each) => seriesNames(alarmName, each))))
  }
}

/** By its attributes too: what is held may have its name from when a longer one was taken. */
function seriesNames(alarmName: string, contributor: Parameters<typeof seriesOf>[1]): string[] {
  const { attributes } = contributor
  return [seriesOf(alarmName, contributor), seriesOf(alarmName, { attributes })]
}
