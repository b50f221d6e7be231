import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { Settings } from '../../functions/contracts/settings.ts'
import { exampleSettings, exampleStack, exampleTemplate, readable } from './synthesized.ts'

const list = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]).transform((v) => [v].flat())
const policies = z.record(
  z.string(),
  z.object({
    Properties: z.object({
      Roles: z.tuple([z.object({ Ref: z.string() })]),
      PolicyDocument: z.object({
        Statement: z.array(
          z.object({
            Effect: z.literal('Allow'),
            Action: list(z.string()),
            Resource: list(z.unknown()),
            Condition: z.unknown().optional(),
          }),
        ),
      }),
    }),
  }),
)

/** Every permission of every role, one line each: `action on resource`. */
function permissions(settings?: Settings): Record<string, string[]> {
  const found = policies.parse(exampleTemplate(settings).findResources('AWS::IAM::Policy'))
  return Object.fromEntries(
    Object.values(found).map(({ Properties: { Roles, PolicyDocument } }) => [
      readable(Roles[0]).replace(/^<Control(.*)Role>$/, '$1'),
      PolicyDocument.Statement.flatMap(({ Action, Resource, Condition }) =>
        Action.flatMap((action) =>
          Resource.map(
            (resource) =>
              `${action} on ${readable(resource).replace('<AWS::Region>:<AWS::AccountId>', '')}${Condition ? ` if ${JSON.stringify(Condition)}` : ''}`,
          ),
        ),
      ).sort(),
    ]),
  )
}

