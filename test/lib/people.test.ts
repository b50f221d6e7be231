import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Construct } from 'constructs'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { parseDeployment } from '../../functions/contracts/deployment.ts'
import { DispatcherControl } from '../../lib/dispatcher-control.ts'
import { directEdgeAccess } from '../../lib/edge-access.ts'
import {
  assemblyFolder,
  exampleSettings,
  exampleStack,
  exampleTemplate,
  functionsPath,
  readable,
} from './synthesized.ts'

const parameter = z.object({ Properties: z.object({ Name: z.string(), Value: z.unknown() }) })
const parameters = (template: Template) =>
  Object.values(template.findResources('AWS::SSM::Parameter')).map((each) => parameter.parse(each).Properties)

const inAnotherApp = {
  ...{ edgesPath: '/voice/edges', rpcSecretParameter: '/voice/rpc-secret', functionsPath },
  edgeAccess: directEdgeAccess(),
  control: { groups: [], timers: { failoverWindowSeconds: 7, longestCallSeconds: 43_200 } },
}

/** What CloudFormation would make of the value, each reference by its name. */
function filledIn(value: unknown): string {
  const { 'Fn::Join': join } = z
    .object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) })
    .parse(value)
  return join[1]
    .map((part) => (typeof part === 'string' ? part : Object.values(part ?? {}).join('.')))
    .join('')
}

test('the stack writes one parameter, by which its tools find everything that they need', () => {
  const [found, ...others] = parameters(exampleTemplate())
  expect(others).toEqual([])
  expect(found?.Name).toBe('/kdc/dispatcher-control')
  expect(parseDeployment(filledIn(found?.Value))).toMatchObject({
    stack: 'dispatcher-control',
    table: expect.stringContaining('StoreTable'),
    commandQueueUrl: expect.stringContaining('CommandsQueue'),
    deadLetterQueueUrls: {
      commands: expect.stringContaining('CommandsDeadLetters'),
      lifecycleEvents: expect.stringContaining('LifecycleEventsDeadLetters'),
      alarmEvents: expect.stringContaining('AlarmEventsDeadLetters'),
    },
    eventQueueUrls: {
      lifecycleEvents: expect.stringContaining('LifecycleEventsQueue'),
      alarmEvents: expect.stringContaining('AlarmEventsQueue'),
    },
    edgesPath: '/dispatcher-control/edges',
    timers: {
      failoverWindowSeconds: exampleSettings.control.timers.failoverWindowSeconds,
      longestCallSeconds: exampleSettings.control.timers.longestCallSeconds,
    },
    made: {
      stack: 'dispatcher-control',
      prefix: 'Control',
      settleFunction: expect.stringContaining('SettleFunction'),
    },
  })
})

test('what the stack is made of is told from what else is in it by how its logical ids begin', () => {
  const { prefix = 'none' } = parseDeployment(filledIn(parameters(exampleTemplate())[0]?.Value)).made ?? {}
  const ours = Object.keys(exampleTemplate().findResources('AWS::Lambda::Function'))
  expect(ours.length).toBeGreaterThan(8)
  expect(ours.filter((id) => !id.startsWith(prefix))).toEqual([])
  const nested = new Construct(new Stack(new App({ outdir: assemblyFolder() }), 'Voice'), 'The-edges')
  new DispatcherControl(nested, 'One', inAnotherApp)
  const [parameter] = parameters(Template.fromStack(Stack.of(nested)))
  expect(filledIn(parameter?.Value)).toContain('"prefix":"TheedgesOne"')
  const queues = Object.keys(Template.fromStack(Stack.of(nested)).findResources('AWS::SQS::Queue'))
  expect(queues.filter((id) => !id.startsWith('TheedgesOne'))).toEqual([])
})

test('in another app the parameter is named after the stack, and a second construct has the name that it is given', () => {
  const stack = new Stack(new App({ outdir: assemblyFolder() }), 'Voice')
  new DispatcherControl(stack, 'One', inAnotherApp)
  new DispatcherControl(stack, 'Two', { ...inAnotherApp, stateMachineName: 'two', kdcName: 'Voice-two' })
  expect(parameters(Template.fromStack(stack)).map(({ Name }) => Name)).toEqual([
    '/kdc/Voice',
    '/kdc/Voice-two',
  ])
})

test("a parameter under the edges' path, where it would be read as an edge, is refused at synth", () => {
  expect(() => exampleStack({ ...exampleSettings, edgesPath: '/kdc' })).toThrow(
    '/kdc/dispatcher-control is under /kdc, where every parameter is taken for an edge',
  )
})

