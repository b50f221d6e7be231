import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { environment, type MetricName, metricNames } from '../../functions/contracts/names.ts'
import { createMetrics } from '../../functions/runtime/metrics.ts'
import { DispatcherControl } from '../../lib/dispatcher-control.ts'
import { directEdgeAccess } from '../../lib/edge-access.ts'
import { some } from '../present.ts'
import { alarmsOf, metric, named } from './alarms-of.ts'
import { variables, world } from './managed-world.ts'
import { exampleSettings, exampleTemplate, functionsPath, readable } from './synthesized.ts'

const root = join(import.meta.dirname, '../..')
const template = exampleTemplate()
const alarms = alarmsOf(template)

afterEach(() => {
  vi.restoreAllMocks()
})

/** What every function of the app is told. */
const [service = ''] = new Set(
  Object.values(template.findResources('AWS::Lambda::Function')).map((each) => {
    const { Variables } = variables.parse(each).Properties.Environment
    return z.string().parse(Variables[environment.service])
  }),
)

/** Namespace and dimensions as they are really written for this name. */
function emitted(name: MetricName) {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  createMetrics(service).count(name, 1)
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

test('two deployments in one account count, alarm and show each for itself', () => {
  const other = exampleTemplate({ ...exampleSettings, stackName: 'another' })
  const services = (from: typeof template) =>
    new Set(alarmsOf(from).flatMap(({ Dimensions }) => named(Dimensions)['service'] ?? []))
  expect(services(template)).toEqual(new Set(['dispatcher-control/Control']))
  expect(services(other)).toEqual(new Set(['another/Control']))
  for (const type of ['AWS::CloudWatch::Dashboard', 'AWS::Lambda::Function']) {
    const text = JSON.stringify(other.findResources(type))
    expect(text).toContain('another/Control')
    expect(text).not.toContain('dispatcher-control/Control')
  }
  // A search without its deployment would show both.
  expect(JSON.stringify(other.findResources('AWS::CloudWatch::Dashboard')).match(/SEARCH\(/g)).toHaveLength(
    JSON.stringify(other).match(/service=\\*"another\/Control\\*"/g)?.length ?? 0,
  )
  const { stack, control } = world()
  const second = new DispatcherControl(stack, 'Second', {
    control: { groups: [], timers: { failoverWindowSeconds: 7, longestCallSeconds: 14_400 } },
    edgesPath: '/edges',
    rpcSecretParameter: '/secret',
    edgeAccess: directEdgeAccess(),
    functionsPath,
  })
  expect([control.service, second.service]).toEqual(['Media/Control', 'Media/Second'])
})

test('an execution that failed, was stopped or was ended by AWS is alarmed', () => {
  expect(alarms.filter(({ Namespace }) => Namespace === 'AWS/States').map(({ id }) => id)).toEqual([
    'ExecutionsFailed',
    'ExecutionsTimedOut',
    'ExecutionsAborted',
  ])
})

test('every alarm says what it means, where to read on, and what no data stands for', () => {
  for (const { id, AlarmDescription } of some(alarms)) {
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
  for (const one of some(told)) {
    expect(one).toMatchObject({ AlarmActions: [topic], OKActions: [topic] })
    expect(one.AlarmDescription).toContain('https://example.com/runbook#')
  }
})

test('the dashboard shows every metric of ours, and each queue, function and the state machine', () => {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'))
  const body = JSON.stringify(dashboard)
  for (const name of some(Object.values(metricNames))) expect(body).toContain(name)
  for (const type of [
    'AWS::SQS::Queue',
    'AWS::Events::Rule',
    'AWS::Lambda::Function',
    'AWS::StepFunctions::StateMachine',
  ])
    for (const id of some(Object.keys(template.findResources(type)))) expect(body).toContain(`"${id}"`)
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
  for (const [name, text] of some(entries))
    for (const part of ['**Means**', '**Look**', '**Fix**']) expect(text, name).toContain(part)
})
