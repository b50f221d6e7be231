import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { exampleSettings, exampleStack, exampleTemplate, readable, withControl } from './synthesized.ts'

const template = exampleTemplate()
const [exampleGroup] = exampleSettings.control.groups
if (exampleGroup === undefined) throw new Error('the example settings name no group')

const queue = z.object({
  Properties: z.object({
    FifoQueue: z.boolean().default(false),
    ContentBasedDeduplication: z.boolean().default(false),
    SqsManagedSseEnabled: z.literal(true),
    MessageRetentionPeriod: z.number(),
    VisibilityTimeout: z.number().optional(),
    RedrivePolicy: z.object({ deadLetterTargetArn: z.unknown(), maxReceiveCount: z.number() }).optional(),
  }),
})
const queues = Object.entries(template.findResources('AWS::SQS::Queue')).map(([id, resource]) => ({
  name: readable({ Ref: id }),
  ...queue.parse(resource).Properties,
}))
const functions = Object.values(template.findResources('AWS::Lambda::Function')).map((resource) =>
  z
    .object({
      Properties: z.object({
        Timeout: z.number(),
        Runtime: z.string(),
        Architectures: z.array(z.string()),
        LoggingConfig: z.object({ LogGroup: z.unknown() }),
        Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
      }),
    })
    .parse(resource),
)
const longestTimeout = Math.max(...functions.map(({ Properties }) => Properties.Timeout))

describe('queues', () => {
  test('each of the three has a dead-letter queue of its own kind that keeps messages for 14 days', () => {
    const withDeadLetters = queues.filter(({ RedrivePolicy }) => RedrivePolicy)
    expect(withDeadLetters.map(({ name, FifoQueue }) => [name, FifoQueue])).toEqual([
      ['<ControlIntakeLifecycleEventsQueue>', false],
      ['<ControlIntakeAlarmEventsQueue>', false],
      ['<ControlCommandsQueue>', true],
    ])
    for (const { name, FifoQueue, RedrivePolicy } of withDeadLetters) {
      const own = queues.find((each) => each.name === name.replace('Queue>', 'DeadLetters>'))
      expect(readable(RedrivePolicy?.deadLetterTargetArn)).toBe(name.replace('Queue>', 'DeadLetters.Arn>'))
      expect(own).toMatchObject({ FifoQueue, MessageRetentionPeriod: 14 * 86_400 })
    }
  })

  test('a command is deduplicated by the id that its sender gives, not by its content', () => {
    expect(queues.filter(({ ContentBasedDeduplication }) => ContentBasedDeduplication)).toEqual([])
  })

  test('a message stays hidden for six times what its function may take', () => {
    for (const { VisibilityTimeout, RedrivePolicy } of queues)
      if (RedrivePolicy) expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * longestTimeout)
  })

  test('nobody reaches one without TLS', () => {
    const policies = Object.values(template.findResources('AWS::SQS::QueuePolicy'))
    expect(policies).toHaveLength(queues.length)
    for (const policy of policies)
      expect(JSON.stringify(policy)).toContain(
        '"Action":"sqs:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"}',
      )
  })

  test('each is worked off in small batches whose failures are told apart', () => {
    const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'))
    expect(mappings).toHaveLength(3)
    for (const mapping of mappings)
      expect(mapping).toMatchObject({
        Properties: {
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: expect.any(Number) },
        },
      })
    expect(
      mappings.map(
        (mapping) =>
          z.object({ Properties: z.object({ BatchSize: z.number() }) }).parse(mapping).Properties.BatchSize,
      ),
    ).toEqual([5, 5, 1])
  })
})

