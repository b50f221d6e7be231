import type { AlarmState, Contributor } from '../../functions/control/alarm.ts'
import type { Alarms } from '../../functions/ports/alarms.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryAlarms extends Alarms {
  /** CloudWatch shows this alarm, with those of its series that are in ALARM. */
  show(name: string, state: AlarmState, contributors?: readonly Contributor[]): void
}

export function createMemoryAlarms(): Faulty<MemoryAlarms> {
  const shown = new Map<
    string,
    { readonly state: AlarmState; readonly contributors: readonly Contributor[] }
  >()
  return faulty<MemoryAlarms>({
    show: (name, state, contributors = []) => void shown.set(name, { state, contributors }),
    states: async (names) =>
      new Map(
        names.flatMap((name) => {
          const alarm = shown.get(name)
          return alarm ? [[name, alarm.state] as const] : []
        }),
      ),
    contributorsInAlarm: async (name) => shown.get(name)?.contributors ?? [],
  })
}
