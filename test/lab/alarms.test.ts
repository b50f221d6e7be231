import { expect, test } from 'vitest'
import { alarmStateChange } from '../../lab/auto-scaling/alarms.ts'

test.each([
  ['ALARM', 'OK'],
  ['OK', 'ALARM'],
] as const)(
  'an alarm that goes to %s has the shape of the CloudWatch guide, with times ending in +0000',
  (state, previousState) => {
    const event = alarmStateChange({
      alarmName: 'media-1-unhealthy',
      instanceId: 'i-1234567890abcdef0',
      state,
      previousState,
      at: new Date('2026-11-23T08:00:00.123Z'),
      region: 'eu-central-1',
      accountId: '123456789012',
    })
    expect(event).toMatchObject({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: ['arn:aws:cloudwatch:eu-central-1:123456789012:alarm:media-1-unhealthy'],
      detail: {
        alarmName: 'media-1-unhealthy',
        state: { value: state, timestamp: '2026-11-23T08:00:00.123+0000' },
        previousState: { value: previousState, timestamp: '2026-11-23T07:59:00.123+0000' },
        configuration: {
          metrics: [{ metricStat: { metric: { dimensions: { InstanceId: 'i-1234567890abcdef0' } } } }],
        },
      },
    })
  },
)
