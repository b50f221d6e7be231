import { Duration } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling'
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { describe, expect, test } from 'vitest'
import { metricNames, metricNamespace } from '../../functions/contracts/names.ts'
import { handlers } from '../../lib/handlers.ts'
import type { ManageOptions } from '../../lib/lifecycle-hooks.ts'
import { some } from '../present.ts'
import { configuration, details, imported, owned, terminate, world } from './managed-world.ts'

describe('what does not fit together is refused where it is written', () => {
  test.each<[string, Partial<ManageOptions>, RegExp]>([
    [
      'a deadline past the global maximum',
      { heartbeatTimeout: Duration.seconds(60), drainDeadline: Duration.seconds(6000) },
      /global maximum, .* = 6000 s/,
    ],
    [
      'a deadline within the fail-over window',
      { drainDeadline: Duration.seconds(7) },
      /longer than the fail-over window/,
    ],
    [
      'a heartbeat timeout below 30 s',
      { heartbeatTimeout: Duration.seconds(29) },
      /Servers: the heartbeat timeout is 29 s/,
    ],
    ['a heartbeat timeout above 2 h', { heartbeatTimeout: Duration.seconds(7201) }, /30 s to 7200 s/],
  ])('%s', (_, options, message) => {
    const { stack, control } = world()
    expect(() => control.manage(owned(stack), { ...terminate, ...options })).toThrow(message)
  })

  test('the same group twice', () => {
    const { stack, control } = world()
    const group = imported(stack, 'theirs')
    control.manage(group, terminate)
    const again = AutoScalingGroup.fromAutoScalingGroupName(stack, 'Again', 'theirs')
    expect(() => control.manage(again, terminate)).toThrow(/"theirs" is named twice/)
  })

  test('groups that fill the environment, wherever they were named', () => {
    const { stack, control } = world()
    for (let index = 0; index < 20; index++) control.manage(imported(stack, `group-${index}`), terminate)
    expect(() => Template.fromStack(stack)).toThrow(/has \d+ bytes as JSON/)
  })
})

describe('alarms', () => {
  test('of the same app are drained on, with their target where one is named', () => {
    const { stack, control } = world()
    const alarm = (id: string) =>
      new Alarm(stack, id, {
        metric: new Metric({ namespace: 'AWS/EC2', metricName: 'CPUUtilization' }),
        threshold: 90,
        evaluationPeriods: 3,
      })
    control.drainOnAlarm(alarm('Cpu'))
    control.drainOnAlarm(alarm('Disk'), { target: 'sip:10.0.1.20:5060' })
    const template = Template.fromStack(stack)
    expect(configuration(template)).toMatchObject({
      alarms: [{ name: '<Cpu>' }, { name: '<Disk>', target: 'sip:10.0.1.20:5060' }],
    })
    expect(details(template)).toEqual([{ alarmName: ['<Cpu>', '<Disk>'] }])
    const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'))
    expect(policies.match(/cloudwatch:DescribeAlarmContributors/g)).toHaveLength(2)
  })
})

test('who may send commands may do nothing else with the queue', () => {
  const { stack, control } = world()
  control.grantSendCommands(
    new Role(stack, 'Operator', { assumedBy: new ServicePrincipal('ecs.amazonaws.com') }),
  )
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    Roles: [{ Ref: Match.stringLikeRegexp('^Operator') }],
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ControlCommandsQueue'), 'Arn'] },
        },
      ],
    },
  })
})

test('every metric that is counted has its method', () => {
  const { control } = world()
  const metrics = [
    control.metricSkipped(),
    control.metricRejected(),
    control.metricEdgesUnreachable(),
    control.metricOpaqueEntries(),
    control.metricDrift(),
    control.metricDrainsPastDeadline(),
    control.metricDeadlineDecisions('retain'),
    control.metricCallsEnded(),
    control.metricRetainedTooLong(),
    control.metricCompletionsFailed(),
    control.metricEdgeListRefused(),
    control.metricEdgeRoutesDiffer(),
    control.metricBelowFloor(),
    control.metricWaitingDrains(),
    control.metricFrozen(),
    control.metricHeartbeatsFailed(),
    control.metricEventsRefused(),
    control.metricEventsLost(),
    control.metricRecordsMissing(),
    control.metricSwept(),
    control.metricSettleDuration(),
    control.metricServersInService(),
    control.metricActiveCalls(),
    control.metricActiveCallsPerServer(),
    control.metricDrainingServers('media'),
    control.metricDrainingCalls('media'),
    control.metricDrainingUnknown('media'),
  ]
  expect(metrics.map(({ metricName }) => metricName).toSorted()).toEqual(
    Object.values(metricNames).toSorted(),
  )
  for (const { namespace, dimensions } of some(metrics)) {
    expect(namespace).toBe(metricNamespace)
    expect(dimensions).toMatchObject({ service: 'Media/Control' })
  }
  expect(control.metricDrainingCalls('media').dimensions).toMatchObject({ group: 'media' })
  expect(control.metricDrift({ statistic: 'Maximum', period: Duration.minutes(1) })).toMatchObject({
    statistic: 'Maximum',
    period: Duration.minutes(1),
  })
})

test('every function is there to set what we have no option for', () => {
  const { stack, control } = world()
  expect(Object.keys(control.functions).toSorted()).toEqual(Object.keys(handlers).toSorted())
  for (const each of Object.values(control.functions)) each.addEnvironment('THEIR_OWN', 'value')
  const template = Template.fromStack(stack)
  for (const each of some(Object.values(template.findResources('AWS::Lambda::Function'))))
    expect(each).toMatchObject({ Properties: { Environment: { Variables: { THEIR_OWN: 'value' } } } })
})
