import type { SweepPorts } from '../../functions/ports/ports.ts'
import type { Truth } from './truth.ts'

/**
 * CloudWatch: each server's alarm as it is, whether a message told of it or not. No alarm here has series.
 * @param shownAt of what time it shows the state
 */
export function alarmsPort(truth: Truth, startedAt: number, shownAt: () => number): SweepPorts['alarms'] {
  const stateOf = (name: string) => {
    const { state, at } = truth.alarmAt(Number(name.replace('alarm-', '')), shownAt()) ?? {
      state: 'OK',
      at: startedAt,
    }
    return state === 'deleted' ? [] : [[name, { value: state, since: at }] as const]
  }
  return {
    states: async (names) => new Map(names.flatMap(stateOf)),
    contributorsInAlarm: async () => [],
  }
}
