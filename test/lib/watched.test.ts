import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Settings } from '../../functions/contracts/settings.ts'
import { Alarms } from '../../lib/alarms.ts'
import { alarmsOf, named } from './alarms-of.ts'
import { imported, terminate, world } from './managed-world.ts'
import { exampleSettings, exampleTemplate, readable } from './synthesized.ts'

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
  // Seven rules, three queues, and three functions that are called without waiting for their answer.
  expect(dead).toHaveLength(13)
  expect(new Set(dead).size).toBe(13)
  // Every queue that nobody works off is one of them.
  expect(resources('AWS::SQS::Queue')).toHaveLength(3 + 13)
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
