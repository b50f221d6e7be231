import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch'
import { alarmStateChange } from '../auto-scaling/alarms.ts'
import { alarmNameOf } from '../plan/fleet-plan.ts'
import { instanceOf, type Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'

export type ServerState = 'ALARM' | 'OK'

/** The server's own alarm enters this state: CloudWatch shows it, and publishes the change. */
export async function changeAlarm(world: World, machine: Machine, state: ServerState): Promise<void> {
  const { region, accountId } = world.emulator
  await showAlarm(world, machine, state)
  await world.publish(
    alarmStateChange({
      alarmName: alarmNameOf(machine.plan.name),
      instanceId: instanceOf(machine).id,
      state,
      previousState: state === 'ALARM' ? 'OK' : 'ALARM',
      at: new Date(),
      region,
      accountId,
    }),
  )
}

/** CloudWatch shows it so. The sweep lifts the hold of an alarm that it does not show. */
export async function showAlarm(world: World, machine: Machine, state: ServerState): Promise<void> {
  const cloudWatch = new CloudWatchClient(world.emulator.client)
  const AlarmName = alarmNameOf(machine.plan.name)
  await cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: 'AWS/EC2',
      MetricName: 'StatusCheckFailed',
      Dimensions: [{ Name: 'InstanceId', Value: instanceOf(machine).id }],
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    }),
  )
  await cloudWatch.send(
    new SetAlarmStateCommand({ AlarmName, StateValue: state, StateReason: 'set by the lab' }),
  )
  cloudWatch.destroy()
}
