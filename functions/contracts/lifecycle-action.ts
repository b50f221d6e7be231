import * as z from 'zod'
import type { LifecycleMove } from '../control/lifecycle.ts'
import { instant, parseAs, parseJson } from './parse.ts'

/** What a message of Auto Scaling is about. Times are epoch milliseconds. */
export type LifecycleMessage =
  | {
      readonly kind: 'action'
      readonly group: string
      readonly hook: string
      readonly token: string
      readonly instanceId: string
      readonly move: LifecycleMove
      readonly time: number
      /** EventBridge's event id, or the notification's request id: who it was, for logs; not a key */
      readonly eventId: string
    }
  /**
   * it is in service, by a launch that began at `time`; never of an instance that was launched into a
   * warm pool
   */
  | {
      readonly kind: 'launched'
      readonly group: string
      readonly instanceId: string
      readonly time: number
    }
  /** a parameter under the edges' path was made, edited or removed */
  | { readonly kind: 'edges-changed'; readonly parameter: string; readonly operation: string }
  | { readonly kind: 'skip'; readonly reason: string }

const name = z.string().min(1)
const testNotification = 'autoscaling:TEST_NOTIFICATION'
const terminating = 'autoscaling:EC2_INSTANCE_TERMINATING'
const launching = 'autoscaling:EC2_INSTANCE_LAUNCHING'

/** A place that is left out or new to us is undefined: `lifecycleIntent` then takes the harmless reading. */
const place = z.enum(['EC2', 'AutoScalingGroup', 'WarmPool']).optional().catch(undefined)

const actionDetail = z.object({
  LifecycleActionToken: name,
  AutoScalingGroupName: name,
  LifecycleHookName: name,
  EC2InstanceId: name,
  LifecycleTransition: z.enum([terminating, launching]),
  Origin: place,
  Destination: place,
})

const successDetail = z.object({
  AutoScalingGroupName: name,
  EC2InstanceId: name,
  Destination: z.string().optional(),
})
/**
 * A machine may be sent away while it is launched: then the event is later than that, and its `StartTime` is
 * not.
 */
const launchDetail = successDetail.extend({ StartTime: instant.optional().catch(undefined) })

const envelope = { source: z.literal('aws.autoscaling'), id: name, time: instant }

/**
 * What EventBridge delivers. `NotificationMetadata`, `Origin`, `Destination` and `Action` are optional, and
 * unknown keys are let pass. An action
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html):
 * ```json
 * {"version":"0","id":"12345678-1234-1234-1234-123456789012",
 *  "detail-type":"EC2 Instance-terminate Lifecycle Action","source":"aws.autoscaling",
 *  "account":"123456789012","time":"2026-11-22T20:00:00Z","region":"us-west-2",
 *  "resources":["arn:aws:autoscaling:us-west-2:123456789012:autoScalingGroup:…:autoScalingGroupName/my-asg"],
 *  "detail":{"LifecycleActionToken":"87654321-4321-4321-4321-210987654321","AutoScalingGroupName":"my-asg",
 *   "LifecycleHookName":"my-hook","EC2InstanceId":"i-1234567890abcdef0",
 *   "LifecycleTransition":"autoscaling:EC2_INSTANCE_TERMINATING",
 *   "NotificationMetadata":"additional-info","Origin":"AutoScalingGroup","Destination":"EC2"}}
 * ```
 * and the notice that it is over (`StatusCode` is `InProgress` even so), from which nothing follows:
 * ```json
 * {"…":"as above","detail-type":"EC2 Instance Terminate Successful",
 *  "detail":{"StatusCode":"InProgress","AutoScalingGroupName":"my-asg","ActivityId":"…","RequestId":"…",
 *   "Description":"Terminating EC2 instance: i-1234567890abcdef0","Details":{"Availability Zone":"us-west-2b"},
 *   "StatusMessage":"","StartTime":"…","EndTime":"…","EC2InstanceId":"i-1234567890abcdef0","Cause":"…",
 *   "Origin":"AutoScalingGroup","Destination":"EC2"}}
 * ```
 * and an edit of an edge's parameter
 * (https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html):
 * ```json
 * {"…":"as above","detail-type":"Parameter Store Change","source":"aws.ssm",
 *  "detail":{"operation":"Update","name":"/dispatcher-control/edges/edge-a","type":"String","description":"…"}}
 * ```
 */
