import type { AlarmState, Contributor } from '../control/alarm.ts'

/** What CloudWatch shows of alarms now. */
export interface Alarms {
  /** By name; not there: there is no such alarm. */
  states(names: readonly string[]): Promise<ReadonlyMap<string, AlarmState>>
  /** Those of an alarm's time series that are in ALARM. */
  contributorsInAlarm(name: string): Promise<readonly Contributor[]>
}
