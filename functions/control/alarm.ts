import { AmbiguousDestination, InvalidMessage } from './errors.ts'
import { orderOf, type RequestIntent } from './hold.ts'

const instanceAttribute = 'InstanceId'

/**
 * What becomes of the hold of this alarm and series. To be lifted it is found by its id: no target is needed.
 *
 * An ALARM that is muted or suppressed places nothing, while its OK always lifts: else a hold placed before
 * the mute would stay. INSUFFICIENT_DATA proves nothing about health. An alarm over many series is only a
 * summary: its contributors drain.
 */
export function alarmIntent(alarm: {
  readonly value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly muted: boolean
  readonly summary: boolean
}): RequestIntent | 'skip' {
  if (alarm.value === 'OK') return 'lift'
  return alarm.value === 'ALARM' && !alarm.muted && !alarm.summary ? 'hold' : 'skip'
}

/**
 * Whom an alarm is about: its contributor's instance, else its tag, else the one instance in its dimensions,
 * else the configured target.
 * @returns an instance id or a destination, as written there.
 * @throws AmbiguousDestination when it comes to the dimensions and they name several instances.
 * @throws InvalidMessage when nothing names a target.
 */
export function alarmTarget(alarm: {
  readonly alarmName: string
  readonly contributorAttributes?: Readonly<Record<string, string>>
  readonly tagTarget?: string
  readonly dimensionInstanceIds: readonly string[]
  readonly configuredTarget?: string
}): string {
  const named = alarm.contributorAttributes?.[instanceAttribute] || alarm.tagTarget
  if (named) return named
  const [instanceId, ...others] = alarm.dimensionInstanceIds
  if (others.length > 0)
    throw new AmbiguousDestination(
      `alarm "${alarm.alarmName}" has metrics of several instances: ${alarm.dimensionInstanceIds.join(', ')}; ` +
        'name one in its tag dispatcher-control:target',
    )
  const target = instanceId || alarm.configuredTarget
  if (target) return target
  throw new InvalidMessage(
    `alarm "${alarm.alarmName}" names no target: it has no InstanceId among its contributor attributes or dimensions; set its ` +
      'tag dispatcher-control:target (and turn its tag propagation on), or alarms[].target in the configuration',
  )
}

/** The hold that an alarm, or one series of it, places. */
export function alarmHold(
  alarmName: string,
  series: string,
): { readonly holdId: string; readonly who: string } {
  return { holdId: series === '' ? alarmName : `${alarmName} ${series}`, who: `alarm ${alarmName}` }
}

/** Whose hold it is: what {@link alarmHold} was given. */
export function alarmOf({ id, who }: { readonly id: string; readonly who: string }): {
  readonly alarmName: string
  readonly series: string
} {
  const alarmName = who.replace(/^alarm /, '')
  return { alarmName, series: id.slice(alarmName.length + 1) }
}

/** An alarm as CloudWatch shows it now, and since when (epoch ms). */
export interface AlarmState {
  readonly value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly since: number
}

/** One time series of an alarm over many. */
export interface Contributor {
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
}

/** What is shown of a hold's alarm, and of its machine. */
export interface AlarmShown {
  /** undefined: there is no such alarm */
  readonly state: AlarmState | undefined
  /** of one series of an alarm over many: whether that is in ALARM */
  readonly seriesInAlarm?: boolean
  readonly isMachineGone: boolean
  /** the order of the OK that was seen last of it, where no ALARM came since */
  readonly okSeen?: string | undefined
  /** when it was asked for (epoch ms) */
  readonly askedAt: number
}

export interface AlarmOver {
  readonly why: string
  readonly order: string
}

/** An instance that died sends no data any more; an alarm without data for so long has not just begun. */
const withoutDataMs = 300_000

/**
 * Whether an alarm's hold has lost its reason, although no OK lifted it: events are best-effort, an alarm
 * that was deleted, or whose machine died, never sends one, and an OK during a freeze lifts nothing.
 * @returns why, and what orders its lifting: an ALARM that came after it stays
 */
export function alarmOver({
  state,
  seriesInAlarm,
  isMachineGone,
  okSeen,
  askedAt,
}: AlarmShown): AlarmOver | undefined {
  if (!state) return { why: 'the alarm is gone', order: orderOf(askedAt) }
  switch (state.value) {
    case 'OK':
      return { why: 'the alarm is OK', order: orderOf(state.since) }
    case 'ALARM':
      return seriesInAlarm === false
        ? { why: 'its series is no longer in ALARM', order: orderOf(askedAt) }
        : undefined
    case 'INSUFFICIENT_DATA':
      if (okSeen !== undefined) return { why: 'the alarm was OK before its data ended', order: okSeen }
      return isMachineGone && askedAt - state.since >= withoutDataMs
        ? { why: 'the alarm has no data and its machine is gone', order: orderOf(askedAt) }
        : undefined
    default:
      return state.value satisfies never
  }
}
