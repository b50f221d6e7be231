import { App, Duration, Stack } from 'aws-cdk-lib'
import type { Template } from 'aws-cdk-lib/assertions'
import { AutoScalingGroup, type LifecycleTransition } from 'aws-cdk-lib/aws-autoscaling'
import {
  InstanceClass,
  InstanceSize,
  InstanceType,
  MachineImage,
  Subnet,
  UserData,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { expect } from 'vitest'
import * as z from 'zod'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { DispatcherControl } from '../../lib/dispatcher-control.ts'
import { directEdgeAccess } from '../../lib/edge-access.ts'
import { handlers } from '../../lib/handlers.ts'
import type { ManageOptions } from '../../lib/lifecycle-hooks.ts'
import { assemblyFolder, functionsPath, readable } from './synthesized.ts'

export const retain: ManageOptions = {
  deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
  drainDeadline: Duration.hours(4),
}
export const terminate: ManageOptions = {
  ...retain,
  deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' },
}

/** Somebody else's app with a fleet of its own, which it has us control. */
export function world(...named: ControlConfigInput['groups']) {
  const app = new App({ outdir: assemblyFolder(), builtinCloudFormationValidation: false })
  const stack = new Stack(app, 'Media')
  const control = new DispatcherControl(stack, 'Control', {
    control: { groups: named, timers: { failoverWindowSeconds: 7, longestCallSeconds: 14_400 } },
    edgesPath: '/edges',
    rpcSecretParameter: '/secret',
    edgeAccess: directEdgeAccess(),
    functionsPath,
  })
  return { app, stack, control }
}

export function owned(stack: Stack, id = 'Servers'): AutoScalingGroup {
  return new AutoScalingGroup(stack, id, {
    vpc: Vpc.fromVpcAttributes(stack, `${id}Vpc`, { vpcId: 'vpc-1', availabilityZones: ['any'] }),
    vpcSubnets: { subnets: [Subnet.fromSubnetAttributes(stack, `${id}Subnet`, { subnetId: 'subnet-1' })] },
    instanceType: InstanceType.of(InstanceClass.M8G, InstanceSize.LARGE),
    machineImage: MachineImage.genericLinux({ 'eu-central-1': 'ami-1' }, { userData: UserData.forLinux() }),
  })
}

export function imported(stack: Stack, name: string) {
  return AutoScalingGroup.fromAutoScalingGroupName(stack, `Imported-${name}`, name)
}

export function findings(app: App): string {
  try {
    app.synth()
  } catch (error) {
    return String(error)
  }
  return ''
}

export const hookOf = (template: Template, transition: LifecycleTransition) =>
  Object.values(
    template.findResources('AWS::AutoScaling::LifecycleHook', {
      Properties: { LifecycleTransition: transition },
    }),
  )
export const variables = z.object({
  Properties: z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) }),
})
/** The configuration as every function reads it, with what CloudFormation fills in as `<…>`. */
export function configuration(template: Template): unknown {
  const texts = Object.values(template.findResources('AWS::Lambda::Function')).flatMap(
    (each) =>
      variables.safeParse(each).data?.Properties.Environment.Variables['DISPATCHER_CONTROL_CONFIG'] ?? [],
  )
  expect(texts).toHaveLength(Object.keys(handlers).length)
  const [first, ...others] = texts.map(readable)
  expect(new Set(others)).toEqual(new Set([first]))
  return JSON.parse(first ?? '')
}
export const pattern = z.object({
  Properties: z.object({ EventPattern: z.object({ detail: z.record(z.string(), z.array(z.unknown())) }) }),
})
export const details = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule')).flatMap((rule) => {
    const { data } = pattern.safeParse(rule)
    const detail = data?.Properties.EventPattern.detail ?? {}
    // Schedules and the rule for the edges' parameters are not about groups or alarms.
    if (!('AutoScalingGroupName' in detail || 'alarmName' in detail)) return []
    return [Object.fromEntries(Object.entries(detail).map(([key, names]) => [key, names.map(readable)]))]
  })
export const autoscalingActions = (template: Template) =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap((policy) => JSON.stringify(policy).match(/autoscaling:[A-Z]\w+/g) ?? [])
    .toSorted()
