import {
  type AutoScalingClient,
  AutoScalingServiceException,
  CompleteLifecycleActionCommand,
  RecordLifecycleActionHeartbeatCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling'
import type { LifecycleActionRef } from '../control/drain.ts'
import type { LifecycleActions } from '../ports/lifecycle-actions.ts'

/**
 * Auto Scaling answers `ValidationError: No active Lifecycle Action found with token …` (or `with instance ID
 * …`) once an action was completed, expired, or was never there, and `AutoScalingGroup name not found - …`
 * once its group was deleted. Every other error passes through; the client has retried it by then.
 */
export function createLifecycleActions(client: AutoScalingClient): LifecycleActions {
  return {
    async heartbeat(target) {
      return (await unlessOver(() =>
        client.send(new RecordLifecycleActionHeartbeatCommand(addressed(target))),
      ))
        ? 'recorded'
        : 'over'
    },
    async complete(target, result) {
      const input = { ...addressed(target), LifecycleActionResult: result }
      return (await unlessOver(() => client.send(new CompleteLifecycleActionCommand(input))))
        ? 'completed'
        : 'over'
    },
    async terminate(instanceId) {
      const input = { InstanceId: instanceId, ShouldDecrementDesiredCapacity: false }
      return (await unlessOver(() => client.send(new TerminateInstanceInAutoScalingGroupCommand(input))))
        ? 'completed'
        : 'over'
    },
  }
}

/** By token where there is one: an instance id alone could mean the next action of the same machine. */
function addressed({ group, hook, token, instanceId }: LifecycleActionRef) {
  return {
    AutoScalingGroupName: group,
    LifecycleHookName: hook,
    ...(token === undefined ? { InstanceId: instanceId } : { LifecycleActionToken: token }),
  }
}

async function unlessOver(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call()
    return true
  } catch (error) {
    const over =
      error instanceof AutoScalingServiceException &&
      error.name === 'ValidationError' &&
      /no active lifecycle action found|instance id not found|autoscalinggroup name not found/i.test(
        error.message,
      )
    if (over) return false
    throw error
  }
}
