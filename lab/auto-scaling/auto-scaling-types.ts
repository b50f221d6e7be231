/** One real AWS event as PutEvents takes it, `Detail` still an object. */
export interface AwsEvent {
  readonly source: string
  readonly detailType: string
  readonly time: Date
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

export type Transition = 'launching' | 'terminating'
export type LifecycleResult = 'CONTINUE' | 'ABANDON'
export type Place = 'EC2' | 'AutoScalingGroup' | 'WarmPool'
export type LifecycleState =
  | 'Pending'
  | 'Pending:Wait'
  | 'Pending:Proceed'
  | 'InService'
  | 'Terminating'
  | 'Terminating:Wait'
  | 'Terminating:Proceed'
  | 'Terminating:Retained'
  | 'Terminated'
  | 'Warmed:Stopped'
export type Ec2State = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped'

/** A lifecycle hook as `PutLifecycleHook` takes it. */
export interface Hook {
  readonly name: string
  readonly transition: Transition
  /**
   * Seconds. AWS refuses less than 30; the simulator takes any, also fractions, so that the lab need not
   * wait.
   */
  readonly heartbeatTimeoutSeconds: number
  readonly defaultResult: LifecycleResult
  readonly notificationMetadata?: string
}

export interface Group {
  readonly name: string
  readonly hooks: readonly Hook[]
  /** The group's instance lifecycle policy; AWS's default is `terminate`. */
  readonly terminateHookAbandon?: 'retain' | 'terminate'
  /** processes that somebody has suspended; the simulator only shows them again */
  readonly suspended?: readonly string[]
  readonly tags?: Readonly<Record<string, string>>
}

/** One EC2 machine. Its addresses are gone once it is terminated, as on AWS. */
export interface Instance {
  readonly id: string
  readonly group: string
  readonly launchTime: Date
  readonly privateIp: string
  readonly secondaryIps: readonly string[]
  readonly ipv6: string | undefined
  readonly publicIp: string | undefined
  readonly privateDnsName: string
  readonly tags: Readonly<Record<string, string>>
  readonly lifecycleState: LifecycleState
  readonly ec2State: Ec2State
}

/** One try to complete a lifecycle action, whatever came of it. */
export interface Completion {
  readonly at: number
  readonly by: 'token' | 'instance'
  readonly result: LifecycleResult
  readonly answer: 'accepted' | 'ResourceContention' | 'ValidationError'
}

/** How and when a lifecycle action ended. */
export interface ActionEnd {
  readonly at: number
  readonly result: LifecycleResult
  /** `other-hook`: another hook of the same instance was completed with ABANDON, which ends them all. */
  readonly cause: 'completed' | 'expired-default' | 'ended-early' | 'other-hook'
}

/** One pending or ended lifecycle action with its history. Times are in ms since the epoch. */
export interface LifecycleAction {
  readonly token: string
  readonly hook: Hook
  readonly group: string
  readonly instanceId: string
  readonly transition: Transition
  readonly startedAt: number
  /** The global maximum: min(48 h, 100 × heartbeat timeout) after the start; no heartbeat goes beyond. */
  readonly deadlineAt: number
  readonly expiresAt: number
  /** When its event was handed to EventBridge, once per delivery. */
  readonly published: readonly number[]
  readonly heartbeats: readonly { readonly at: number; readonly ignored: boolean }[]
  /** Every try, those after its end included. */
  readonly completions: readonly Completion[]
  readonly end: ActionEnd | undefined
  /** Resolves when `end` is set. */
  readonly ended: Promise<ActionEnd>
}

/** What the lab plants from outside. All off at first. */
export interface Faults {
  /** Heartbeats are answered with success and change nothing. */
  ignoreHeartbeats: boolean
  /** Actions that start from now on end by themselves, with CONTINUE, this long after their start. */
  endEarlyMs: number | undefined
  /** The next N completions of an active action answer ResourceContention. */
  contention: number
  /** Completions in the first ms after the action's start answer ResourceContention. */
  refuseCompletionForMs: number
}

/** How often an event reaches EventBridge: it promises at least once, and best effort. */
export type Delivery = 'once' | 'twice' | 'never'
