import * as z from 'zod'
import type { AtDeadline, EndCalls } from '../control/deadline.ts'
import type { LifecycleTarget } from '../control/drain.ts'
import type { Floor } from '../control/floors.ts'
import { heartbeatInterval } from '../control/pace.ts'
import { isPrivateAddress } from '../control/private-address.ts'
import { senders } from './senders.ts'

const seconds = (min: number, max: number) => z.number().min(min).max(max)
/** An SSM parameter's name. */
const parameterName = z.string().regex(/^\/[A-Za-z0-9_.\-/]+$/)

/** How a media server's own active calls are read, independent of what the edges count. */
const callCount = z.strictObject({
  kind: z.literal('asterisk'),
  port: z.int().min(1).max(65535).default(8088),
  user: z.string().min(1),
  /** SecureString that holds the ARI user's password */
  passwordParameter: parameterName,
})

/** See {@link DeadlinePolicy}. Its error names the shape, which once was one word. */
const deadlinePolicy = z.strictObject(
  { callsLeft: z.enum(['retain', 'end-calls', 'terminate']), unknown: z.enum(['retain', 'terminate']) },
  {
    error: ({ code, input }) =>
      code !== 'invalid_type' || input === undefined
        ? undefined
        : 'must state both: { "callsLeft": "retain", "end-calls" or "terminate", "unknown": "retain" or "terminate" }',
  },
)

/**
 * From the deadline on calls are ended with BYEs, at most `perStep` in a step over all edges, for
 * `withinSeconds` at most.
 */
const endCalls = z.strictObject({
  perStep: z.int().min(1).max(100).default(10),
  withinSeconds: seconds(1, 172_800).default(300),
})

const group = z.strictObject({
  /** Auto Scaling group name */
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(
      /^[^:*?]+$/,
      'must not hold a colon, nor * or ?, which would cover other groups in our permissions',
    ),
  terminateHook: z.string().min(1).max(255),
  launchHook: z.string().min(1).max(255).optional(),
  /** the terminate hook's heartbeat timeout, in seconds (AWS: 30–7200) */
  heartbeatTimeoutSeconds: seconds(1, 7200),
  drainDeadlineSeconds: seconds(1, 172_800),
  deadlinePolicy,
  /** only with `callsLeft: 'end-calls'` */
  endCalls: endCalls.optional(),
  /**
   * where it is retained: how long an instance may stay retained for its calls before that raises an alarm
   */
  retainedMaxAgeSeconds: seconds(60, 1_209_600).default(86_400),
  callCount: callCount.optional(),
})

const alarm = z.strictObject({
  name: z.string().min(1).max(255),
  /** an instance id or a destination, where neither contributor, tag nor dimension names one */
  target: z.string().min(1).optional(),
})

/** How many servers drains by choice must leave. */
const floor = z
  .strictObject({
    /** a dispatcher set; without set and group it is each set's floor */
    set: z.int().min(0).optional(),
    /** an Auto Scaling group of ours */
    group: z.string().min(1).optional(),
    count: z.int().min(1, 'must leave 1 server at least: without a floor leave it out').optional(),
    /** of the servers that get calls or are held by us */
    percent: z.number().gt(0, 'must be above 0').max(100, 'must be at most 100').optional(),
    /** what is left must carry all calls that are up, so many each */
    callsPerServer: z.number().gt(0, 'must be above 0').optional(),
  })
  .transform(({ set, group: of, count, percent, callsPerServer }, context): Floor => {
    const where = { ...(set !== undefined && { set }), ...(of !== undefined && { group: of }) }
    const given = [count, percent, callsPerServer].filter((least) => least !== undefined).length
    if (given === 1 && count !== undefined) return { ...where, count }
    if (given === 1 && percent !== undefined) return { ...where, percent }
    if (given === 1 && callsPerServer !== undefined) return { ...where, callsPerServer }
    context.addIssue({
      code: 'custom',
      message: 'must have exactly one of count, percent and callsPerServer',
    })
    return z.NEVER
  })

/** What keeps alarms and operators, or a loop of theirs, from draining too much. */
const clearance = z.strictObject({
  floors: z.array(floor).default([]),
  /** so many drains by choice may be under way */
  atOnce: z.int().min(1, 'must let 1 begin at least: to stop all, freeze').optional(),
})