const filed = '{"dynamodb:LeadingKeys":["CHANGES#*"]}'
const store = [
  ...['ConditionCheckItem', 'GetItem', 'Query'].map(
    (action) => `dynamodb:${action} on <ControlStoreTable.Arn>`,
  ),
  // What is on file is written by reconcile alone.
  ...['DeleteItem', 'PutItem', 'UpdateItem'].map(
    (action) => `dynamodb:${action} on <ControlStoreTable.Arn> if {"ForAllValues:StringNotLike":${filed}}`,
  ),
]
const filing = `dynamodb:PutItem on <ControlStoreTable.Arn> if {"ForAllValues:StringLike":${filed}}`
const fleet = [
  'ssm:GetParametersByPath on arn:<AWS::Partition>:ssm::parameter/dispatcher-control/edges',
  'ssm:GetParameter on arn:<AWS::Partition>:ssm::parameter/dispatcher-control/rpc-secret',
  ...['edge-a', 'edge-b'].map(
    (edge) =>
      `execute-api:Invoke on arn:<AWS::Partition>:execute-api::<EdgeAccessApi>/$default/POST/edges/${edge}/rpc`,
  ),
]
const settles = ['lambda:InvokeFunction on <ControlSettleFunction.Arn>']
const instances = ['ec2:DescribeInstances on *']
const group = 'arn:<AWS::Partition>:autoscaling::autoScalingGroup:*:autoScalingGroupName/media-servers'
const heartbeat = [`autoscaling:RecordLifecycleActionHeartbeat on ${group}`]
const terminate = [`autoscaling:TerminateInstanceInAutoScalingGroup on ${group}`]
const complete = [`autoscaling:CompleteLifecycleAction on ${group}`]
const workflows = [
  'states:StartExecution on arn:<AWS::Partition>:states::stateMachine:dispatcher-control-drain',
  'states:DescribeExecution on arn:<AWS::Partition>:states::execution:dispatcher-control-drain:*',
]
const idle = ['states:ListExecutions on arn:<AWS::Partition>:states::stateMachine:dispatcher-control-drain']
const groupMembers = ['autoscaling:DescribeAutoScalingGroups on *']
const alarms = [
  'cloudwatch:DescribeAlarms on *',
  'cloudwatch:DescribeAlarmContributors on arn:<AWS::Partition>:cloudwatch::alarm:media-server-cpu',
]
const events = ['events:PutEvents on <ControlEvents.Arn>']
const logs = (name: string) =>
  ['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <Control${name}Logs.Arn>`)
const queue = (name: string) => [
  ...['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'].map(
    (action) => `sqs:${action} on <Control${name}Queue.Arn>`,
  ),
  `sqs:SendMessage on <Control${name}DeadLetters.Arn>`,
]
const look = (name: string) => [
  ...[...store, ...settles, ...instances, ...heartbeat, ...complete, ...terminate, ...workflows, ...events],
  ...logs(name),
]
const logDeliveries = [
  'CreateLogDelivery',
  'DeleteLogDelivery',
  'DescribeLogGroups',
  'DescribeResourcePolicies',
  'GetLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'UpdateLogDelivery',
].map((action) => `logs:${action} on *`)

test('each role may do what its function needs, on our own resources, and nothing else', () => {
  const expected = {
    Settle: [
      ...[...store, ...fleet, ...instances, ...workflows, ...events, ...logs('Settle')],
      'sqs:SendMessage on <ControlSettleScheduleFailed.Arn>',
    ],
    OnLifecycleEvents: [
      ...[...store, ...settles, ...instances, ...complete, ...workflows, ...events],
      ...[...logs('OnLifecycleEvents'), ...queue('IntakeLifecycleEvents')],
    ],
    OnAlarmEvents: [
      ...[...store, ...settles, ...instances, ...workflows, ...events],
      ...[...logs('OnAlarmEvents'), ...queue('IntakeAlarmEvents')],
    ],
    OnCommands: [
      ...[...store, ...settles, ...instances, ...workflows, ...events],
      ...[...logs('OnCommands'), ...queue('Commands')],
    ],
    ObserveDrain: look('ObserveDrain'),
    CompleteDrain: look('CompleteDrain'),
    RetireDrain: look('RetireDrain'),
    Reconcile: [
      filing,
      ...[...store, ...settles, ...instances, ...workflows, ...events, ...logs('Reconcile')],
      'sqs:SendMessage on <ControlScheduleFailed.Arn>',
    ],
    Sweep: [
      ...[...store, ...settles, ...instances, ...heartbeat, ...complete, ...workflows, ...idle],
      ...[...groupMembers, ...alarms, ...events, ...logs('Sweep')],
      'sqs:SendMessage on <ControlSweepScheduleFailed.Arn>',
    ],
    Drain: [
      ...['CompleteDrain', 'ObserveDrain', 'RetireDrain'].map(
        (step) => `lambda:InvokeFunction on <Control${step}Function.Arn>`,
      ),
      ...logDeliveries,
    ],
  }
  expect(permissions()).toEqual(
    Object.fromEntries(Object.entries(expected).map(([role, lines]) => [role, lines.toSorted()])),
  )
})

test('the state machine takes its role for itself alone, every other role is for Lambda', () => {
  const role = z.object({
    Properties: z.object({
      AssumeRolePolicyDocument: z.object({
        Statement: z.tuple([
          z.object({
            Action: z.literal('sts:AssumeRole'),
            Principal: z.object({ Service: z.string() }),
            Condition: z.unknown().optional(),
          }),
        ]),
      }),
    }),
  })
  const trusts = Object.values(exampleTemplate().findResources('AWS::IAM::Role')).map(
    (each) => role.parse(each).Properties.AssumeRolePolicyDocument.Statement[0],
  )
  expect(new Set(trusts.map(({ Principal }) => Principal.Service))).toEqual(
    new Set(['lambda.amazonaws.com', 'states.amazonaws.com']),
  )
  const [states, ...others] = trusts.filter(({ Principal }) => Principal.Service === 'states.amazonaws.com')
  expect(others).toEqual([])
  expect(states?.Condition).toEqual({
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnEquals: { 'aws:SourceArn': expect.anything() },
  })
  expect(JSON.stringify(states?.Condition)).toContain(':stateMachine:dispatcher-control-drain')
})

test('only the settle function reads secrets: one by one by name, and their own key only through SSM', () => {
  const key = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555'
  const settings: Settings = {
    ...exampleSettings,
    parameterKeyArn: key,
    control: {
      ...exampleSettings.control,
      groups: exampleSettings.control.groups.map((each) => ({
        ...each,
        callCount: { kind: 'asterisk', port: 8088, user: 'control', passwordParameter: '/media-servers/ari' },
      })),
    },
  }
  const secrets = Object.entries(permissions(settings)).flatMap(([role, lines]) =>
    lines.filter((line) => /^(ssm:GetParameter |kms:)/.test(line)).map((line) => `${role}: ${line}`),
  )
  const viaSsm = `kms:Decrypt on ${key} if {"StringEquals":{"kms:ViaService":{"Fn::Join":["",["ssm.",{"Ref":"AWS::Region"},".amazonaws.com"]]}}}`
  const rpcSecret = 'ssm:GetParameter on arn:<AWS::Partition>:ssm::parameter/dispatcher-control/rpc-secret'
  const password = 'ssm:GetParameter on arn:<AWS::Partition>:ssm::parameter/media-servers/ari'
  expect(new Set(secrets)).toEqual(new Set([viaSsm, rpcSecret, password].map((line) => `Settle: ${line}`)))
})

test('what edgeTls names is read all at once, by the settle function and by nobody else', () => {
  const edgeTls = { caParameter: '/tls/ca', certificateParameter: '/tls/client', keyParameter: '/tls/key' }
  const key = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555'
  const reads = (more: Partial<Settings>) =>
    Object.entries(permissions({ ...exampleSettings, edgeAccess: { kind: 'direct' }, ...more })).flatMap(
      ([role, lines]) => {
        const found = lines.filter((line) => /^(ssm:GetParameters |kms:)/.test(line))
        return found.length > 0 ? [[role, found.map((line) => line.replace(/ if .*/, ''))]] : []
      },
    )
  const all = Object.values(edgeTls)
    .toSorted()
    .map((name) => `ssm:GetParameters on arn:<AWS::Partition>:ssm::parameter${name}`)
  expect(reads({ edgeTls, parameterKeyArn: key })).toEqual([['Settle', [`kms:Decrypt on ${key}`, ...all]]])
  expect(reads({ edgeTls: { caParameter: '/tls/ca' } })).toEqual([['Settle', all.slice(0, 1)]])
  expect(reads({})).toEqual([])
})

test('without a group no role may touch a lifecycle action, and without an alarm none may ask for its series', () => {
  const settings = { ...exampleSettings, control: { ...exampleSettings.control, groups: [], alarms: [] } }
  expect(
    Object.values(permissions(settings))
      .flat()
      .filter((line) => /^(autoscaling|cloudwatch):/.test(line)),
  ).toEqual(['autoscaling:DescribeAutoScalingGroups on *', 'cloudwatch:DescribeAlarms on *'])
})

test("an alarm's name covers no other alarm, whatever characters are in it", () => {
  const control = { ...exampleSettings.control, alarms: [{ name: 'is it * or ?' }] }
  const lines = Object.values(permissions({ ...exampleSettings, control })).flat()
  expect(lines.filter((line) => line.startsWith('cloudwatch:DescribeAlarmContributors'))).toEqual([
    'cloudwatch:DescribeAlarmContributors on arn:<AWS::Partition>:cloudwatch::alarm:is it ${*} or ${?}',
  ])
})

test('cdk-nag has nothing to say but what is acknowledged with its reason', () => {
  const { app } = exampleStack({
    ...exampleSettings,
    edgeAccess: {
      kind: 'direct',
      network: { vpcId: 'vpc-1', subnetIds: ['subnet-1', 'subnet-2'], securityGroupIds: ['sg-1'] },
    },
  })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  app.synth()
})
