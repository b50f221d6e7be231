import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import type { Hook } from '../auto-scaling/auto-scaling-types.ts'

/**
 * What the lab's fleet looks like: timers, servers, callers. All of it is short, so that a whole run takes a
 * minute; how the lengths hang together is what makes the run a proof:
 * - the longest call (23 s) outlasts the hook's heartbeat timeout (20 s, for a busy machine), so a drain
 *   needs heartbeats;
 * - the edges end calls at 27 s, which no call of the lab reaches, so `longestCallSeconds` is true, and
 *   edge-b, which forgets its calls at a restart, may be believed once it is up that long;
 * - fr_timer is 1 s, so the fail-over window is 1 s + 2 s.
 */
export const plan = {
  heartbeatTimeoutSeconds: 20,
  drainDeadlineSeconds: 120,
  longestCallSeconds: 27,
  frTimerMs: 1000,
  failoverWindowSeconds: 3,
  minWaitSeconds: 1,
  maxWaitSeconds: 2,
  rpcTimeoutSeconds: 2,
} as const

/** Each server has an alarm of its own. */
export const alarmNameOf = (server: string) => `${server}-failing`
export const edgesPath = '/dispatcher-control/edges'
export const rpcSecretParameter = '/dispatcher-control/rpc-secret'
export const asteriskPasswordParameter = '/dispatcher-control/asterisk-password'

export const serverGroup = 'media-servers'
export const asteriskGroup = 'asterisk'

/**
 * The hooks of both groups. CONTINUE by default, as CDK would have it: a heartbeat that fails to come costs
 * calls.
 */
export const hooks: readonly Hook[] = [
  {
    name: 'drain-calls',
    transition: 'terminating',
    heartbeatTimeoutSeconds: plan.heartbeatTimeoutSeconds,
    defaultResult: 'CONTINUE',
  },
  { name: 'admit-calls', transition: 'launching', heartbeatTimeoutSeconds: 60, defaultResult: 'ABANDON' },
]

/** Servers whose event may be lost: their hook waits for longer than the sweep takes to find them. */
export const patientGroup = 'patient-servers'
export const patientHeartbeatSeconds = 150
export const patientHooks: readonly Hook[] = hooks.map((hook) =>
  hook.transition === 'terminating' ? { ...hook, heartbeatTimeoutSeconds: patientHeartbeatSeconds } : hook,
)

export interface EdgePlan {
  readonly name: string
  readonly address: string
  /** dialog db_mode 1: calls and their counts outlive a restart */
  readonly restoresDialogs: boolean
}

export const edgePlans: readonly EdgePlan[] = [
  { name: 'edge-a', address: '127.0.1.1', restoresDialogs: true },
  { name: 'edge-b', address: '127.0.1.2', restoresDialogs: false },
]

export interface ServerPlan {
  readonly name: string
  /** its instance's private address */
  readonly address: string
  readonly kind: 'sipp' | 'asterisk'
  /** Auto Scaling group */
  readonly group: string
  /** dispatcher sets that list it: 1 has every server, 2 those for long calls */
  readonly sets: readonly number[]
}

const sipp = (name: string, host: number, sets: readonly number[]): ServerPlan => ({
  name,
  address: `127.0.2.${host}`,
  kind: 'sipp',
  group: serverGroup,
  sets,
})

export const serverPlans: readonly ServerPlan[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => sipp(`ms-${n}`, n, [1])),
  ...[1, 2].map((n) => sipp(`long-${n}`, 20 + n, [1, 2])),
  { ...sipp('long-3', 23, [1, 2]), group: patientGroup },
  { name: 'asterisk', address: '127.0.2.30', kind: 'asterisk', group: asteriskGroup, sets: [1] },
]

/**
 * What drains by choice leave. Beside the lifecycle drains of their wave the other scenarios leave as much:
 * only an alarm storm comes down to it.
 */