const timers = z.strictObject({
  minWaitSeconds: seconds(1, 120).default(5),
  maxWaitSeconds: seconds(1, 120).default(120),
  /** with the drain guard `fr_timer` + 2 s, without it `fr_inv_timer` + 2 s */
  failoverWindowSeconds: seconds(0.5, 600),
  /** the longest call that the edges allow (dialog `default_timeout`) */
  longestCallSeconds: seconds(1, 172_800),
  rpcTimeoutSeconds: seconds(0.2, 10).default(3),
})

/** What one deployment controls. Written by the stack, validated at cold start. */
export const controlConfig = z
  .strictObject({
    groups: z.array(group),
    alarms: z.array(alarm).default([]),
    clearance: clearance.prefault({}),
    /** the commands of every other sender are refused; left out: whomever IAM lets send may command */
    senders: senders.optional(),
    /** a command that would place one more is refused, and an alarm's drain waits */
    maxHoldsPerSender: z
      .int()
      .min(1, 'must be 1 or more: with less no command could place a hold')
      .default(200),
    operatorDrainDeadlineSeconds: seconds(1, 172_800).default(7200),
    /**
     * DNS names in the edges' lists that are no server of the groups, although no edge can resolve them: flag
     * 16, SRV. Any other such name may be the drained server's, and so none is absent while it is listed
     */
    staticNames: z.array(z.string().min(1)).default([]),
    timers,
  })
  .superRefine((config, context) => {
    for (const [key, field, values] of [
      ['groups', 'name', config.groups.map((g) => g.name)],
      ['alarms', 'name', config.alarms.map((a) => a.name)],
      ['senders', 'id', (config.senders ?? []).map((s) => s.id)],
    ] as const) {
      values.forEach((value, index) => {
        if (values.indexOf(value) !== index)
          context.addIssue({
            code: 'custom',
            path: [key, index, field],
            message: `"${value}" is named twice`,
          })
      })
    }
    config.clearance.floors.forEach(({ group: name }, index) => {
      if (name !== undefined && !config.groups.some((each) => each.name === name))
        context.addIssue({
          code: 'custom',
          path: ['clearance', 'floors', index, 'group'],
          message: `"${name}" is no group of ours`,
        })
    })
    const { minWaitSeconds, maxWaitSeconds, failoverWindowSeconds } = config.timers
    if (minWaitSeconds > maxWaitSeconds)
      context.addIssue({
        code: 'custom',
        path: ['timers', 'minWaitSeconds'],
        message: `must not be above maxWaitSeconds = ${maxWaitSeconds} s`,
      })
    config.groups.forEach((g, index) => {
      if (g.drainDeadlineSeconds <= failoverWindowSeconds)
        context.addIssue({
          code: 'custom',
          path: ['groups', index, 'drainDeadlineSeconds'],
          message: `must be longer than the fail-over window of ${failoverWindowSeconds} s: a zero counts only on two readings further apart`,
        })
      const ending = endCallsOf(g)
      if (g.endCalls && !ending)
        context.addIssue({
          code: 'custom',
          path: ['groups', index, 'endCalls'],
          message: "has no meaning unless deadlinePolicy.callsLeft is 'end-calls'",
        })
      if (ending && ending.withinSeconds <= failoverWindowSeconds)
        context.addIssue({
          code: 'custom',
          path: ['groups', index, 'endCalls', 'withinSeconds'],
          message: `must be longer than the fail-over window of ${failoverWindowSeconds} s: that calls are over counts only on two readings further apart`,
        })
      const { latest, globalMaximum } = latestDeadline(g, config.timers)
      if (g.drainDeadlineSeconds > latest)
        context.addIssue({
          code: 'custom',
          path: ['groups', index, 'drainDeadlineSeconds'],
          message: `must be at most ${Math.floor(latest)}: the hook's global maximum, min(48 h, 100 × heartbeat timeout) = ${globalMaximum} s, less ${ending ? `two waits and endCalls.withinSeconds = ${ending.withinSeconds} s` : 'one wait'}`,
        })
    })
  })

