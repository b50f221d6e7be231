import { Annotations, Aspects, Duration, Stack } from 'aws-cdk-lib'
import {
  CfnAutoScalingGroup,
  CfnLifecycleHook,
  DefaultResult,
  type IAutoScalingGroup,
  LifecycleHook,
  LifecycleTransition,
} from 'aws-cdk-lib/aws-autoscaling'
import { Construct, type IConstruct } from 'constructs'
import type { ControlConfigInput } from '../functions/contracts/config.ts'
import { mayRetain } from '../functions/control/deadline.ts'

type Group = ControlConfigInput['groups'][number]

/** How one Auto Scaling group is drained. */
export interface ManageOptions {
  /**
   * What becomes of an instance at the deadline while calls are left (`callsLeft`), and while they are
   * unknown (`unknown`): `terminate` lets it go, `retain` keeps it until they are over, `end-calls` ends them
   * with BYEs, a few at a time, and lets it go then. There is no default: each choice costs something.
   */
  readonly deadlinePolicy: Group['deadlinePolicy']
  /** How long calls may last before the policy decides; below min(48 h, 100 × heartbeat timeout). */
  readonly drainDeadline: Duration
  /**
   * The hooks' heartbeat timeout, 30 s to 2 h: how long our outage may last before the hook's default result
   * applies.
   * @default Duration.minutes(30)
   */
  readonly heartbeatTimeout?: Duration
  /**
   * Where it is retained: how long an instance may stay retained for its calls before that raises an alarm.
   * @default Duration.days(1)
   */
  readonly retainedMaxAge?: Duration
  /**
   * Whether a launch waits until its address may get calls again (a retired mark is ended), with a hook of
   * its own.
   * @default true
   */
  readonly admitLaunches?: boolean
  /**
   * With `end-calls`: at most `perStep` calls in a step, over all edges, and for how long after the deadline;
   * what is left then goes with the instance. Every edge must allow it (`DC_RPC_END_CALLS`).
   * @default - 10 calls in a step, for 5 minutes
   */
  readonly endCalls?: { readonly perStep?: number; readonly within?: Duration }
  /**
   * How a media server's own active calls are read, independent of what the edges count.
   * @default - not read: what bypasses the edges is not seen
   */
  readonly callCount?: Group['callCount']
}

const terminateHook = 'dispatcher-control-terminate'
const launchHook = 'dispatcher-control-launch'

/**
 * Puts our hooks on a group, which may be imported, and has it keep abandoned instances where the policy may
 * retain. Warns of what can't be set, and of other terminate hooks.
 * @param after what must be there before an event may come, and goes only after the hooks
 * @returns the group's part of the configuration
 * @throws Error where AWS would refuse the heartbeat timeout
 */