const event = z.discriminatedUnion(
  'detail-type',
  [
    z.object({
      ...envelope,
      'detail-type': z.literal('EC2 Instance-terminate Lifecycle Action'),
      detail: actionDetail.extend({ LifecycleTransition: z.literal(terminating) }),
    }),
    z.object({
      ...envelope,
      'detail-type': z.literal('EC2 Instance-launch Lifecycle Action'),
      detail: actionDetail.extend({ LifecycleTransition: z.literal(launching) }),
    }),
    z.object({
      ...envelope,
      'detail-type': z.literal('EC2 Instance Terminate Successful'),
      detail: successDetail,
    }),
    z.object({
      ...envelope,
      'detail-type': z.literal('EC2 Instance Launch Successful'),
      detail: launchDetail,
    }),
    z.object({
      ...envelope,
      source: z.literal('aws.ssm'),
      'detail-type': z.literal('Parameter Store Change'),
      detail: z.object({ name, operation: name }),
    }),
  ],
  {
    error:
      'is neither "EC2 Instance-terminate Lifecycle Action", "EC2 Instance-launch Lifecycle Action", "EC2 Instance Terminate Successful", "EC2 Instance Launch Successful" nor "Parameter Store Change"',
  },
)

/**
 * What a hook with a notification target sends to SQS or SNS: the detail with an envelope of its own.
 * ```json
 * {"LifecycleHookName":"my-hook","AccountId":"123456789012","RequestId":"5d858daa-5692-135e-98ca-ef04118c2ab5",
 *  "LifecycleTransition":"autoscaling:EC2_INSTANCE_TERMINATING","AutoScalingGroupName":"my-asg",
 *  "Service":"AWS Auto Scaling","Time":"2026-11-22T20:00:00.123Z","EC2InstanceId":"i-1234567890abcdef0",
 *  "LifecycleActionToken":"87654321-4321-4321-4321-210987654321","NotificationMetadata":"additional-info"}
 * ```
 */
const notification = actionDetail.extend({ Time: instant, RequestId: name.optional() })

/** SNS to SQS without raw delivery. */
const snsEnvelope = z.object({ Type: z.literal('Notification'), Message: z.string() })

/**
 * Sent when a hook gets its notification target:
 * ```json
 * {"AccountId":"123456789012","RequestId":"…","AutoScalingGroupARN":"arn:…","AutoScalingGroupName":"my-asg",
 *  "Service":"AWS Auto Scaling","Event":"autoscaling:TEST_NOTIFICATION","Time":"2026-11-22T20:00:00.123Z"}
 * ```
 */
const test = z.union([
  z.object({ Event: z.literal(testNotification) }),
  z.object({ LifecycleTransition: z.literal(testNotification) }),
])

/**
 * Reads the body of one queue message, whichever way it came: EventBridge event, hook notification, or that
 * within SNS.
 * @throws InvalidMessage that lists every problem with its path.
 */
export function parseLifecycleMessage(body: string): LifecycleMessage {
  const outer = parseJson(body, 'lifecycle message')
  const sns = snsEnvelope.safeParse(outer)
  const message = sns.success ? parseJson(sns.data.Message, 'lifecycle message within SNS') : outer
  if (test.safeParse(message).success) return { kind: 'skip', reason: testNotification }
  if (isNotification(message)) {
    const detail = parseAs(notification, message, 'lifecycle notification')
    return action(detail, detail.Time, detail.RequestId ?? detail.LifecycleActionToken)
  }
  const read = parseAs(event, message, 'lifecycle event')
  switch (read['detail-type']) {
    case 'EC2 Instance-terminate Lifecycle Action':
    case 'EC2 Instance-launch Lifecycle Action':
      return action(read.detail, read.time, read.id)
    case 'EC2 Instance Launch Successful':
      return launched(read.detail, read.detail.StartTime ?? read.time)
    case 'EC2 Instance Terminate Successful':
      return {
        kind: 'skip',
        reason: `${read.detail.EC2InstanceId} has left its group: nothing follows from that`,
      }
    case 'Parameter Store Change':
      return { kind: 'edges-changed', parameter: read.detail.name, operation: read.detail.operation }
    default:
      return read satisfies never
  }
}

/** In an EventBridge event the transition is within the detail. */
function isNotification(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'LifecycleTransition' in message
}

function action(detail: z.output<typeof actionDetail>, time: number, eventId: string): LifecycleMessage {
  return {
    kind: 'action',
    group: detail.AutoScalingGroupName,
    hook: detail.LifecycleHookName,
    token: detail.LifecycleActionToken,
    instanceId: detail.EC2InstanceId,
    move: {
      transition: detail.LifecycleTransition === terminating ? 'terminating' : 'launching',
      ...(detail.Origin && { origin: detail.Origin }),
      ...(detail.Destination && { destination: detail.Destination }),
    },
    time,
    eventId,
  }
}

/** An instance that goes elsewhere (a warm pool) is not in service. */
function launched(detail: z.output<typeof successDetail>, time: number): LifecycleMessage {
  const { Destination: to = 'AutoScalingGroup', EC2InstanceId: instanceId } = detail
  if (to !== 'AutoScalingGroup') return { kind: 'skip', reason: `${instanceId} went to ${to}: not launched` }
  return { kind: 'launched', group: detail.AutoScalingGroupName, instanceId, time }
}
