import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { handlers } from '../../lib/handlers.ts'
import { reachable } from './call-graph.ts'
import { exampleTemplate, readable } from './synthesized.ts'

const functions = join(import.meta.dirname, '../../functions')

interface Use {
  readonly action: string
  readonly use: RegExp
}

/**
 * Each AWS command that the code sends: the IAM action that it needs, and the use of a port that sends it.
 */
const commands: Readonly<Record<string, Use>> = {
  StartExecutionCommand: { action: 'states:StartExecution', use: /\bworkflows\s*\.start\b/ },
  // Only after a start that finds the name taken.
  DescribeExecutionCommand: { action: 'states:DescribeExecution', use: /\bworkflows\s*\.start\b/ },
  GetCommand: { action: 'dynamodb:GetItem', use: /\bstore\s*\.\w/ },
  QueryCommand: { action: 'dynamodb:Query', use: /\bstore\s*\.\w/ },
  PutCommand: { action: 'dynamodb:PutItem', use: /\bstore\s*\.\w/ },
  DeleteCommand: { action: 'dynamodb:DeleteItem', use: /\bstore\s*\.\w/ },
  UpdateCommand: { action: 'dynamodb:UpdateItem', use: /\bstore\s*\.\w/ },
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
  TransactWriteCommand: { action: 'dynamodb:PutItem', use: /\bstore\s*\.(retire|putReading)\b/ },
  GetParametersByPathCommand: { action: 'ssm:GetParametersByPath', use: /\bfleet\s*\.\w/ },
  // The edges' secret, and the media servers'.
  GetParameterCommand: { action: 'ssm:GetParameter', use: /\b(fleet|mediaServers)\s*\.\w/ },
  DescribeInstancesCommand: { action: 'ec2:DescribeInstances', use: /\binstances\s*\.\w/ },
  PutEventsCommand: { action: 'events:PutEvents', use: /\bevents\s*\.publish\b/ },
  RecordLifecycleActionHeartbeatCommand: {
    action: 'autoscaling:RecordLifecycleActionHeartbeat',
    use: /\blifecycleActions\s*\.heartbeat\b/,
  },
  CompleteLifecycleActionCommand: {
    action: 'autoscaling:CompleteLifecycleAction',
    use: /\blifecycleActions\s*\.complete\b/,
  },
  TerminateInstanceInAutoScalingGroupCommand: {
    action: 'autoscaling:TerminateInstanceInAutoScalingGroup',
    use: /\blifecycleActions\s*\.terminate\b/,
  },
  ListExecutionsCommand: { action: 'states:ListExecutions', use: /\bworkflows\s*\.idle\b/ },
  DescribeAutoScalingGroupsCommand: {
    action: 'autoscaling:DescribeAutoScalingGroups',
    use: /\bgroupMembers\s*\.\w/,
  },
  DescribeAlarmsCommand: { action: 'cloudwatch:DescribeAlarms', use: /\balarms\s*\.states\b/ },
  DescribeAlarmContributorsCommand: {
    action: 'cloudwatch:DescribeAlarmContributors',
    use: /\balarms\s*\.contributorsInAlarm\b/,
  },
  // Of the relay, too, whose own permission comes with it.
  InvokeCommand: { action: 'lambda:InvokeFunction', use: /\bsettles\s*\.ask\b/ },
  SendMessageCommand: { action: 'sqs:SendMessage', use: /\bdeadLetters\s*\.reject\b/ },
  ChangeMessageVisibilityCommand: { action: 'sqs:ChangeMessageVisibility', use: /\bcreateRedelivery\b/ },
}

/** The condition of a transaction on a row that it does not write: no command of its own does it. */
const checked: Use = { action: 'dynamodb:ConditionCheckItem', use: /\bstore\s*\.\w/ }
/** What is asked of an edge is signed for its route; no command of a client does it. */
const signed: Use = { action: 'execute-api:Invoke', use: /\bfleet\s*\.\w/ }

/** Sent only where `edgeTls` names parameters, whose permission comes with it. */
const withEdgeTls = ['GetParametersCommand']

/** What Lambda itself does with a function's role. */
const lambdaItself = [
  ...['logs:CreateLogStream', 'logs:PutLogEvents'],
  ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
]
/** Where Lambda puts a call that the function failed at. */
const onFailure: Readonly<Record<string, readonly string[]>> = {
  settle: ['sqs:SendMessage'],
  reconcile: ['sqs:SendMessage'],
  sweep: ['sqs:SendMessage'],
}

/**
 * The actions behind everything that a handler can reach. Adapters are left out: each constructs all that it
 * is given.
 */
function called(handler: string): string[] {
  const file = join(functions, 'handlers', `${handler}.ts`)
  const reached = [...reachable(file, 'handler')].filter(([key]) => !/runtime\/(\w+-)?ports\.ts:/.test(key))
  expect(reached.length).toBeGreaterThan(5)
  const code = reached
    .filter(([key]) => !key.includes('/functions/aws/') && !key.includes('/functions/kamailio/'))
    .map(([, text]) => text)
    .join('\n')
  return [
    ...new Set(
      [...Object.values(commands), checked, signed]
        .filter(({ use }) => use.test(code))
        .map(({ action }) => action),
    ),
  ].toSorted()
}

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat())
const policies = z.record(
  z.string(),
  z.object({
    Properties: z.object({
      Roles: z.tuple([z.unknown()]),
      PolicyDocument: z.object({ Statement: z.array(z.object({ Action: texts })) }),
    }),
  }),
)
const granted = policies.parse(exampleTemplate().findResources('AWS::IAM::Policy'))
const construct = (handler: string) =>
  // Its construct has a former name.
  (handler === 'look' ? 'observe-drain' : handler).replace(/(^|-)(\w)/g, (_, _hyphen, letter: string) =>
    letter.toUpperCase(),
  )

function allowed(handler: string): string[] {
  const names = [`<Control${construct(handler)}Role>`, `<ControlOn${construct(handler)}Role>`]
  const [own, ...others] = Object.values(granted).filter(({ Properties: { Roles } }) =>
    names.includes(readable(Roles[0])),
  )
  expect(others).toEqual([])
  const actions = own?.Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action) ?? []
  const ofLambda = [...lambdaItself, ...(onFailure[handler] ?? [])]
  return [...new Set(actions)].filter((action) => !ofLambda.includes(action)).toSorted()
}

test('every AWS command in the code is known here, with the action that it needs', () => {
  const sent = readdirSync(functions, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(functions, file), 'utf8'))
    .flatMap((text) => [
      ...[...text.matchAll(/\bnew (\w+Command)\(/g)].map(([, name]) => name),
      ...[...text.matchAll(/\bpaginate(\w+)\(/g)].map(([, name]) => `${name}Command`),
    ])
  expect([...new Set(sent)].toSorted()).toEqual([...Object.keys(commands), ...withEdgeTls].toSorted())
})

describe('the role of a function allows the actions that its code can call, and no other', () => {
  test.each(Object.keys(handlers))('%s', (handler) => {
    expect(allowed(handler)).toEqual(called(handler))
  })
})
