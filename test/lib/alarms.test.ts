import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type MetricName, metricNames } from '../../functions/contracts/names.ts'
import { createMetrics } from '../../functions/runtime/metrics.ts'
import { Alarms } from '../../lib/alarms.ts'
import type { Settings } from '../../lib/settings.ts'
import { imported, terminate, world } from './managed-world.ts'
import { exampleSettings, exampleTemplate, readable } from './synthesized.ts'

const root = join(import.meta.dirname, '../..')
const dimension = z.object({ Name: z.string(), Value: z.unknown() })
const metric = z.object({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(dimension).default([]),
})
const alarm = z.object({
  Properties: z.object({
    AlarmDescription: z.string(),
    Threshold: z.number(),
    TreatMissingData: z.enum(['notBreaching', 'ignore', 'breaching']),
    AlarmActions: z.array(z.unknown()).optional(),
    OKActions: z.array(z.unknown()).optional(),
    ...metric.shape,
  }),
})
const relaySettings: Settings = {
  ...exampleSettings,
  edgeAccess: {
    kind: 'relay',
    vpcId: 'vpc-1',
    subnetIds: ['subnet-1'],
    networks: ['10.0.0.0/16'],
    port: 8080,
  },
}
const template = exampleTemplate()
const alarms = alarmsOf(template)

function alarmsOf(from: typeof template) {
  return Object.entries(from.findResources('AWS::CloudWatch::Alarm')).map(([id, resource]) => ({
    id: readable({ Ref: id }).replace(/^<Alarms(.*)>$/, '$1'),
    ...alarm.parse(resource).Properties,
  }))
}

const named = (dimensions: readonly z.output<typeof dimension>[]) =>
  Object.fromEntries(
    dimensions.map(({ Name, Value }) => [Name, typeof Value === 'string' ? Value : readable(Value)]),
  )

afterEach(() => {
  vi.restoreAllMocks()
})

/** Namespace and dimensions as they are really written for this name. */
function emitted(name: MetricName) {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  createMetrics().count(name, 1)
  vi.restoreAllMocks()
  const line = z
    .looseObject({
      _aws: z.object({
        CloudWatchMetrics: z.tuple([
          z.object({
            Namespace: z.string(),
            Dimensions: z.tuple([z.array(z.string())]),
            Metrics: z.tuple([z.object({ Name: z.string() })]),
          }),
        ]),
      }),
    })
    .parse(JSON.parse(written.join('')))
  const [{ Namespace, Dimensions, Metrics }] = line._aws.CloudWatchMetrics
  return {
    Namespace,
    MetricName: Metrics[0].Name,
    Dimensions: Dimensions[0].map((each) => ({ Name: each, Value: line[each] })),
  }
}

/** The text of every file that runs in Lambda but the one that names the metrics. */
const sources = readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'contracts/names.ts')
  .map((file) => readFileSync(join(root, 'functions', file), 'utf8'))
  .join('\n')

test.each(Object.entries(metricNames))('%s is counted by the code', (key) => {
  expect(sources).toMatch(new RegExp(`count\\(\\s*metricNames\\.${key},`))
})

describe('no alarm waits for a metric that never comes', () => {
  const own = alarms.filter(({ Namespace }) => !Namespace.startsWith('AWS/'))
  test.each(own.map((one) => [one.id, one] as const))('%s: as the code writes it', (_, one) => {
    const watched = metric.parse(one)
    const entry = Object.entries(metricNames).find(([, name]) => name === watched.MetricName)
    expect(watched).toEqual(emitted(z.enum(metricNames).parse(watched.MetricName)))
    // Counted with a dimension more it would be another metric.
    expect(sources).not.toMatch(new RegExp(`metricNames\\.${entry?.[0]},[^,)]*,`))
  })

  const expected: Record<string, { dimension: string; metrics: string[]; type: string }> = {
    'AWS/SQS': {
      dimension: 'QueueName',
      metrics: ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
      type: 'AWS::SQS::Queue',
    },
    'AWS/States': {
      dimension: 'StateMachineArn',
      metrics: ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'],
      type: 'AWS::StepFunctions::StateMachine',
    },
    'AWS/Events': {
      dimension: 'RuleName',
      metrics: ['InvocationsFailedToBeSentToDlq'],
      type: 'AWS::Events::Rule',
    },
    'AWS/Lambda': {
      dimension: 'FunctionName',
      metrics: ['Errors', 'Throttles'],
      type: 'AWS::Lambda::Function',
    },
  }
  const aws = alarms.filter((one) => !own.includes(one))
  test.each(aws.map((one) => [one.id, one] as const))(
    '%s: as AWS writes it, of one of our resources',
    (_, { Namespace, MetricName, Dimensions }) => {
      const known = expected[Namespace]
      expect(known?.metrics).toContain(MetricName)
      const of = named(Dimensions)
      expect(Object.keys(of)).toEqual([known?.dimension])
      const ours = Object.keys(template.findResources(known?.type ?? '')).map((id) => readable({ Ref: id }))
      expect(ours).toContain(of[known?.dimension ?? '']?.replace('.QueueName>', '>'))
    },
  )
})