export function addHooks(
  scope: Construct,
  group: IAutoScalingGroup,
  options: ManageOptions,
  after: readonly IConstruct[],
): Group {
  const {
    deadlinePolicy,
    endCalls,
    callCount,
    heartbeatTimeout = Duration.minutes(30),
    admitLaunches = true,
  } = options
  const seconds = heartbeatTimeout.toSeconds()
  if (seconds < 30 || seconds > 7200)
    throw new Error(
      `${group.node.path}: the heartbeat timeout is ${seconds} s, Auto Scaling allows 30 s to 7200 s`,
    )
  // The path, as two groups may share an id.
  const hooks = new Construct(scope, `Hooks-${group.node.path.replaceAll('/', '-')}`)
  hooks.node.addDependency(...after)
  const common = { autoScalingGroup: group, heartbeatTimeout }
  new LifecycleHook(hooks, 'Terminate', {
    ...common,
    lifecycleHookName: terminateHook,
    lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING,
    // With ABANDON our own outage retains the instance too.
    defaultResult: mayRetain(deadlinePolicy) ? DefaultResult.ABANDON : DefaultResult.CONTINUE,
  })
  if (admitLaunches)
    new LifecycleHook(hooks, 'Launch', {
      ...common,
      lifecycleHookName: launchHook,
      lifecycleTransition: LifecycleTransition.INSTANCE_LAUNCHING,
      // ABANDON would have our own outage end every new instance; the event of its launch admits it later.
      defaultResult: DefaultResult.CONTINUE,
    })
  if (mayRetain(deadlinePolicy)) keepAbandoned(group)
  warnOfOtherHooks(scope, group)
  return {
    name: group.autoScalingGroupName,
    terminateHook,
    ...(admitLaunches && { launchHook }),
    heartbeatTimeoutSeconds: seconds,
    drainDeadlineSeconds: options.drainDeadline.toSeconds(),
    deadlinePolicy,
    ...(endCalls && {
      endCalls: {
        ...(endCalls.perStep !== undefined && { perStep: endCalls.perStep }),
        ...(endCalls.within && { withinSeconds: endCalls.within.toSeconds() }),
      },
    }),
    ...(options.retainedMaxAge && { retainedMaxAgeSeconds: options.retainedMaxAge.toSeconds() }),
    ...(callCount && { callCount }),
  }
}

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-lifecycle-policy.html */
function keepAbandoned(group: IAutoScalingGroup): void {
  const resource = group.node.defaultChild
  if (resource instanceof CfnAutoScalingGroup) {
    resource.instanceLifecyclePolicy = { retentionTriggers: { terminateHookAbandon: 'retain' } }
    return
  }
  Annotations.of(group).addWarningV2(
    'dispatcher-control:retain-imported',
    `an abandoned instance of an imported group is terminated, with its calls, unless the group's lifecycle policy is retain: ${haveItRetain('<name>')}`,
  )
}

/**
 * Notes what must be true of a group that is only named to us, for its instances to be retained. Not a
 * warning: nothing in the settings could answer it, and one that is always there is read by nobody.
 */
export function noteNamedGroup(scope: Construct, { name, terminateHook, deadlinePolicy }: Group): void {
  if (!mayRetain(deadlinePolicy)) return
  Annotations.of(scope).addInfoV2(
    `dispatcher-control:retain-named:${name}`,
    `the group ${name} and its hook ${terminateHook} are not made by this app, so that these can not be checked. An abandoned instance is terminated, with its calls, unless the group's lifecycle policy is retain: ${haveItRetain(name)}. And our own outage retains only if the hook's default result is ABANDON: aws autoscaling put-lifecycle-hook --auto-scaling-group-name ${name} --lifecycle-hook-name ${terminateHook} --default-result ABANDON`,
  )
}

function haveItRetain(name: string): string {
  return `aws autoscaling update-auto-scaling-group --auto-scaling-group-name ${name} --instance-lifecycle-policy '{"RetentionTriggers":{"TerminateHookAbandon":"retain"}}'`
}

/** They are looked for at synth, anywhere in the app: a hook can be added after, and from another stack. */
function warnOfOtherHooks(scope: Construct, group: IAutoScalingGroup): void {
  const { autoScalingGroupName } = group
  const warn = (on: IConstruct): void =>
    Annotations.of(on).addWarningV2(
      'dispatcher-control:other-terminate-hook',
      `${group.node.path} has another terminate hook: it holds the instance longer than its calls last, and its ABANDON counts for the instance lifecycle policy too`,
    )
  Aspects.of(scope.node.root).add({
    visit(node) {
      if (node === group.node.defaultChild && node instanceof CfnAutoScalingGroup) {
        const listed: unknown = Stack.of(node).resolve(node.lifecycleHookSpecificationList)
        if (JSON.stringify(listed)?.includes(LifecycleTransition.INSTANCE_TERMINATING)) warn(node)
      }
      if (
        node instanceof CfnLifecycleHook &&
        node.autoScalingGroupName === autoScalingGroupName &&
        node.lifecycleTransition === LifecycleTransition.INSTANCE_TERMINATING &&
        !scope.node.findAll().includes(node)
      )
        warn(node)
    },
  })
}
