import {
  type AutoScalingClient,
  AutoScalingServiceException,
  CompleteLifecycleActionCommand,
  type CompleteLifecycleActionCommandInput,
  RecordLifecycleActionHeartbeatCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling'
import { createLifecycleActions } from '../../functions/aws/lifecycle-actions.ts'
import type { LifecycleActionRef } from '../../functions/control/drain.ts'
import type { LifecycleActions } from '../../functions/ports/lifecycle-actions.ts'
import type { MemoryLifecycleActions } from './lifecycle-actions.ts'

type Actions = LifecycleActions & Pick<MemoryLifecycleActions, 'active'>

/**
 * The deployed adapter over lifecycle actions in memory: what Auto Scaling refuses comes through it in AWS's
 * own words.
 * @param group says why the group can't be found, as long as it can't
 */
export function overTheSdk(
  actions: Actions,
  group: () => { readonly notFound: string } | undefined,
): LifecycleActions {
  const send = async (command: unknown) => {
    const missing = group()
    if (missing)
      throw refusal(`AutoScalingGroup name not found - AutoScalingGroup ${missing.notFound} not found`)
    if ((await answerTo(actions, command)) === 'over') throw refusal('No active Lifecycle Action found')
    return {}
  }
  return createLifecycleActions({ send } as unknown as AutoScalingClient)
}

function answerTo(actions: Actions, command: unknown): Promise<'recorded' | 'completed' | 'over'> {
  if (command instanceof RecordLifecycleActionHeartbeatCommand)
    return actions.heartbeat(named(actions, command.input))
  if (command instanceof CompleteLifecycleActionCommand)
    return actions.complete(
      named(actions, command.input),
      command.input.LifecycleActionResult === 'CONTINUE' ? 'CONTINUE' : 'ABANDON',
    )
  if (command instanceof TerminateInstanceInAutoScalingGroupCommand)
    return actions.terminate(command.input.InstanceId ?? '')
  throw new Error('Auto Scaling in memory does not know this command')
}

type Addressed = Omit<CompleteLifecycleActionCommandInput, 'LifecycleActionResult'>

/** By its token an action is found without its instance. */
function named(actions: Actions, input: Addressed): LifecycleActionRef {
  const token = input.LifecycleActionToken
  const known = actions.active().find((action) => action.token === token)
  return {
    group: input.AutoScalingGroupName ?? '',
    hook: input.LifecycleHookName ?? '',
    instanceId: input.InstanceId ?? known?.instanceId ?? '',
    ...(token !== undefined && { token }),
  }
}

function refusal(message: string): AutoScalingServiceException {
  return new AutoScalingServiceException({
    name: 'ValidationError',
    message,
    $fault: 'client',
    $metadata: {},
  })
}
