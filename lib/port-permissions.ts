import { Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { Construct } from 'constructs'
import type { ControlConfig } from '../functions/contracts/config.ts'
import { startPermissions } from './drain-workflow.ts'
import type { Permission } from './permission.ts'
import type { Store } from './store.ts'

/** What a function may need from AWS, by the port (functions/use-cases/ports.ts) that it is behind. */
export type Need =
  | 'store'
  | 'fleet'
  | 'instances'
  | 'heartbeat'
  | 'complete'
  | 'terminate'
  | 'mediaServers'
  | 'workflows'
  | 'events'

export interface PortPermissionsProps {
  readonly control: ControlConfig
  readonly edgesPath: string
  readonly rpcSecretParameter: string
  readonly parameterKeyArn?: string
  readonly stateMachineName: string
  readonly store: Store
  readonly eventBus: EventBus
}

/** @returns the permissions behind each need, each on the resources of this deployment alone. */
export function portPermissions(scope: Construct, props: PortPermissionsProps): Record<Need, Permission[]> {
  const { partition, region, account } = Stack.of(scope)
  const parameterArn = (name: string) => `arn:${partition}:ssm:${region}:${account}:parameter${name}`
  const groupArns = props.control.groups.map(
    ({ name }) =>
      `arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${name}`,
  )
  const onGroups = (action: string): Permission => ({
    actions: [action],
    resources: groupArns,
    wildcardReason: "a group's ARN has its UUID before its name, and only the name is configured",
  })
  const readSecrets = (names: readonly string[]): Permission[] => [
    { actions: ['ssm:GetParameter'], resources: names.map(parameterArn) },
    {
      actions: ['kms:Decrypt'],
      resources: props.parameterKeyArn && names.length > 0 ? [props.parameterKeyArn] : [],
      conditions: { StringEquals: { 'kms:ViaService': `ssm.${region}.amazonaws.com` } },
    },
  ]
  const passwords = props.control.groups.flatMap(({ callCount }) =>
    callCount ? [callCount.passwordParameter] : [],
  )
  return {
    store: [props.store.permission],
    fleet: [
      { actions: ['ssm:GetParametersByPath'], resources: [parameterArn(props.edgesPath)] },
      ...readSecrets([props.rpcSecretParameter]),
    ],
    instances: [
      {
        actions: ['ec2:DescribeInstances'],
        resources: ['*'],
        wildcardReason: 'ec2:DescribeInstances takes no resource; it only reads',
      },
    ],
    heartbeat: [onGroups('autoscaling:RecordLifecycleActionHeartbeat')],
    complete: [onGroups('autoscaling:CompleteLifecycleAction')],
    terminate: props.control.groups.some(({ deadlinePolicy }) => deadlinePolicy === 'retain')
      ? [onGroups('autoscaling:TerminateInstanceInAutoScalingGroup')]
      : [],
    mediaServers: readSecrets([...new Set(passwords)]),
    workflows: startPermissions(scope, props.stateMachineName),
    events: [{ actions: ['events:PutEvents'], resources: [props.eventBus.eventBusArn] }],
  }
}
