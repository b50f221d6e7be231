import { type AutoScalingClient, paginateDescribeAutoScalingGroups } from '@aws-sdk/client-auto-scaling'
import type { GroupMembers, WaitingMember } from '../ports/group-members.ts'

/** The most names that Auto Scaling takes in a request, and groups that it answers on a page. */
const groupsAtOnce = 100

/**
 * Its own lifecycle states, of which a warm pool's (`Warmed:…`) are not ours: no calls are on them.
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html)
 */
const states: Readonly<Record<string, WaitingMember['state']>> = {
  'Pending:Wait': 'pending-wait',
  'Terminating:Wait': 'terminating-wait',
  'Terminating:Retained': 'retained',
}

/** Instances as `DescribeAutoScalingGroups` shows them: a group with all of its instances, on one page. */
export function createGroupMembers(client: AutoScalingClient): GroupMembers {
  return {
    async waiting(groups) {
      const found: WaitingMember[] = []
      for (let from = 0; from < groups.length; from += groupsAtOnce) {
        const AutoScalingGroupNames = groups.slice(from, from + groupsAtOnce)
        const pages = paginateDescribeAutoScalingGroups(
          { client, pageSize: groupsAtOnce },
          { AutoScalingGroupNames },
        )
        for await (const { AutoScalingGroups } of pages)
          for (const { AutoScalingGroupName, Instances } of AutoScalingGroups ?? [])
            for (const { InstanceId, LifecycleState } of Instances ?? []) {
              const state = states[LifecycleState ?? '']
              if (state && AutoScalingGroupName !== undefined && InstanceId !== undefined)
                found.push({ group: AutoScalingGroupName, instanceId: InstanceId, state })
            }
      }
      return found
    },
  }
}
