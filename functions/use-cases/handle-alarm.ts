import type { AlarmMessage } from '../contracts/alarm.ts'
import { metricNames } from '../contracts/names.ts'
import { alarmIntent, alarmTarget } from '../control/alarm.ts'
import { holdAndDrain } from './hold-and-drain.ts'
import type { Ports } from './ports.ts'
import { lift } from './restore.ts'
import { resolveTarget } from './target.ts'

/**
 * ALARM drains its target, OK lifts this alarm's hold. Events have no order: one that is older than the last one seen of
 * its alarm and series is dropped. Alarms that we were not configured with are somebody else's.
 */
export async function handleAlarm(ports: Ports, message: AlarmMessage): Promise<void> {
  const configured = ports.config.alarms.find((alarm) => alarm.name === message.alarmName)
  const intent = alarmIntent(message)
  if (!configured || intent === 'skip') return ports.metrics.count(metricNames.skipped, 1)
  const holdId = message.series === '' ? message.alarmName : `${message.alarmName} ${message.series}`
  if ((await ports.store.seeAlarm(holdId, message.order)) === 'stale')
    return ports.metrics.count(metricNames.skipped, 1)

  const who = `alarm ${message.alarmName}`
  if (intent === 'lift') {
    // One that is lifted already but not everywhere, as its run was killed, is finished.
    const holds = await ports.store.holds()
    for (const hold of holds.filter((h) => h.source === 'alarm' && h.id === holdId))
      await lift(ports, hold, who, message.order)
    return
  }
  const { target: configuredTarget } = configured
  const target = await resolveTarget(
    ports,
    alarmTarget({ ...message, ...(configuredTarget !== undefined && { configuredTarget }) }),
  )
  const now = ports.clock.now()
  await holdAndDrain(ports, target, {
    source: 'alarm',
    holdId,
    who,
    why: message.reason,
    order: message.order,
    requestedAt: now,
    deadlineAt: now + ports.config.operatorDrainDeadlineSeconds * 1000,
  })
}
