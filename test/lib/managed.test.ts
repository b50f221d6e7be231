import { App, Duration, Stack, Validations } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { AutoScalingGroup, CfnAutoScalingGroup, LifecycleTransition } from 'aws-cdk-lib/aws-autoscaling'
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import {
  InstanceClass,
  InstanceSize,
  InstanceType,
  MachineImage,
  Subnet,
  UserData,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { metricNames, metricNamespace } from '../../functions/contracts/names.ts'
import { DispatcherControl } from '../../lib/dispatcher-control.ts'
import { handlers } from '../../lib/handlers.ts'
import type { ManageOptions } from '../../lib/lifecycle-hooks.ts'
import { functionsPath, readable } from './synthesized.ts'

const retain: ManageOptions = { deadlinePolicy: 'retain', drainDeadline: Duration.hours(4) }
const terminate: ManageOptions = { ...retain, deadlinePolicy: 'terminate' }

/** Somebody else's app with a fleet of its own, which it has us control. */
function world(groups: { readonly name: string }[] = []) {
  const app = new App({ builtinCloudFormationValidation: false })
  const stack = new Stack(app, 'Media')
  const control = new DispatcherControl(stack, 'Control', {
    control: { groups: [], timers: { failoverWindowSeconds: 7, longestCallSeconds: 14_400 } },
    edgesPath: '/edges',
    rpcSecretParameter: '/secret',
    functionsPath,
  })
  for (const { name } of groups) control.manage(imported(stack, name), terminate)
  return { app, stack, control }
}

function owned(stack: Stack, id = 'Servers'): AutoScalingGroup {
  return new AutoScalingGroup(stack, id, {
    vpc: Vpc.fromVpcAttributes(stack, `${id}Vpc`, { vpcId: 'vpc-1', availabilityZones: ['any'] }),
    vpcSubnets: { subnets: [Subnet.fromSubnetAttributes(stack, `${id}Subnet`, { subnetId: 'subnet-1' })] },
    instanceType: InstanceType.of(InstanceClass.M8G, InstanceSize.LARGE),
    machineImage: MachineImage.genericLinux({ 'eu-central-1': 'ami-1' }, { userData: UserData.forLinux() }),
  })
}

function imported(stack: Stack, name: string) {
  return AutoScalingGroup.fromAutoScalingGroupName(stack, `Imported-${name}`, name)
}

function findings(app: App): string {
  try {
    app.synth()
  } catch (error) {
    return String(error)
  }
  return ''
}

const hookOf = (template: Template, transition: LifecycleTransition) =>
  Object.values(
    template.findResources('AWS::AutoScaling::LifecycleHook', {
      Properties: { LifecycleTransition: transition },
    }),
  )
const variables = z.object({
  Properties: z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) }),
})
/** The configuration as every function reads it, with what CloudFormation fills in as `<…>`. */
function configuration(template: Template): unknown {
  const texts = Object.values(template.findResources('AWS::Lambda::Function')).flatMap(
    (each) =>
      variables.safeParse(each).data?.Properties.Environment.Variables['DISPATCHER_CONTROL_CONFIG'] ?? [],
  )
  expect(texts).toHaveLength(Object.keys(handlers).length)
  const [first, ...others] = texts.map(readable)
  expect(new Set(others)).toEqual(new Set([first]))
  return JSON.parse(first ?? '')
}
const pattern = z.object({
  Properties: z.object({ EventPattern: z.object({ detail: z.record(z.string(), z.array(z.unknown())) }) }),
})
const details = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule')).flatMap((rule) => {
    const { data } = pattern.safeParse(rule)
    const detail = data?.Properties.EventPattern.detail ?? {}
    // Schedules and the rule for the edges' parameters are not about groups or alarms.
    if (!('AutoScalingGroupName' in detail || 'alarmName' in detail)) return []
    return [Object.fromEntries(Object.entries(detail).map(([key, names]) => [key, names.map(readable)]))]
  })
const autoscalingActions = (template: Template) =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap((policy) => JSON.stringify(policy).match(/autoscaling:[A-Z]\w+/g) ?? [])
    .toSorted()

