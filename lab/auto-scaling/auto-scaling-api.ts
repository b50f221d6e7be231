import type { LifecycleActions } from './auto-scaling-actions.ts'
import { groupArn, type Region } from './auto-scaling-events.ts'
import type { Groups } from './auto-scaling-groups.ts'
import {
  ApiError,
  autoScalingAnswers,
  type Parameters,
  type QueryApi,
  type Xml,
} from './auto-scaling-query.ts'
import type { Group, Hook, Instance } from './auto-scaling-types.ts'

type Calls = Readonly<Record<string, (parameters: Parameters) => Xml | Promise<Xml>>>

/**
 * The calls of Auto Scaling (2011-01-01) that a control plane makes. Groups come on pages, other answers on
 * one.
 */
export function autoScalingApi(region: Region, groups: Groups, actions: LifecycleActions): QueryApi {
  const calls = { ...callsAboutInstances(region, groups, actions), ...callsAboutGroups(region, groups) }
  return {
    ...autoScalingAnswers,
    call: (action, parameters) => {
      const call = calls[action]
      if (call === undefined) throw new ApiError('InvalidAction', `Could not find operation ${action}`, 400)
      return call(parameters)
    },
  }
}

function callsAboutInstances(region: Region, groups: Groups, actions: LifecycleActions): Calls {
  return {
    CompleteLifecycleAction: (parameters) => {
      const result = parameters.required('LifecycleActionResult')
      if (result !== 'CONTINUE' && result !== 'ABANDON')
        throw new ApiError(
          'ValidationError',
          `Invalid lifecycle action result ${result}: it must be CONTINUE or ABANDON`,
          400,
        )
      actions.complete(addressOf(parameters, groups), result)
      return {}
    },
    RecordLifecycleActionHeartbeat: (parameters) => {
      actions.heartbeat(addressOf(parameters, groups))
      return {}
    },
    TerminateInstanceInAutoScalingGroup: async (parameters) => {
      const { instance } = await groups.terminate(parameters.required('InstanceId'))
      return {
        Activity: {
          ActivityId: `terminate-${instance.id}`,
          AutoScalingGroupName: instance.group,
          Description: `Terminating EC2 instance: ${instance.id}`,
          Cause: 'a user request',
          StartTime: new Date(),
          StatusCode: 'InProgress',
          Progress: 0,
        },
      }
    },
    DescribeAutoScalingInstances: (parameters) => {
      const ids = parameters.list('InstanceIds.member')
      return {
        AutoScalingInstances: {
          member: managed(groups)
            .filter(({ id }) => ids.length === 0 || ids.includes(id))
            .map((instance) => ({
              ...describeInstance(instance, zoneOf(region)),
              AutoScalingGroupName: instance.group,
            })),
        },
      }
    },
  }
}

function callsAboutGroups(region: Region, groups: Groups): Calls {
  return {
    DescribeAutoScalingGroups: (parameters) => {
      const { page, NextToken } = pageOfGroups(groups, parameters)
      const member = page.map((group) => describeGroup(region, group, managed(groups), zoneOf(region)))
      return { AutoScalingGroups: { member }, NextToken }
    },
    PutLifecycleHook: (parameters) => {
      const group = groups.group(parameters.required('AutoScalingGroupName'))
      const hook = hookOf(parameters, group)
      groups.change(group.name, { hooks: [...group.hooks.filter(({ name }) => name !== hook.name), hook] })
      return {}
    },
    UpdateAutoScalingGroup: (parameters) => {
      const group = groups.group(parameters.required('AutoScalingGroupName'))
      const name = 'InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon'
      groups.change(group.name, { terminateHookAbandon: oneOf(['retain', 'terminate'], parameters, name) })
      return {}
    },
    SuspendProcesses: (parameters) => {
      const group = groups.group(parameters.required('AutoScalingGroupName'))
      const named = parameters.list('ScalingProcesses.member')
      groups.change(group.name, { suspended: [...new Set([...(group.suspended ?? []), ...named])] })
      return {}
    },
    ResumeProcesses: (parameters) => {
      const group = groups.group(parameters.required('AutoScalingGroupName'))
      const named = parameters.list('ScalingProcesses.member')
      const left = named.length === 0 ? [] : (group.suspended ?? []).filter((each) => !named.includes(each))
      groups.change(group.name, { suspended: left })
      return {}
    },
    DescribeLifecycleHooks: (parameters) => {
      const group = groups.group(parameters.required('AutoScalingGroupName'))
      const names = parameters.list('LifecycleHookNames.member')
      return {
        LifecycleHooks: {
          member: group.hooks
            .filter(({ name }) => names.length === 0 || names.includes(name))
            .map((hook) => describeHook(group, hook)),
        },
      }
    },
  }
}

function zoneOf({ region }: Region): string {
  return `${region}a`
}

