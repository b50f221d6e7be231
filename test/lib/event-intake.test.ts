import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { simulatedAutoScaling } from '../../functions/contracts/names.ts'
import { settleRequest } from '../../functions/contracts/settle-request.ts'
import { some } from '../present.ts'
import { exampleGroup, exampleStack, exampleTemplate, readable, withControl } from './synthesized.ts'

const rule = z.object({
  Properties: z.object({
    EventPattern: z.record(z.string(), z.unknown()),
    Targets: z.tuple([
      z.object({
        Arn: z.unknown(),
        DeadLetterConfig: z.object({ Arn: z.unknown() }),
        RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.number() }),
      }),
    ]),
  }),
})
const folder = join(import.meta.dirname, '../../events')
const samples = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({
    file,
    event: z
      .looseObject({ source: z.unknown().optional(), 'detail-type': z.unknown().optional() })
      .parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
  }))
  .filter(({ event }) => typeof event['detail-type'] === 'string')
const alarmName = (event: unknown) =>
  z.object({ detail: z.object({ alarmName: z.string() }) }).safeParse(event).data?.detail.alarmName
const alarms = [...new Set(samples.flatMap(({ event }) => alarmName(event) ?? []))].map((name) => ({
  name,
}))
const rules = (settings = withControl({ alarms })) =>
  Object.values(
    exampleTemplate(settings).findResources('AWS::Events::Rule', {
      Properties: { ScheduleExpression: Match.absent() },
    }),
  ).map((resource) => rule.parse(resource).Properties)
const usual = rules()
const routed = (event: unknown, by = usual) =>
  by.filter(({ EventPattern }) => matches(EventPattern, event)).map(({ Targets }) => readable(Targets[0].Arn))

/** That an instance is gone changes nothing: EC2 shows it. */
const unrouted = samples.filter(({ file }) => file.startsWith('terminate-successful'))

test.each(samples.filter((sample) => !unrouted.includes(sample)))(
  '$file comes to its queue once',
  ({ event }) => {
    expect(routed(event)).toEqual([
      event.source === 'aws.cloudwatch'
        ? '<ControlIntakeAlarmEventsQueue.Arn>'
        : '<ControlIntakeLifecycleEventsQueue.Arn>',
    ])
  },
)

test('news of an instance that is gone comes to no queue', () => {
  for (const { event } of some(unrouted)) expect(routed(event)).toEqual([])
})

test("another group's, hook's and alarm's events don't come in", () => {
  const strangers = rules({
    ...withControl({
      alarms: [{ name: 'another-alarm' }],
      groups: [{ ...exampleGroup, name: 'another-group', terminateHook: 'another-hook' }],
    }),
    // no path that merely begins alike
    edgesPath: '/dispatcher-control/edge',
  })
  for (const { event } of some(samples)) expect(routed(event, strangers)).toEqual([])
  const anotherHook = rules(
    withControl({ groups: [{ ...exampleGroup, terminateHook: 'x', launchHook: 'y' }] }),
  )
  for (const { event } of some(samples.filter(({ file }) => file.startsWith('lifecycle-'))))
    expect(routed(event, anotherHook)).toEqual([])
})

test('an event is given up, into a queue of its rule, before the shortest heartbeat timeout', () => {
  const given = rules(
    withControl({
      groups: [
        exampleGroup,
        { ...exampleGroup, name: 'b', heartbeatTimeoutSeconds: 600, drainDeadlineSeconds: 900 },
      ],
    }),
  )
  for (const {
    Targets: [target],
  } of some(given)) {
    expect(target.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThan(600)
    expect(readable(target.DeadLetterConfig.Arn)).toMatch(/^<ControlIntake\w+Undelivered\.Arn>$/)
  }
})

test('only a rule of ours may send to a queue, and that one to its target and its own queue alone', () => {
  const statement = z.looseObject({
    Effect: z.string(),
    Action: z.unknown(),
    Principal: z.unknown(),
    Condition: z.unknown(),
  })
  const policy = z.object({
    Properties: z.object({
      Queues: z.tuple([z.unknown()]),
      PolicyDocument: z.object({ Statement: z.array(statement) }),
    }),
  })
  const template = exampleTemplate()
  const allowed = Object.values(template.findResources('AWS::SQS::QueuePolicy')).flatMap((resource) => {
    const { Queues, PolicyDocument } = policy.parse(resource).Properties
    return PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').map((each) => {
      const [to] = Queues.map(readable)
      expect(each.Principal).toEqual({ Service: 'events.amazonaws.com' })
      const { ArnEquals } = z
        .object({ ArnEquals: z.object({ 'aws:SourceArn': z.unknown() }) })
        .parse(each.Condition)
      return `${readable(ArnEquals['aws:SourceArn'])} to ${to}`
    })
  })
  const rule = (id: string, ...to: string[]) => to.map((queue) => `<Control${id}.Arn> to <Control${queue}>`)
  expect(allowed.toSorted()).toEqual(
    [
      ...rule('IntakeLifecycleActions', 'IntakeLifecycleEventsQueue', 'IntakeLifecycleActionsUndelivered'),
      ...rule('IntakeInstanceResults', 'IntakeLifecycleEventsQueue', 'IntakeInstanceResultsUndelivered'),
      ...rule('IntakeEdgeList', 'IntakeLifecycleEventsQueue', 'IntakeEdgeListUndelivered'),
      ...rule('IntakeAlarms', 'IntakeAlarmEventsQueue', 'IntakeAlarmsUndelivered'),
      ...rule('ScheduleEveryMinute', 'ScheduleUndelivered'),
      ...rule('SettleScheduleEveryMinute', 'SettleScheduleUndelivered'),
      ...rule('SweepScheduleEveryMinute', 'SweepScheduleUndelivered'),
    ].toSorted(),
  )
})