describe('a group of the same app', () => {
  const { stack, control } = world()
  const group = owned(stack)
  control.manage(group, retain)
  const template = Template.fromStack(stack)

  test('has its name from CloudFormation in configuration, events and permissions', () => {
    expect(configuration(template)).toMatchObject({
      groups: [
        {
          name: '<ServersASG>',
          terminateHook: 'dispatcher-control-terminate',
          launchHook: 'dispatcher-control-launch',
          heartbeatTimeoutSeconds: 1800,
          drainDeadlineSeconds: 14_400,
          retainedMaxAgeSeconds: 86_400,
          deadlinePolicy: 'retain',
        },
      ],
    })
    expect(details(template)).toEqual([
      {
        AutoScalingGroupName: ['<ServersASG>'],
        LifecycleHookName: ['dispatcher-control-terminate', 'dispatcher-control-launch'],
      },
      { AutoScalingGroupName: ['<ServersASG>'] },
    ])
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toMatch(
      /autoScalingGroup:\*:autoScalingGroupName\/",\{"Ref":"ServersASG/,
    )
  })

  test('keeps an abandoned instance, and our outage abandons it', () => {
    template.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      InstanceLifecyclePolicy: { RetentionTriggers: { TerminateHookAbandon: 'retain' } },
    })
    expect(hookOf(template, LifecycleTransition.INSTANCE_TERMINATING)).toMatchObject([
      { Properties: { DefaultResult: 'ABANDON', HeartbeatTimeout: 1800 } },
    ])
    expect(hookOf(template, LifecycleTransition.INSTANCE_LAUNCHING)).toMatchObject([
      { Properties: { DefaultResult: 'CONTINUE', HeartbeatTimeout: 1800 } },
    ])
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('dispatcher-control:'))
  })

  test('has its hooks after, and loses them before, everything that works their events off', () => {
    const [hook] = hookOf(template, LifecycleTransition.INSTANCE_TERMINATING)
    const before = z.object({ DependsOn: z.array(z.string()) }).parse(hook).DependsOn
    for (const type of ['AWS::Lambda::EventSourceMapping', 'AWS::StepFunctions::StateMachine'])
      expect(before).toEqual(expect.arrayContaining(Object.keys(template.findResources(type))))
    const intake = template.findResources('AWS::Events::Rule', { Properties: { EventPattern: {} } })
    for (const id of Object.keys(intake)) expect(before).toContain(id)
  })
})

describe("the options' defaults are what their documentation says", () => {
  test('launches wait too, unless they are not to', () => {
    const { stack, control } = world()
    control.manage(owned(stack), { ...terminate, admitLaunches: false })
    const template = Template.fromStack(stack)
    expect(hookOf(template, LifecycleTransition.INSTANCE_LAUNCHING)).toEqual([])
    expect(details(template)[0]?.['LifecycleHookName']).toEqual(['dispatcher-control-terminate'])
  })

  test('every option arrives', () => {
    const { stack, control } = world()
    const callCount = { kind: 'asterisk', user: 'control', passwordParameter: '/ari' } as const
    control.manage(owned(stack), {
      ...retain,
      heartbeatTimeout: Duration.minutes(10),
      retainedMaxAge: Duration.hours(2),
      callCount,
    })
    const template = Template.fromStack(stack)
    expect(configuration(template)).toMatchObject({
      groups: [{ heartbeatTimeoutSeconds: 600, retainedMaxAgeSeconds: 7200, callCount }],
    })
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toContain(':parameter/ari')
  })
})

describe('terminate', () => {
  test('our outage lets the instance go, no policy keeps it, and nobody may terminate it', () => {
    const { stack, control } = world()
    control.manage(owned(stack), terminate)
    const template = Template.fromStack(stack)
    expect(hookOf(template, LifecycleTransition.INSTANCE_TERMINATING)).toMatchObject([
      { Properties: { DefaultResult: 'CONTINUE' } },
    ])
    template.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      InstanceLifecyclePolicy: Match.absent(),
    })
    expect(autoscalingActions(template)).not.toContain('autoscaling:TerminateInstanceInAutoScalingGroup')
  })
})

