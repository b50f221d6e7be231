import type { AwsEvent, Group, Hook, Instance, Place, Transition } from './auto-scaling-types.ts'

export interface Region {
  readonly region: string
  readonly accountId: string
}

export interface Move {
  readonly origin: Place
  readonly destination: Place
}

/** A group's ARN; the uuid in it is a stand-in that stays the same for a name. */
export function groupArn({ region, accountId }: Region, group: string): string {
  const uuid = '00000000-0000-4000-8000-000000000000'
  return `arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:${uuid}:autoScalingGroupName/${group}`
}

/**
 * `EC2 Instance-terminate Lifecycle Action` or `EC2 Instance-launch Lifecycle Action` (Auto Scaling guide,
 * "EventBridge event reference").
 */
export function lifecycleActionEvent(
  region: Region,
  action: { token: string; hook: Hook; group: string; instanceId: string; transition: Transition },
  move: Move,
  time: Date,
): AwsEvent {
  const launching = action.transition === 'launching'
  return {
    source: 'aws.autoscaling',
    detailType: `EC2 Instance-${launching ? 'launch' : 'terminate'} Lifecycle Action`,
    time,
    resources: [groupArn(region, action.group)],
    detail: {
      LifecycleActionToken: action.token,
      AutoScalingGroupName: action.group,
      LifecycleHookName: action.hook.name,
      EC2InstanceId: action.instanceId,
      LifecycleTransition: `autoscaling:EC2_INSTANCE_${launching ? 'LAUNCHING' : 'TERMINATING'}`,
      ...(action.hook.notificationMetadata === undefined
        ? {}
        : { NotificationMetadata: action.hook.notificationMetadata }),
      Origin: move.origin,
      Destination: move.destination,
    },
  }
}

/** `EC2 Instance Launch Successful` or `EC2 Instance Terminate Successful`: the end of an activity. */
export function activityEvent(
  region: Region,
  activity: { id: string; transition: Transition; instance: Instance; group: Group; startedAt: Date },
  move: Move,
  time: Date,
): AwsEvent {
  const launching = activity.transition === 'launching'
  const { instance } = activity
  return {
    source: 'aws.autoscaling',
    detailType: `EC2 Instance ${launching ? 'Launch' : 'Terminate'} Successful`,
    time,
    resources: [
      groupArn(region, activity.group.name),
      `arn:aws:ec2:${region.region}:${region.accountId}:instance/${instance.id}`,
    ],
    detail: {
      StatusCode: 'InProgress',
      Description: launching
        ? `Launching a new EC2 instance: ${instance.id}`
        : `Terminating EC2 instance: ${instance.id}`,
      AutoScalingGroupName: activity.group.name,
      ActivityId: activity.id,
      Details: { 'Subnet ID': 'subnet-0a1b2c3d4e5f60718', 'Availability Zone': `${region.region}a` },
      RequestId: activity.id,
      StatusMessage: '',
      EndTime: time.toISOString(),
      EC2InstanceId: instance.id,
      StartTime: activity.startedAt.toISOString(),
      Cause: `At ${activity.startedAt.toISOString()} an instance was ${launching ? 'launched in response to an increase of' : 'taken out of service in response to a decrease of'} the desired capacity.`,
      Origin: move.origin,
      Destination: move.destination,
    },
  }
}