const list = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]).transform((v) => [v].flat())
const intakeRules = ['EdgeList', 'LifecycleActions', 'InstanceResults', 'Alarms']
const seeRule = (id: string) => `events:DescribeRule on <Control${id}.Arn>`
const seeQueue = (id: string) => `sqs:GetQueueAttributes on <Control${id}.Arn>`
test('people may look, or look and send commands, at this deployment and nothing else', () => {
  const managed = z.record(
    z.string(),
    z.object({
      Properties: z.object({
        PolicyDocument: z.object({
          Statement: z.array(
            z.object({ Effect: z.literal('Allow'), Action: list(z.string()), Resource: list(z.unknown()) }),
          ),
        }),
      }),
    }),
  )
  const found = managed.parse(exampleTemplate().findResources('AWS::IAM::ManagedPolicy'))
  const lines = Object.entries(found).map(([id, { Properties }]): [string, string[]] => [
    id.replace(/^ControlPeople(.*)[0-9A-F]{8}$/, '$1'),
    Properties.PolicyDocument.Statement.flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => `${action} on ${readable(resource)}`)),
    ),
  ])
  const read = [
    'dynamodb:GetItem on <ControlStoreTable.Arn>',
    'dynamodb:Query on <ControlStoreTable.Arn>',
    'ssm:GetParameter on arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter<ControlPeopleDeployment>',
    'ssm:GetParametersByPath on arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/dispatcher-control/edges',
    'cloudformation:ListStackResources on <AWS::StackId>',
    'lambda:GetFunctionConfiguration on <ControlSettleFunction.Arn>',
    'lambda:GetFunctionConcurrency on *',
    ...['LifecycleEvents', 'AlarmEvents', 'Commands'].map(
      (name) =>
        `lambda:GetEventSourceMapping on arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:event-source-mapping:<ControlOn${name}FunctionMessages>`,
    ),
    ...['cloudwatch:DescribeAlarms', 'autoscaling:DescribeAutoScalingGroups'].map((each) => `${each} on *`),
    'autoscaling:DescribeLifecycleHooks on *',
    ...['SettleSchedule', 'Schedule', 'SweepSchedule'].map((id) => `${id}EveryMinute`).map(seeRule),
    ...intakeRules.map((id) => seeRule(`Intake${id}`)),
    ...['Commands', 'IntakeLifecycleEvents', 'IntakeAlarmEvents'].flatMap((id) => [
      seeQueue(`${id}Queue`),
      seeQueue(`${id}DeadLetters`),
    ]),
    ...['SettleSchedule', 'Schedule', 'SweepSchedule'].flatMap((id) => [
      seeQueue(`${id}Failed`),
      seeQueue(`${id}Undelivered`),
    ]),
    ...intakeRules.map((id) => seeQueue(`Intake${id}Undelivered`)),
  ].toSorted()
  const clearsUp = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'].flatMap((action) =>
    ['Commands', 'IntakeLifecycleEvents', 'IntakeAlarmEvents'].map(
      (queue) => `sqs:${action} on <Control${queue}DeadLetters.Arn>`,
    ),
  )
  expect(Object.fromEntries(lines.map(([id, its]) => [id, its.toSorted()]))).toEqual({
    Read: read,
    Operate: [...read, 'sqs:SendMessage on <ControlCommandsQueue.Arn>', ...clearsUp].toSorted(),
  })
})

test('each policy is one that IAM takes, with the longest names that CloudFormation gives', () => {
  const templates = exampleTemplate({ ...exampleSettings, stackName: 'v'.repeat(74) })
  const policies = Object.values(templates.findResources('AWS::IAM::ManagedPolicy'))
  const longest: readonly (readonly [RegExp, number])[] = [
    [/(Queue|DeadLetters|Undelivered|Failed)\.Arn>/g, 'arn:aws:sqs:ap-southeast-1:123456789012:'.length + 80],
    [/Function\.Arn>/g, 'arn:aws:lambda:ap-southeast-1:123456789012:function:'.length + 64],
    [/<\w+\.Arn>/g, 'arn:aws:dynamodb:ap-southeast-1:123456789012:table/'.length + 74],
    [/<AWS::StackId>/g, 'arn:aws:cloudformation:ap-southeast-1:123456789012:stack//'.length + 74 + 36],
    [/<\w+>/g, 74],
  ]
  const statements = z.array(z.record(z.string(), z.unknown()))
  const sizes = policies.map(({ Properties }) => {
    const document = z.object({ PolicyDocument: z.object({ Statement: statements }) }).parse(Properties)
    const named = document.PolicyDocument.Statement.map((statement) => ({
      ...statement,
      Resource: [statement['Resource']].flat().map(readable),
    }))
    const text = longest.reduce(
      (so, [name, length]) => so.replaceAll(name, '_'.repeat(length)),
      JSON.stringify(named),
    )
    return text.length
  })
  expect(sizes).toHaveLength(2)
  expect(Math.max(...sizes)).toBeLessThan(6144 - 60)
})
