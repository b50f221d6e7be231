import type { AlarmState } from '../control/alarm.ts'
import { onEach, tryAll } from '../stored/on-each.ts'
import type { ClearanceNeeds } from './clear-drains.ts'
import { type AlarmNeeds, sweepAlarms } from './sweep-alarms.ts'
import { sweepClearance } from './sweep-clearance.ts'
import { sweepDrains } from './sweep-drains.ts'
import { type MemberNeeds, sweepMembers } from './sweep-members.ts'
import { sweepSeries } from './sweep-series.ts'

/**
 * Once a minute: what no event told, or what nobody goes on with. Instances that wait at our hooks, or are
 * retained, without a drain or launch get one; drains that are looked at no more get their next attempt;
 * alarms' holds without a reason are lifted, unless a freeze is in force; what waits for clearance begins
 * once it may, holds whose end has come are lifted, and floors that are not kept are published.
 */
export async function sweep(ports: MemberNeeds & AlarmNeeds & ClearanceNeeds): Promise<void> {
  const shown = new Map<string, AlarmState | undefined>()
  const sweepLooks = [() => sweepMembers(ports), () => sweepDrains(ports)]
  const sweepChoices = [
    () => sweepAlarms(ports, shown),
    () => sweepClearance(ports),
    // CloudWatch lets few of its requests through: what has its time waits for none of them.
    () => sweepSeries(ports, shown),
  ]
  // Side by side: where Auto Scaling or Step Functions is slow, what has its time has its turn all the same.
  await onEach([sweepLooks, sweepChoices], tryAll)
}
