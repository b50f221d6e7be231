import { AmbiguousDestination, InvalidMessage } from './errors.ts'

const instanceAttribute = 'InstanceId'

export type AlarmIntent =
  /** place the hold of this alarm and series */
  | 'drain'
  /** lift that hold; it is found by its id, no target is needed */
  | 'lift'
  /** nothing to do */
  | 'skip'

/**
 * An ALARM that is muted or suppressed places nothing, while its OK always lifts: else a hold placed before
 * the mute would stay. INSUFFICIENT_DATA proves nothing about health. An alarm over many series is only a
 * summary: its contributors drain.
 */
export function alarmIntent(alarm: {
  readonly value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly muted: boolean
  readonly summary: boolean
}): AlarmIntent {
  if (alarm.value === 'OK') return 'lift'
  return alarm.value === 'ALARM' && !alarm.muted && !alarm.summary ? 'drain' : 'skip'
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