describe.each([
  ['the VPC link', exampleSettings],
  ['the relay', relaySettings],
])('with edges by %s', (_access, settings) => {
  const deployed = exampleTemplate(settings)
  const those = alarmsOf(deployed)
  const watched = (namespace: string, name: string) =>
    those
      .filter((each) => each.Namespace === namespace && each.MetricName === name)
      .map(({ Dimensions }) => Object.values(named(Dimensions)).join().replace('.QueueName>', '>'))
      .toSorted()
  const all = (type: string) =>
    Object.keys(deployed.findResources(type))
      .map((id) => readable({ Ref: id }))
      .toSorted()

  test('each queue, rule and function is watched by an alarm of its own', () => {
    const queues = all('AWS::SQS::Queue')
    const workedOff = queues.filter((name) => name.endsWith('Queue>'))
    expect(workedOff).toHaveLength(3)
    expect(watched('AWS/SQS', 'ApproximateAgeOfOldestMessage')).toEqual(workedOff)
    expect(watched('AWS/SQS', 'ApproximateNumberOfMessagesVisible')).toEqual(
      queues.filter((name) => !workedOff.includes(name)),
    )
    expect(watched('AWS/Events', 'InvocationsFailedToBeSentToDlq')).toEqual(all('AWS::Events::Rule'))
    for (const name of ['Errors', 'Throttles'])
      expect(watched('AWS/Lambda', name)).toEqual(all('AWS::Lambda::Function'))
  })
})

test('each rule, queue and async call has a dead-letter queue, and no two have the same', () => {
  const resources = (type: string) => Object.values(template.findResources(type))
  const rule = z.object({
    Properties: z.object({
      Targets: z.array(z.object({ DeadLetterConfig: z.object({ Arn: z.unknown() }) })),
    }),
  })
  const queue = z.object({
    Properties: z.object({ RedrivePolicy: z.object({ deadLetterTargetArn: z.unknown() }).optional() }),
  })
  const invoke = z.object({
    Properties: z.object({
      DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.unknown() }) }),
    }),
  })
  const dead = [
    ...resources('AWS::Events::Rule').flatMap((each) =>
      rule.parse(each).Properties.Targets.map(({ DeadLetterConfig }) => DeadLetterConfig.Arn),
    ),
    ...resources('AWS::SQS::Queue').flatMap(
      (each) => queue.parse(each).Properties.RedrivePolicy?.deadLetterTargetArn ?? [],
    ),
    ...resources('AWS::Lambda::EventInvokeConfig').map(
      (each) => invoke.parse(each).Properties.DestinationConfig.OnFailure.Destination,
    ),
  ].map(readable)
  // Five rules, three queues, and one function that is called without waiting for its answer.
  expect(dead).toHaveLength(9)
  expect(new Set(dead).size).toBe(9)
  // Every queue that nobody works off is one of them.
  expect(resources('AWS::SQS::Queue')).toHaveLength(3 + 9)
})

test('a rule that a group brings later is watched too', () => {
  const { stack, control } = world()
  const { alarms: made } = new Alarms(stack, 'Alarms', { control })
  const before = made.length
  control.manage(imported(stack, 'theirs'), terminate)
  expect(made.slice(before).map(({ node }) => node.id)).toEqual([
    'LifecycleActionsUndelivered',
    'LifecycleActionsLost',
    'InstanceResultsUndelivered',
    'InstanceResultsLost',
  ])
})

test('an execution that failed, was stopped or was ended by AWS is alarmed', () => {
  expect(alarms.filter(({ Namespace }) => Namespace === 'AWS/States').map(({ id }) => id)).toEqual([
    'ExecutionsFailed',
    'ExecutionsTimedOut',
    'ExecutionsAborted',
  ])
})

test('every alarm says what it means, where to read on, and what no data stands for', () => {
  for (const { id, AlarmDescription } of alarms) {
    expect(AlarmDescription, id).toMatch(/Runbook: docs\/operations\.md#[a-z-]+ \(No data: .+\.\)$/)
    expect(AlarmDescription.length, id).toBeLessThanOrEqual(1024)
  }
})

test('without a topic nobody is told; with one, of each alarm and of its end', () => {
  expect(alarms.filter((one) => one.AlarmActions || one.OKActions)).toEqual([])
  const topic = 'arn:aws:sns:eu-central-1:123456789012:on-call'
  const told = alarmsOf(
    exampleTemplate({ ...exampleSettings, alarmTopicArn: topic, runbookUrl: 'https://example.com/runbook' }),
  )
  expect(told).toHaveLength(alarms.length)
  for (const one of told) {
    expect(one).toMatchObject({ AlarmActions: [topic], OKActions: [topic] })
    expect(one.AlarmDescription).toContain('https://example.com/runbook#')
  }
})

test('the dashboard shows every metric of ours, and each queue, function and the state machine', () => {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'))
  const body = JSON.stringify(dashboard)
  for (const name of Object.values(metricNames)) expect(body).toContain(name)
  for (const type of [
    'AWS::SQS::Queue',
    'AWS::Events::Rule',
    'AWS::Lambda::Function',
    'AWS::StepFunctions::StateMachine',
  ])
    for (const id of Object.keys(template.findResources(type))) expect(body).toContain(`"${id}"`)
})

/** As GitHub makes an anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

test('every alarm has its entry in the runbook, with meaning, look and fix, and no entry is without its alarm', () => {
  const runbook = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const [, section = ''] = runbook.split('\n## Alarms\n')
  const entries = new Map(
    (section.split('\n## ')[0] ?? '')
      .split('\n### ')
      .slice(1)
      .map((entry): [string, string] => {
        const [heading = '', ...text] = entry.split('\n')
        return [anchor(heading), text.join('\n')]
      }),
  )
  const wanted = new Set(alarms.map(({ AlarmDescription }) => /#([a-z-]+)/.exec(AlarmDescription)?.[1] ?? ''))
  expect([...entries.keys()].sort()).toEqual([...wanted].sort())
  for (const [name, text] of entries)
    for (const part of ['**Means**', '**Look**', '**Fix**']) expect(text, name).toContain(part)
})
