import type { AlarmMessage } from '../contracts/alarm.ts'
import { metricNames } from '../contracts/names.ts'
import { alarmHold, alarmIntent, alarmTarget } from '../control/alarm.ts'
import type { HoldName } from '../control/hold.ts'
import { refuseLongKey } from '../control/longest-key.ts'
import { finishClaim } from '../drain/start-drain.ts'
import { ownRequest } from './ask-clearance.ts'
import type { ClearanceNeeds } from './clear-drains.ts'
import { dropWaiting } from './drop-waiting.ts'
import { isFrozen } from './freeze.ts'
import { holdAndDrain } from './hold-and-drain.ts'
import { type LiftNeeds, lift } from './lift.ts'
import { resolveTarget, type TargetNeeds, targetOf } from './target.ts'

type Needs = ClearanceNeeds & LiftNeeds & TargetNeeds

/**
 * ALARM drains its target, OK lifts this alarm's hold. Events have no order: one that is older than the last
 * one seen of its alarm and series is dropped. Alarms that we were not configured with are somebody else's.
 */
export async function handleAlarm(ports: Needs, message: AlarmMessage): Promise<void> {
  const configured = ports.config.alarms.find((alarm) => alarm.name === message.alarmName)
  const intent = alarmIntent(message)
  if (!configured || intent === 'skip') return ports.metrics.count(metricNames.skipped, 1)
  const { holdId, who } = alarmHold(message.alarmName, message.series)
  const newest = await ports.store.seeRequest({ source: 'alarm', id: holdId }, message.order, intent)
  if (newest !== 'newest') {
    ports.metrics.count(metricNames.skipped, 1)
    // A newer ALARM may not be done yet: what is held for this alarm meanwhile stays.
    if (newest === 'hold') return
    // Of a run of this message that was killed; a hold that was placed later stays.
    return liftHold(ports, holdId, who, message)
  }
  if (intent === 'lift') return liftHold(ports, holdId, who, message)
  const own = await ownRequest(ports, message.order, { source: 'alarm', id: holdId })
  const { target: configuredTarget } = configured
  const name = alarmTarget({ ...message, ...(configuredTarget !== undefined && { configuredTarget }) })
  const target = targetOf(own ? [own] : []) ?? (await resolveTarget(ports, name))
  refuseLongKey({ source: 'alarm', id: holdId, subject: target.subject })
  const now = ports.clock.now()
  await holdAndDrain(ports, target, {
    source: 'alarm',
    holdId,
    who,
    sender: message.sender,
    why: message.reason,
    order: message.order,
    requestedAt: now,
    deadlineAt: now + ports.config.operatorDrainDeadlineSeconds * 1000,
  })
}

/** While a freeze is in force what is held stays held: the sweep lifts it afterwards. */
async function liftHold(
  ports: LiftNeeds,
  holdId: string,
  who: string,
  { order, sender, reason }: AlarmMessage,
): Promise<void> {
  const ended = { order, sender, ...(reason !== '' && { why: reason }) }
  const isOwn = ({ source, id }: HoldName) => source === 'alarm' && id === holdId
  await dropWaiting(ports, ({ hold }) => isOwn(hold), who, ended)
  if (await isFrozen(ports)) return
  const holds = await ports.store.holds()
  const own = holds.filter(isOwn)
  await lift(ports, own, who, { ...ended, byItself: true })
  // One that was lifted while its drain was being started.
  await finishClaim(ports, `alarm/${holdId}`)
}