test('only our rules of every minute may call a function: one the settle function with what it is asked for, one the reconciler, one the sweep', () => {
  const template = exampleTemplate()
  const calls = Object.values(template.findResources('AWS::Lambda::Permission')).map((permission) => {
    const { SourceArn, FunctionName, ...others } = z
      .object({ Properties: z.looseObject({ SourceArn: z.unknown(), FunctionName: z.unknown() }) })
      .parse(permission).Properties
    expect(others).toEqual({ Action: 'lambda:InvokeFunction', Principal: 'events.amazonaws.com' })
    return `${readable(SourceArn)} to ${readable(FunctionName)}`
  })
  expect(calls.toSorted()).toEqual([
    '<ControlScheduleEveryMinute.Arn> to <ControlReconcileFunction.Arn>',
    '<ControlSettleScheduleEveryMinute.Arn> to <ControlSettleFunction.Arn>',
    '<ControlSweepScheduleEveryMinute.Arn> to <ControlSweepFunction.Arn>',
  ])
  const scheduled = z.object({
    Properties: z.object({
      Targets: z.tuple([z.object({ Arn: z.unknown(), Input: z.string().optional() })]),
    }),
  })
  const inputs = Object.values(
    template.findResources('AWS::Events::Rule', { Properties: { ScheduleExpression: 'rate(1 minute)' } }),
  ).map((each) => scheduled.parse(each).Properties.Targets[0])
  expect(inputs.filter(({ Input }) => Input !== undefined).map(({ Arn }) => readable(Arn))).toEqual([
    '<ControlSettleFunction.Arn>',
  ])
  expect(
    inputs.flatMap(({ Input }) => (Input === undefined ? [] : [settleRequest.parse(JSON.parse(Input))])),
  ).toEqual([{ kind: 'minute' }])
})

test('what is asked of the settle function waits ten minutes at most, and is tried three times', () => {
  const template = exampleTemplate()
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    FunctionName: { Ref: Match.stringLikeRegexp('^ControlSettleFunction') },
    MaximumEventAgeInSeconds: 600,
    MaximumRetryAttempts: 2,
    DestinationConfig: {
      OnFailure: {
        Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ControlSettleScheduleFailed'), 'Arn'] },
      },
    },
  })
})

test('a heartbeat timeout too short for a second try is said at synth', () => {
  const { stack } = exampleStack(
    withControl({ groups: [{ ...exampleGroup, heartbeatTimeoutSeconds: 30, drainDeadlineSeconds: 60 }] }),
  )
  Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('a heartbeat timeout of 30 s is short'))
  Annotations.fromStack(exampleStack().stack).hasNoWarning('*', Match.anyValue())
})

test.each([
  ['neither floors nor a limit', { floors: [] }, true],
  ['a floor', { floors: [{ percent: 50 }] }, false],
  ['a limit', { floors: [], atOnce: 4 }, false],
])('alarms that may drain every server are warned of at synth: %s', (_, clearance, isWarned) => {
  const { stack } = exampleStack(withControl({ clearance }))
  const warning = Match.stringLikeRegexp('alarms may drain every server at once')
  const found = Annotations.fromStack(stack)
  if (isWarned) found.hasWarning('*', warning)
  else found.hasNoWarning('*', warning)
})

test("a heartbeat timeout that no hook can have is refused, but for the lab's simulator", () => {
  const short = withControl({
    groups: [{ ...exampleGroup, heartbeatTimeoutSeconds: 29, drainDeadlineSeconds: 60 }],
  })
  expect(() => exampleStack(short)).toThrow(
    "group media-servers: heartbeatTimeoutSeconds is 29, but a hook's heartbeat timeout is 30 s to 7200 s",
  )
  expect(() => exampleStack(short, { [simulatedAutoScaling]: 'true' })).not.toThrow()
})

test('a pattern longer than EventBridge takes is refused at synth', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ name: `${'a'.repeat(50)}${index}` }))
  expect(() => exampleTemplate(withControl({ alarms: many }))).toThrow(
    /event pattern of Alarms has 2\d+ characters, EventBridge allows 2048/,
  )
})

/** EventBridge's rule for patterns of lists of texts and of prefixes, which is all that we use. */
function matches(pattern: unknown, event: unknown): boolean {
  const texts = z.array(z.string()).safeParse(pattern)
  if (texts.success) return typeof event === 'string' && texts.data.includes(event)
  const prefixes = z.array(z.object({ prefix: z.string() })).safeParse(pattern)
  if (prefixes.success)
    return typeof event === 'string' && prefixes.data.some(({ prefix }) => event.startsWith(prefix))
  const fields = z.record(z.string(), z.unknown()).parse(pattern)
  const values = z.record(z.string(), z.unknown()).safeParse(event)
  return values.success && Object.entries(fields).every(([key, inner]) => matches(inner, values.data[key]))
}