describe('event intake', () => {
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
    Object.values(exampleTemplate(settings).findResources('AWS::Events::Rule')).map(
      (resource) => rule.parse(resource).Properties,
    )
  const routed = (event: unknown, by = rules()) =>
    by
      .filter(({ EventPattern }) => matches(EventPattern, event))
      .map(({ Targets }) => readable(Targets[0].Arn))

  test.each(samples)('$file comes to its queue once', ({ event }) => {
    expect(routed(event)).toEqual([
      event.source === 'aws.cloudwatch'
        ? '<ControlIntakeAlarmEventsQueue.Arn>'
        : '<ControlIntakeLifecycleEventsQueue.Arn>',
    ])
  })

  test("another group's, hook's and alarm's events don't come in", () => {
    const strangers = rules({
      ...withControl({
        alarms: [{ name: 'another-alarm' }],
        groups: [{ ...exampleGroup, name: 'another-group', terminateHook: 'another-hook' }],
      }),
    })
    for (const { event } of samples) expect(routed(event, strangers)).toEqual([])
    const anotherHook = rules(
      withControl({ groups: [{ ...exampleGroup, terminateHook: 'x', launchHook: 'y' }] }),
    )
    for (const { event } of samples.filter(({ file }) => file.startsWith('lifecycle-')))
      expect(routed(event, anotherHook)).toEqual([])
  })

  test('an event is given up, into the dead-letter queue of its target, before the shortest heartbeat timeout', () => {
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
    } of given) {
      expect(target.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThan(600)
      expect(readable(target.DeadLetterConfig.Arn)).toBe(
        readable(target.Arn).replace('Queue.', 'DeadLetters.'),
      )
    }
  })

  test('only our own rules may send to the event queues', () => {
    const allowed = Object.values(template.findResources('AWS::SQS::QueuePolicy'))
      .flatMap(
        (policy) =>
          z
            .object({
              Properties: z.object({
                PolicyDocument: z.object({ Statement: z.array(z.looseObject({ Effect: z.string() })) }),
              }),
            })
            .parse(policy).Properties.PolicyDocument.Statement,
      )
      .filter(({ Effect }) => Effect === 'Allow')
    expect(allowed).toHaveLength(6)
    for (const statement of allowed)
      expect(statement).toMatchObject({
        Principal: { Service: 'events.amazonaws.com' },
        Condition: {
          ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [expect.stringMatching(/^ControlIntake/), 'Arn'] } },
        },
      })
  })

  test('a heartbeat timeout too short for a second try is said at synth', () => {
    const { stack } = exampleStack(
      withControl({ groups: [{ ...exampleGroup, heartbeatTimeoutSeconds: 30, drainDeadlineSeconds: 60 }] }),
    )
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp('a heartbeat timeout of 30 s is short'),
    )
    Annotations.fromStack(exampleStack().stack).hasNoWarning('*', Match.anyValue())
  })

  test('a pattern longer than EventBridge takes is refused at synth', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ name: `${'a'.repeat(50)}${index}` }))
    expect(() => exampleTemplate(withControl({ alarms: many }))).toThrow(
      /event pattern of Alarms has 2\d+ characters, EventBridge allows 2048/,
    )
  })
})

describe('functions', () => {
  test('all seven run on Node 24 on arm64, with a log group of their own', () => {
    expect(functions).toHaveLength(7)
    for (const { Properties } of functions)
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] })
    expect(new Set(functions.map(({ Properties }) => readable(Properties.LoggingConfig.LogGroup))).size).toBe(
      7,
    )
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
  })

  test('a configuration that fills the environment is refused at synth', () => {
    const groups = Array.from({ length: 20 }, (_, index) => ({ ...exampleGroup, name: `group-${index}` }))
    expect(() => exampleTemplate(withControl({ groups }))).toThrow(
      /has \d+ bytes as JSON, a function's environment has room for 3072/,
    )
  })

  test('slow timers get the time they need', () => {
    const slow = exampleTemplate(
      withControl({
        timers: { ...exampleSettings.control.timers, rpcTimeoutSeconds: 10, readBackGapSeconds: 30 },
      }),
    )
    slow.allResourcesProperties('AWS::Lambda::Function', { Timeout: 120 })
  })
})

describe('workflow', () => {
  test('the definition is deployed as it is', () => {
    const machine = z
      .object({
        Properties: z.object({
          DefinitionString: z.string(),
          DefinitionSubstitutions: z.record(z.string(), z.unknown()),
        }),
      })
      .parse(Object.values(template.findResources('AWS::StepFunctions::StateMachine'))[0]).Properties
    expect(JSON.parse(machine.DefinitionString)).toEqual(drainWorkflow)
    expect(
      Object.entries(machine.DefinitionSubstitutions).map(([name, arn]) => [name, readable(arn)]),
    ).toEqual(
      ['BeginDrain', 'ObserveDrain', 'CompleteDrain', 'RetireDrain'].map((name) => [
        name,
        `<Control${name}Function.Arn>`,
      ]),
    )
  })

  test('its errors are logged without the data of the executions', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'STANDARD',
      LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    })
  })
})

describe('store', () => {
  test('holds outlive the stack, unless the settings say otherwise', () => {
    const table = {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    }
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: { ...table, DeletionProtectionEnabled: true },
    })
    exampleTemplate({ ...exampleSettings, removalPolicy: 'destroy' }).hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: { ...table, DeletionProtectionEnabled: false },
    })
  })
})

/** EventBridge's rule for patterns of lists of texts, which is all that we use. */
function matches(pattern: unknown, event: unknown): boolean {
  const texts = z.array(z.string()).safeParse(pattern)
  if (texts.success) return typeof event === 'string' && texts.data.includes(event)
  const fields = z.record(z.string(), z.unknown()).parse(pattern)
  const values = z.record(z.string(), z.unknown()).safeParse(event)
  return values.success && Object.entries(fields).every(([key, inner]) => matches(inner, values.data[key]))
}