describe('an imported group', () => {
  test('gets its hooks, and how to have it retain is said, as we can not', () => {
    const { stack, control } = world()
    control.manage(imported(stack, 'theirs'), retain)
    expect(hookOf(Template.fromStack(stack), LifecycleTransition.INSTANCE_TERMINATING)).toMatchObject([
      { Properties: { AutoScalingGroupName: 'theirs', DefaultResult: 'ABANDON' } },
    ])
    Annotations.fromStack(stack).hasWarning(
      '/Media/Imported-theirs',
      Match.stringLikeRegexp('update-auto-scaling-group .*TerminateHookAbandon'),
    )
  })

  test('of another stack is referred to from ours alone', () => {
    const { app, stack, control } = world()
    const fleet = new Stack(app, 'Fleet')
    control.manage(owned(fleet), retain)
    app.synth()
    expect(stack.dependencies).toEqual([fleet])
    expect(fleet.dependencies).toEqual([])
    Template.fromStack(fleet).resourceCountIs('AWS::AutoScaling::LifecycleHook', 0)
  })
})

test.each(['the same', 'another'])(
  'cdk-nag has nothing to say about what is ours, with a group of %s stack',
  (which) => {
    const { app, stack, control } = world()
    control.manage(owned(which === 'another' ? new Stack(app, 'Fleet') : stack), retain)
    control.manage(imported(stack, 'theirs'), terminate)
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
    // Their group has findings of its own.
    const said = findings(app)
    expect(said).toContain('/Servers/ASG')
    expect(said).not.toContain('Media/Control/')
  },
)

describe('other terminate hooks', () => {
  test.each(['before', 'after'])('one added %s is warned of, one for launches is not', (when) => {
    const { stack, control } = world()
    const group = owned(stack)
    const add = (): void => {
      group.addLifecycleHook('Theirs', { lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING })
      group.addLifecycleHook('Launch', { lifecycleTransition: LifecycleTransition.INSTANCE_LAUNCHING })
    }
    if (when === 'before') add()
    control.manage(group, terminate)
    if (when === 'after') add()
    const found = Annotations.fromStack(stack).findWarning(
      '*',
      Match.stringLikeRegexp('another terminate hook'),
    )
    expect(found.map(({ id }) => id)).toEqual(['/Media/Servers/LifecycleHookTheirs/Resource'])
  })

  test("one in the group's own list is warned of", () => {
    const { stack, control } = world()
    const group = owned(stack)
    const resource = group.node.defaultChild
    if (!(resource instanceof CfnAutoScalingGroup)) throw new Error('the group has no resource')
    resource.lifecycleHookSpecificationList = [
      { lifecycleHookName: 'theirs', lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING },
    ]
    control.manage(group, terminate)
    Annotations.fromStack(stack).hasWarning(
      '/Media/Servers/ASG',
      Match.stringLikeRegexp('another terminate hook'),
    )
  })
})

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
    const groups = Array.from({ length: 20 }, (_, index) => ({ name: `group-${index}` }))
    expect(() => Template.fromStack(world(groups).stack)).toThrow(/has \d+ bytes as JSON/)
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
    control.metricDrift(),
    control.metricDrainsPastDeadline(),
    control.metricRetainedTooLong(),
    control.metricCompletionsFailed(),
    control.metricEdgeListRefused(),
    control.metricHeartbeatsFailed(),
    control.metricRoundDuration(),
    control.metricDrainingServers('media'),
    control.metricDrainingCalls('media'),
    control.metricDrainingUnknown('media'),
  ]
  expect(metrics.map(({ metricName }) => metricName).toSorted()).toEqual(
    Object.values(metricNames).toSorted(),
  )
  for (const { namespace, dimensions } of metrics) {
    expect(namespace).toBe(metricNamespace)
    expect(dimensions).toMatchObject({ service: 'dispatcher-control' })
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
  for (const each of Object.values(template.findResources('AWS::Lambda::Function')))
    expect(each).toMatchObject({ Properties: { Environment: { Variables: { THEIR_OWN: 'value' } } } })
})
