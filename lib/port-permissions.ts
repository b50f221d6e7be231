import { Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { AlarmConfig, GroupConfig } from '../functions/contracts/config.ts'
import { type EdgeTlsParameters, namesOf } from '../functions/contracts/edge-tls.ts'
import { listPermissions, startPermissions } from './drain-workflow.ts'
import type { Permission } from './permission.ts'
import type { Store } from './store.ts'

/** What a function may need from AWS, by the port (functions/ports) that it is behind. */
export type Need =
  | 'store'
  | 'filing'
  | 'fleet'
  | 'settles'
  | 'instances'
  | 'heartbeat'
  | 'complete'
  | 'terminate'
  | 'mediaServers'
  | 'workflows'
  | 'idle'
  | 'groupMembers'
  | 'alarms'
  | 'events'

export interface SecretParameters {
  readonly edgesPath: string
  readonly parameterKeyArn?: string
}

export interface PortPermissionsProps extends SecretParameters {
  readonly rpcSecretParameter: string
  readonly edgeTls: EdgeTlsParameters | undefined
  readonly stateMachineName: string
  readonly store: Store
  readonly eventBus: EventBus
}

/**
 * @returns the permissions behind each need, each on the resources of this deployment alone; {@link
 * settlesPermissions} has the one that comes with the settle function.
 * @throws Error where a secret would be read as an edge; so does {@link groupPermissions}
 */
export function portPermissions(
  scope: Construct,
  props: PortPermissionsProps,
): { [need in Need]?: readonly Permission[] } {
  return {
    store: props.store.permissions,
    filing: [props.store.filing],
    fleet: [
      // It is asked of the path, not of what is under it:
      // https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html
      { actions: ['ssm:GetParametersByPath'], resources: [parameterArn(scope, props.edgesPath)] },
      ...readSecrets(scope, [props.rpcSecretParameter], props, 'ssm:GetParameter'),
      ...readSecrets(scope, props.edgeTls ? namesOf(props.edgeTls) : [], props, 'ssm:GetParameters'),
    ],
    instances: [
      {
        actions: ['ec2:DescribeInstances'],
        resources: ['*'],
        wildcardReason: 'ec2:DescribeInstances takes no resource; it only reads',
      },
    ],
    workflows: startPermissions(scope, props.stateMachineName),
    idle: listPermissions(scope, props.stateMachineName),
    groupMembers: [
      {
        actions: ['autoscaling:DescribeAutoScalingGroups'],
        resources: ['*'],
        wildcardReason: 'autoscaling:DescribeAutoScalingGroups takes no resource; it only reads',
      },
    ],
    alarms: [
      {
        actions: ['cloudwatch:DescribeAlarms'],
        resources: ['*'],
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        wildcardReason:
          'composite alarms are shown only to who may describe all, and one that is not shown would pass for deleted; it only reads',
      },
    ],
    events: [{ actions: ['events:PutEvents'], resources: [props.eventBus.eventBusArn] }],
  }
}

/** @returns what the `Settles` port needs. */
export function settlesPermissions(settle: IFunction): Permission[] {
  return [{ actions: ['lambda:InvokeFunction'], resources: [settle.functionArn] }]
}

/** @returns the permissions behind each need that come with an alarm, on that alarm alone. */
export function alarmPermissions(
  scope: Construct,
  { name }: AlarmConfig,
): Partial<Record<Need, readonly Permission[]>> {
  const { partition, region, account } = Stack.of(scope)
  return {
    alarms: [
      {
        actions: ['cloudwatch:DescribeAlarmContributors'],
        // Written so, they stand for themselves: any character may be in an alarm's name.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        resources: [
          `arn:${partition}:cloudwatch:${region}:${account}:alarm:${name.replace(/[*?]/g, '${$&}')}`,
        ],
        wildcardReason: "the alarm's own name has an asterisk, which stands for itself here",
      },
    ],
  }
}

/** @returns the permissions behind each need that come with a group, on that group alone. */
export function groupPermissions(
  scope: Construct,
  { name, callCount }: GroupConfig,
  parameters: SecretParameters,
): Partial<Record<Need, readonly Permission[]>> {
  const { partition, region, account } = Stack.of(scope)
  const onGroup = (action: string): Permission => ({
    actions: [action],
    resources: [
      `arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${name}`,
    ],
    wildcardReason: "a group's ARN has its UUID before its name, and only the name is known",
  })
  return {
    heartbeat: [onGroup('autoscaling:RecordLifecycleActionHeartbeat')],
    complete: [onGroup('autoscaling:CompleteLifecycleAction')],
    // Whatever our policy is: the group's own lifecycle policy may retain, and a drain ends what it sees
    // through.
    terminate: [onGroup('autoscaling:TerminateInstanceInAutoScalingGroup')],
    ...(callCount && {
      mediaServers: readSecrets(scope, [callCount.passwordParameter], parameters, 'ssm:GetParameter'),
    }),
  }
}

function parameterArn(scope: Construct, name: string): string {
  const { partition, region, account } = Stack.of(scope)
  return `arn:${partition}:ssm:${region}:${account}:parameter${name}`
}

/** @param action the one that the functions read these with: one by one, or all at once */
function readSecrets(
  scope: Construct,
  names: readonly string[],
  { edgesPath, parameterKeyArn: keyArn }: SecretParameters,
  action: 'ssm:GetParameter' | 'ssm:GetParameters',
): Permission[] {
  const misplaced = names.filter((name) => name.startsWith(`${edgesPath}/`))
  if (misplaced.length > 0)
    throw new Error(
      `the secret ${misplaced.join(', ')} is under ${edgesPath}, where every parameter is taken for an edge: give it a name elsewhere`,
    )
  return [
    { actions: [action], resources: names.map((name) => parameterArn(scope, name)) },
    {
      actions: ['kms:Decrypt'],
      resources: keyArn === undefined ? [] : [keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `ssm.${Stack.of(scope).region}.amazonaws.com` } },
    },
  ]
}
