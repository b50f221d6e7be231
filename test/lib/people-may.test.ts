import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { exampleTemplate } from './synthesized.ts'

const cli = join(import.meta.dirname, '../../cli')
const sources = globSync('**/*.ts', { cwd: cli }).map((name) => readFileSync(join(cli, name), 'utf8'))

/** By the package of its client. */
const services: Readonly<Record<string, string>> = {
  'auto-scaling': 'autoscaling',
  cloudformation: 'cloudformation',
  cloudwatch: 'cloudwatch',
  eventbridge: 'events',
  lambda: 'lambda',
  sqs: 'sqs',
  ssm: 'ssm',
  sts: 'sts',
}

/** A batch needs the permission of what is in it. */
const actionOf = (service: string, command: string) => `${service}:${command.replace(/Batch$/, '')}`

/** The IAM actions of what a source sends with clients of its own. */
function sentBy(source: string): string[] {
  const imports = source.matchAll(/import \{([^}]+)\} from '@aws-sdk\/client-([\w-]+)'/g)
  return [...imports].flatMap(([, names = '', client = '']) =>
    [...names.matchAll(/\b(?:paginate(\w+)|(\w+)Command)\b/g)].map(([, paged, sent]) =>
      actionOf(services[client] ?? client, paged ?? sent ?? ''),
    ),
  )
}

/** What it imports of the functions' adapters, and what it asks with each. */
const adapters: Readonly<Record<string, readonly string[]>> = {
  // As `Shelf` of cli/desk/desk.ts has it, which has no write.
  'dynamo-store': ['dynamodb:GetItem', 'dynamodb:Query'],
  'dynamo-changes': [],
  fleet: ['ssm:GetParametersByPath'],
  'in-parallel': [],
}

/** Whoever has credentials may. */
const needsNone = ['sts:GetCallerIdentity']
/** `hooks apply` is for whoever deploys the groups: docs/commands.md. */
const inNeither = ['autoscaling:PutLifecycleHook', 'autoscaling:UpdateAutoScalingGroup']
const onlyOperates = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'].map(
  (action) => `sqs:${action}`,
)

const policies = z.record(
  z.string(),
  z.object({
    Properties: z.object({
      PolicyDocument: z.object({
        Statement: z.array(z.object({ Action: z.union([z.string(), z.array(z.string())]) })),
      }),
    }),
  }),
)

function allowedBy(name: 'Read' | 'Operate'): string[] {
  const all = Object.entries(policies.parse(exampleTemplate().findResources('AWS::IAM::ManagedPolicy')))
  const found = all.filter(([id]) => id.startsWith(`ControlPeople${name}`))
  expect(found).toHaveLength(1)
  const actions = found.flatMap(([, { Properties }]) =>
    Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action),
  )
  return [...new Set(actions)].toSorted()
}

test('what kdc imports of the functions’ adapters is known here, with what it asks by each', () => {
  const imported = sources.flatMap((source) =>
    [...source.matchAll(/from '(?:\.\.\/)+functions\/aws\/([\w-]+)\.ts'/g)].map(([, name]) => name),
  )
  expect([...new Set(imported)].toSorted()).toEqual(Object.keys(adapters).toSorted())
})

test('each of the two policies allows the actions that kdc can ask for under it, and no other', () => {
  const asked = [...sources.flatMap(sentBy), ...Object.values(adapters).flat()]
  const needed = [...new Set(asked)].filter((action) => ![...needsNone, ...inNeither].includes(action))
  expect(allowedBy('Operate')).toEqual(needed.toSorted())
  expect(allowedBy('Read')).toEqual(needed.filter((action) => !onlyOperates.includes(action)).toSorted())
  expect(asked).toEqual(expect.arrayContaining(inNeither))
})