/** Of one that is there, what is left out stays; a new one has Auto Scaling's own defaults. */
function hookOf(parameters: Parameters, { hooks }: Group): Hook {
  const name = parameters.required('LifecycleHookName')
  const known = hooks.find((each) => each.name === name)
  const given = (parameter: string) => parameters.optional(parameter) !== undefined
  const transition = () =>
    oneOf(
      ['autoscaling:EC2_INSTANCE_LAUNCHING', 'autoscaling:EC2_INSTANCE_TERMINATING'],
      parameters,
      'LifecycleTransition',
    ) === 'autoscaling:EC2_INSTANCE_LAUNCHING'
      ? 'launching'
      : 'terminating'
  return {
    ...known,
    name,
    transition: known && !given('LifecycleTransition') ? known.transition : transition(),
    heartbeatTimeoutSeconds: given('HeartbeatTimeout')
      ? Number(parameters.required('HeartbeatTimeout'))
      : (known?.heartbeatTimeoutSeconds ?? 3600),
    defaultResult: given('DefaultResult')
      ? oneOf(['CONTINUE', 'ABANDON'], parameters, 'DefaultResult')
      : (known?.defaultResult ?? 'ABANDON'),
  }
}

function oneOf<const T extends string>(words: readonly T[], parameters: Parameters, name: string): T {
  const value = parameters.required(name)
  const word = words.find((each) => each === value)
  if (word === undefined)
    throw new ApiError('ValidationError', `${name} is ${value}; it may be ${words.join(', ')}`, 400)
  return word
}

function addressOf(parameters: Parameters, groups: Groups) {
  const address = {
    group: parameters.required('AutoScalingGroupName'),
    hook: parameters.required('LifecycleHookName'),
    token: parameters.optional('LifecycleActionToken'),
    instanceId: parameters.optional('InstanceId'),
  }
  groups.group(address.group)
  if (address.token === undefined && address.instanceId === undefined)
    throw new ApiError('ValidationError', 'A lifecycle action token or an instance ID is required', 400)
  return address
}

/** Of 50 groups, or `MaxRecords` up to 100; so many names are taken, too (its API reference). */
function pageOfGroups(groups: Groups, parameters: Parameters) {
  const names = parameters.list('AutoScalingGroupNames.member')
  const most = Number(parameters.optional('MaxRecords') ?? 50)
  if (!Number.isInteger(most) || most < 1 || most > 100 || names.length > most)
    throw new ApiError('ValidationError', `MaxRecords is ${most}, for ${names.length} names`, 400)
  const found = groups.all().filter(({ name }) => names.length === 0 || names.includes(name))
  const from = Number(parameters.optional('NextToken')?.replace(/^from-/, '') ?? 0)
  if (!Number.isInteger(from)) throw new ApiError('InvalidNextToken', 'The NextToken is not ours', 400)
  const next = from + most
  return { page: found.slice(from, next), NextToken: next < found.length ? `from-${next}` : undefined }
}

/** Auto Scaling forgets an instance once it is terminated. */
function managed(groups: Groups): readonly Instance[] {
  return groups.instances().filter(({ lifecycleState }) => lifecycleState !== 'Terminated')
}

function describeInstance(instance: Instance, zone: string) {
  return {
    InstanceId: instance.id,
    InstanceType: 'c7g.large',
    AvailabilityZone: zone,
    LifecycleState: instance.lifecycleState,
    HealthStatus: 'HEALTHY',
    ProtectedFromScaleIn: false,
  }
}

function describeGroup(region: Region, group: Group, instances: readonly Instance[], zone: string): Xml {
  const own = instances.filter((instance) => instance.group === group.name)
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: groupArn(region, group.name),
    MinSize: 0,
    MaxSize: 1000,
    DesiredCapacity: own.filter(({ lifecycleState }) => lifecycleState === 'InService').length,
    DefaultCooldown: 300,
    AvailabilityZones: { member: [zone] },
    HealthCheckType: 'EC2',
    SuspendedProcesses: { member: (group.suspended ?? []).map((ProcessName) => ({ ProcessName })) },
    CreatedTime: new Date(0),
    Instances: {
      member: own.map((instance) => ({ ...describeInstance(instance, zone), HealthStatus: 'Healthy' })),
    },
    Tags: {
      member: Object.entries(group.tags ?? {}).map(([Key, Value]) => ({
        ResourceId: group.name,
        ResourceType: 'auto-scaling-group',
        Key,
        Value,
        PropagateAtLaunch: true,
      })),
    },
    InstanceLifecyclePolicy: {
      RetentionTriggers: { TerminateHookAbandon: group.terminateHookAbandon ?? 'terminate' },
    },
  }
}

function describeHook(group: Group, hook: Hook): Xml {
  // the API speaks whole seconds; a fraction is rounded down, so that nobody who relies on it comes too late
  const seconds = Math.max(1, Math.floor(hook.heartbeatTimeoutSeconds))
  return {
    LifecycleHookName: hook.name,
    AutoScalingGroupName: group.name,
    LifecycleTransition: `autoscaling:EC2_INSTANCE_${hook.transition === 'launching' ? 'LAUNCHING' : 'TERMINATING'}`,
    NotificationMetadata: hook.notificationMetadata,
    HeartbeatTimeout: seconds,
    GlobalTimeout: Math.min(172_800, 100 * seconds),
    DefaultResult: hook.defaultResult,
  }
}
