import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
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
} from './synthesized.ts'

const parameter = z.object({ Properties: z.object({ Name: z.string(), Value: z.unknown() }) })
const parameters = (template: Template) =>
  Object.values(template.findResources('AWS::SSM::Parameter')).map((each) => parameter.parse(each).Properties)

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
  })
})

test('in another app the parameter is named after the stack, and a second construct has the name that it is given', () => {
  const stack = new Stack(new App({ outdir: assemblyFolder() }), 'Voice')
  const common = {
    ...{ edgesPath: '/voice/edges', rpcSecretParameter: '/voice/rpc-secret', functionsPath },
    edgeAccess: directEdgeAccess(),
    control: { groups: [], timers: { failoverWindowSeconds: 7, longestCallSeconds: 43_200 } },
  }
  new DispatcherControl(stack, 'One', common)
  new DispatcherControl(stack, 'Two', { ...common, stateMachineName: 'two', kdcName: 'Voice-two' })
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
