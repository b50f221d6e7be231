import { Duration, Stack, Validations } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { CfnAutoScalingGroup, LifecycleTransition } from 'aws-cdk-lib/aws-autoscaling'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { some } from '../present.ts'
import {
  autoscalingActions,
  configuration,
  details,
  findings,
  hookOf,
  imported,
  owned,
  retain,
  terminate,
  world,
} from './managed-world.ts'

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
          deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
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
    for (const id of some(Object.keys(intake))) expect(before).toContain(id)
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
      deadlinePolicy: { callsLeft: 'end-calls', unknown: 'retain' },
      endCalls: { perStep: 20, within: Duration.minutes(2) },
    })
    const template = Template.fromStack(stack)
    expect(configuration(template)).toMatchObject({
      groups: [
        {
          heartbeatTimeoutSeconds: 600,
          retainedMaxAgeSeconds: 7200,
          callCount,
          endCalls: { perStep: 20, withinSeconds: 120 },
        },
      ],
    })
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toContain(':parameter/ari')
  })
})

describe('terminate', () => {
  test('our outage lets the instance go, no policy of ours keeps it, and what another policy keeps may be terminated', () => {
    const { stack, control } = world()
    control.manage(owned(stack), terminate)
    const template = Template.fromStack(stack)
    expect(hookOf(template, LifecycleTransition.INSTANCE_TERMINATING)).toMatchObject([
      { Properties: { DefaultResult: 'CONTINUE' } },
    ])
    template.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      InstanceLifecyclePolicy: Match.absent(),
    })
    expect(autoscalingActions(template)).toContain('autoscaling:TerminateInstanceInAutoScalingGroup')
  })
})

test.each([
  { callsLeft: 'retain', unknown: 'terminate' },
  { callsLeft: 'terminate', unknown: 'retain' },
] as const)('a policy that may retain (%o) has all that retaining needs', (deadlinePolicy) => {
  const { stack, control } = world()
  control.manage(owned(stack), { ...retain, deadlinePolicy })
  const template = Template.fromStack(stack)
  expect(hookOf(template, LifecycleTransition.INSTANCE_TERMINATING)).toMatchObject([
    { Properties: { DefaultResult: 'ABANDON' } },
  ])
  template.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
    InstanceLifecyclePolicy: { RetentionTriggers: { TerminateHookAbandon: 'retain' } },
  })
  expect(autoscalingActions(template)).toContain('autoscaling:TerminateInstanceInAutoScalingGroup')
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
    const text = findings(app)
    expect(text).toContain('/Servers/ASG')
    expect(text).not.toContain('Media/Control/')
  },
)

test.each([
  ['retain', 1],
  ['terminate', 0],
] as const)(
  '%s for a group that is only named: what has to be set on it, and on its hook, is said',
  (unknown, times) => {
    const { stack } = world({
      name: 'named',
      terminateHook: 'theirs',
      heartbeatTimeoutSeconds: 1800,
      drainDeadlineSeconds: 3600,
      deadlinePolicy: { callsLeft: 'terminate', unknown },
    })
    const findingsLike = (words: string) =>
      Annotations.fromStack(stack).findInfo('/Media/Control', Match.stringLikeRegexp(words))
    expect(findingsLike('--auto-scaling-group-name named .*TerminateHookAbandon')).toHaveLength(times)
    expect(
      findingsLike('put-lifecycle-hook .*--lifecycle-hook-name theirs --default-result ABANDON'),
    ).toHaveLength(times)
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
