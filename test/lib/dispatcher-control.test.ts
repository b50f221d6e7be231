import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Settings } from '../../functions/contracts/settings.ts'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { some } from '../present.ts'
import {
  exampleGroup,
  exampleSettings,
  exampleStack,
  exampleTemplate,
  readable,
  withControl,
} from './synthesized.ts'

const template = exampleTemplate()

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
const functions = Object.entries(template.findResources('AWS::Lambda::Function')).map(([id, resource]) => ({
  name: readable({ Ref: id }),
  ...z
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
}))

describe('queues', () => {
  test('each of the three has a dead-letter queue of its own kind that keeps messages for 14 days', () => {
    const withDeadLetters = queues.filter(({ RedrivePolicy }) => RedrivePolicy)
    expect(withDeadLetters.map(({ name, FifoQueue }) => [name, FifoQueue])).toEqual([
      ['<ControlIntakeLifecycleEventsQueue>', false],
      ['<ControlIntakeAlarmEventsQueue>', false],
      ['<ControlCommandsQueue>', true],
    ])
    for (const { name, FifoQueue, RedrivePolicy } of some(withDeadLetters)) {
      const own = queues.find((each) => each.name === name.replace('Queue>', 'DeadLetters>'))
      expect(readable(RedrivePolicy?.deadLetterTargetArn)).toBe(name.replace('Queue>', 'DeadLetters.Arn>'))
      expect(own).toMatchObject({ FifoQueue, MessageRetentionPeriod: 14 * 86_400 })
    }
  })

  test('a command is deduplicated by the id that its sender gives, not by its content', () => {
    expect(queues.filter(({ ContentBasedDeduplication }) => ContentBasedDeduplication)).toEqual([])
  })

  test('a message stays hidden for six times what its function may take', () => {
    for (const [from, by] of [
      ['IntakeLifecycleEvents', 'OnLifecycleEvents'],
      ['IntakeAlarmEvents', 'OnAlarmEvents'],
      ['Commands', 'OnCommands'],
    ] as const) {
      const consumer = functions.find(({ name }) => name === `<Control${by}Function>`)
      const { VisibilityTimeout } = queues.find(({ name }) => name === `<Control${from}Queue>`) ?? {}
      expect(VisibilityTimeout).toBe(6 * Number(consumer?.Properties.Timeout))
    }
  })

  test('nobody reaches one without TLS', () => {
    const policies = Object.values(template.findResources('AWS::SQS::QueuePolicy'))
    expect(policies).toHaveLength(queues.length)
    for (const policy of some(policies))
      expect(JSON.stringify(policy)).toContain(
        '"Action":"sqs:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"}',
      )
  })

  test('each is worked off in small batches whose failures are told apart', () => {
    const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'))
    expect(mappings).toHaveLength(3)
    for (const mapping of some(mappings))
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

describe('functions', () => {
  test('all nine run on Node 24 on arm64, with a log group of their own', () => {
    expect(functions).toHaveLength(9)
    for (const { Properties } of some(functions))
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] })
    expect(new Set(functions.map(({ Properties }) => readable(Properties.LoggingConfig.LogGroup))).size).toBe(
      9,
    )
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
  })

  test('a configuration that fills the environment is refused at synth', () => {
    const groups = Array.from({ length: 20 }, (_, index) => ({ ...exampleGroup, name: `group-${index}` }))
    expect(() => exampleTemplate(withControl({ groups }))).toThrow(
      /has \d+ bytes as JSON, a function's environment has room for 30\d\d beside the edges' ids/,
    )
  })

  test('fifty edges leave room for four groups, and what they take is known', () => {
    const edges = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [
        `edge-eu-central-1-${n}`,
        { address: `10.0.0.${n}`, port: 8080 },
      ]),
    )
    const groups = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...exampleGroup, name: `group-${index}` }))
    const edgeAccess: Settings['edgeAccess'] = {
      kind: 'vpc-link',
      vpcId: 'vpc-1',
      subnetIds: ['subnet-1'],
      edges,
    }
    const many = (count: number): Settings => ({
      ...withControl({ groups: groups(count) }),
      edgeAccess,
    })
    exampleTemplate(many(4))
    expect(() => exampleTemplate(many(9))).toThrow(/room for 20\d\d beside the edges' ids/)
  })

  test('slow edges get the time they need', () => {
    const timeouts = (timers: Partial<typeof exampleSettings.control.timers>) => {
      const settings = withControl({ timers: { ...exampleSettings.control.timers, ...timers } })
      const found = Object.values(exampleTemplate(settings).findResources('AWS::Lambda::Function'))
      return found.map(
        (each) => z.object({ Properties: z.object({ Timeout: z.number() }) }).parse(each).Properties.Timeout,
      )
    }
    const longest = Math.max(...timeouts({}))
    expect(Math.max(...timeouts({ rpcTimeoutSeconds: 10 }))).toBeGreaterThan(longest + 20 * 7)
    expect(Math.max(...timeouts({ rpcTimeoutSeconds: 10 }))).toBeLessThanOrEqual(900)
  })
})

test.each([
  ['the RPC secret', { rpcSecretParameter: '/dispatcher-control/edges/secret' }],
  [
    "the edges' CA",
    { edgeAccess: { kind: 'direct' }, edgeTls: { caParameter: '/dispatcher-control/edges/ca' } } as const,
  ],
  [
    "a media server's password",
    withControl({
      groups: [
        {
          ...exampleGroup,
          callCount: {
            kind: 'asterisk',
            port: 8088,
            user: 'control',
            passwordParameter: '/dispatcher-control/edges/a/b',
          },
        },
      ],
    }),
  ],
])("%s under the edges' path is refused at synth", (_what, settings) => {
  expect(() => exampleStack({ ...exampleSettings, ...settings })).toThrow(
    /the secret \/dispatcher-control\/edges\/\S+ is under \/dispatcher-control\/edges, where every parameter is taken for an edge/,
  )
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
      Object.entries({
        Look: 'ObserveDrain',
        CompleteDrain: 'CompleteDrain',
        RetireDrain: 'RetireDrain',
      }).map(([name, construct]) => [name, `<Control${construct}Function.Arn>`]),
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