export const floors = [
  { set: 1, count: 2 },
  { set: 2, count: 1 },
]

type GroupSettings = ControlConfigInput['groups'][number]

/** A server in a group of its own, named after it, whose deadline the long calls outlast. */
export interface ShortDeadline extends Pick<GroupSettings, 'deadlinePolicy' | 'endCalls'> {
  readonly server: string
}

/** Longer than a drain takes to be confirmed, and less than half of a long call. */
export const shortDeadlineSeconds = 6

/** Every server, those with a short deadline in their own groups and with long calls. */
export function serversWith(deadlines: readonly ShortDeadline[]): readonly ServerPlan[] {
  return serverPlans.map((server) =>
    deadlines.some((deadline) => deadline.server === server.name)
      ? { ...server, group: server.name, sets: [1, 2] }
      : server,
  )
}

/** The group's own hooks, as its policy needs them. */
export function hooksOf({ deadlinePolicy: { callsLeft, unknown } }: ShortDeadline): readonly Hook[] {
  const retains = callsLeft === 'retain' || unknown === 'retain'
  return hooks.map((hook) =>
    hook.transition === 'terminating' && retains ? { ...hook, defaultResult: 'ABANDON' } : hook,
  )
}

export interface CallerPlan {
  readonly name: string
  readonly address: string
  /** user of the R-URI: `long…` goes to set 2 */
  readonly called: string
  readonly callsPerSecond: number
  readonly callMs: number
}

/** For each edge. About 13 calls a second in all, and 7 calls up on each server. */
export const callerPlans: readonly CallerPlan[] = [
  { name: 'brief', address: '127.0.3.1', called: 'brief', callsPerSecond: 1.5, callMs: 3000 },
  { name: 'medium', address: '127.0.3.2', called: 'medium', callsPerSecond: 2, callMs: 7000 },
  { name: 'talk', address: '127.0.3.3', called: 'talk', callsPerSecond: 2.5, callMs: 11_000 },
  { name: 'long', address: '127.0.3.4', called: 'long', callsPerSecond: 0.6, callMs: 23_000 },
]

/** The settings file that our app is deployed with. */
export function settingsFile(asteriskPort: number, deadlines: readonly ShortDeadline[] = []) {
  const group = {
    terminateHook: 'drain-calls',
    launchHook: 'admit-calls',
    heartbeatTimeoutSeconds: plan.heartbeatTimeoutSeconds,
    drainDeadlineSeconds: plan.drainDeadlineSeconds,
    deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' } as const,
  }
  const control: ControlConfigInput = {
    groups: [
      { name: serverGroup, ...group },
      { name: patientGroup, ...group, heartbeatTimeoutSeconds: patientHeartbeatSeconds },
      ...deadlines.map(({ server, ...policy }) => ({
        ...group,
        name: server,
        drainDeadlineSeconds: shortDeadlineSeconds,
        ...policy,
      })),
      {
        name: asteriskGroup,
        ...group,
        callCount: {
          kind: 'asterisk',
          port: asteriskPort,
          user: 'lab',
          passwordParameter: asteriskPasswordParameter,
        },
      },
    ],
    alarms: serverPlans.map(({ name }) => ({ name: alarmNameOf(name) })),
    clearance: { floors },
    operatorDrainDeadlineSeconds: plan.drainDeadlineSeconds,
    timers: {
      minWaitSeconds: plan.minWaitSeconds,
      maxWaitSeconds: plan.maxWaitSeconds,
      failoverWindowSeconds: plan.failoverWindowSeconds,
      longestCallSeconds: plan.longestCallSeconds,
      rpcTimeoutSeconds: plan.rpcTimeoutSeconds,
    },
  }
  return {
    stackName: 'dispatcher-control',
    edgesPath,
    rpcSecretParameter,
    edgeAccess: { kind: 'direct' },
    removalPolicy: 'destroy',
    control,
  }
}
