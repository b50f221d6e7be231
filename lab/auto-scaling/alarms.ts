import type { AwsEvent } from './auto-scaling-types.ts'

export interface AlarmChange {
  readonly alarmName: string
  readonly instanceId: string
  readonly state: 'ALARM' | 'OK'
  readonly previousState: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA'
  readonly at: Date
  readonly region: string
  readonly accountId: string
}

/**
 * A real `CloudWatch Alarm State Change` of a metric alarm with an InstanceId dimension (CloudWatch guide,
 * "Alarm events and EventBridge"). Timestamps inside the detail end in `+0000`, not in `Z`.
 */
export function alarmStateChange(change: AlarmChange): AwsEvent {
  const { alarmName, state, previousState, at, region, accountId } = change
  const datapoint = state === 'ALARM' ? 4 : 0
  const comparison = state === 'ALARM' ? 'was greater than or equal to' : 'was not greater than or equal to'
  const reason = `Threshold Crossed: 1 datapoint [${datapoint}.0] ${comparison} the threshold (1.0).`
  return {
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    time: at,
    resources: [`arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarmName}`],
    detail: {
      alarmName,
      state: {
        value: state,
        reason,
        reasonData: JSON.stringify({
          version: '1.0',
          queryDate: alarmTime(at),
          startDate: alarmTime(new Date(at.getTime() - 60_000)),
          statistic: 'Maximum',
          period: 60,
          recentDatapoints: [datapoint],
          threshold: 1,
        }),
        timestamp: alarmTime(at),
      },
      previousState: {
        value: previousState,
        reason: 'the state before',
        timestamp: alarmTime(new Date(at.getTime() - 60_000)),
      },
      configuration: {
        description: 'the media server fails its health checks',
        metrics: [
          {
            id: 'm1',
            metricStat: {
              metric: {
                namespace: 'AWS/EC2',
                name: 'StatusCheckFailed',
                dimensions: { InstanceId: change.instanceId },
              },
              period: 60,
              stat: 'Maximum',
            },
            returnData: true,
          },
        ],
      },
    },
  }
}

function alarmTime(time: Date): string {
  return time.toISOString().replace('Z', '+0000')
}