export type ControlConfig = z.output<typeof controlConfig>
export type ControlConfigInput = z.input<typeof controlConfig>
export type GroupConfig = ControlConfig['groups'][number]
export type AlarmConfig = ControlConfig['alarms'][number]

function atDeadlineOf({
  deadlinePolicy: { callsLeft, unknown },
  endCalls: given,
}: Pick<GroupConfig, 'deadlinePolicy' | 'endCalls'>): AtDeadline {
  return callsLeft === 'end-calls'
    ? { policy: { callsLeft, unknown }, endCalls: given ?? endCalls.parse({}) }
    : { policy: { callsLeft, unknown } }
}

/** How the group's calls are ended from the deadline on; undefined where its policy is another. */
export function endCallsOf(group: Pick<GroupConfig, 'deadlinePolicy' | 'endCalls'>): EndCalls | undefined {
  return atDeadlineOf(group).endCalls
}

/**
 * Up to when a drain's deadline comes before Auto Scaling's own clock is over, both in seconds from the
 * beginning of the wait at the hook.
 */
export function latestDeadline(
  group: Pick<GroupConfig, 'deadlinePolicy' | 'endCalls' | 'heartbeatTimeoutSeconds'>,
  { maxWaitSeconds }: Pick<ControlConfig['timers'], 'maxWaitSeconds'>,
): { readonly latest: number; readonly globalMaximum: number } {
  const { heartbeatTimeoutSeconds } = group
  const globalMaximum = Math.min(172_800, 100 * heartbeatTimeoutSeconds)
  // The look that finds the deadline passed may have to confirm a zero, or failed at first: it comes up to
  // one wait after it. So does the one that has no time left to end calls.
  const wait = Math.min(maxWaitSeconds, heartbeatInterval(heartbeatTimeoutSeconds))
  const ending = endCallsOf(group)
  return { globalMaximum, latest: globalMaximum - wait - (ending ? ending.withinSeconds + wait : 0) }
}

/** What the settings have for a terminating action of this group. */
export function lifecycleTargetOf(
  group: GroupConfig,
  action: Pick<LifecycleTarget, 'group' | 'hook' | 'token' | 'instanceId'>,
): LifecycleTarget {
  return {
    ...action,
    transition: 'terminating',
    ...atDeadlineOf(group),
    heartbeatSeconds: heartbeatInterval(group.heartbeatTimeoutSeconds),
  }
}

export type CallCountConfig = NonNullable<GroupConfig['callCount']>

/** Plain HTTP to an address that is not private. Where a name leads to is not known. */
function isInClear(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  const address = /^[\d.]+$/.test(hostname) ? hostname : /^\[(.*)\]$/.exec(hostname)?.[1]
  return protocol === 'http:' && address !== undefined && !isPrivateAddress(address)
}

/** The JSON value of one edge's SSM parameter; the parameter's last path element is the edge's id. */
export const edgeParameter = z.strictObject({
  /**
   * Where its JSON-RPC is reached, e.g. `http://10.0.0.5:8080/rpc`. Behind a VPC link it is not needed: the
   * stack's route of this id leads to the edge.
   */
  url: z
    .url({ protocol: /^https?$/ })
    // Not by URL: a check runs after a failed one too, and must not throw.
    .refine((url) => !/^[^/]*\/\/[^/?#]*@/.test(url), 'must not hold a password')
    .refine(
      (url) => !isInClear(url),
      'must be https, or a private DNS name: over plain HTTP to a public address the shared secret would cross the internet in clear',
    )
    .exactOptional(),
  /** true only where dialogs and their profiles survive a restart (dialog `db_mode` 1) */
  restoresDialogs: z.boolean().default(false),
  /** its EC2 instance, for whoever has to find it; nothing is decided by it */
  instanceId: z
    .string()
    .regex(/^i-[0-9a-f]+$/, "is not an instance's id")
    .exactOptional(),
  /**
   * Auto Scaling groups that it serves, for whoever has to find it; every edge is asked about every
   * destination
   */
  groups: z.array(z.string().min(1)).exactOptional(),
})
export type EdgeParameter = z.output<typeof edgeParameter>
