import { Annotations, Duration, Token } from 'aws-cdk-lib'
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { Construct } from 'constructs'
import type { ControlConfig } from '../functions/contracts/config.ts'
import { MessageQueue } from './message-queue.ts'

export interface EventIntakeProps {
  readonly control: ControlConfig
  readonly functionTimeout: Duration
}

/** AWS events of our groups, hooks and alarms, and of nobody else's, on their way to the two event queues. */
export class EventIntake extends Construct {
  readonly lifecycleEvents: MessageQueue
  readonly alarmEvents: MessageQueue

  constructor(scope: Construct, id: string, props: EventIntakeProps) {
    super(scope, id)
    const { functionTimeout } = props
    this.lifecycleEvents = new MessageQueue(this, 'LifecycleEvents', { fifo: false, functionTimeout })
    this.alarmEvents = new MessageQueue(this, 'AlarmEvents', { fifo: false, functionTimeout })

    const { groups, alarms } = props.control
    const heartbeats = groups.map((group) => group.heartbeatTimeoutSeconds)
    const visibility = 6 * functionTimeout.toSeconds()
    const shortest = Math.min(...heartbeats)
    if (shortest <= Math.max(visibility, 60))
      Annotations.of(this).addWarningV2(
        'dispatcher-control:short-heartbeat',
        `a heartbeat timeout of ${shortest} s is short: an event whose function is killed comes again after ${visibility} s, when the lifecycle action may be over`,
      )
    const maxEventAge = eventAge(heartbeats)

    if (groups.length > 0) {
      const groupNames = groups.map((group) => group.name)
      const hooks = groups.flatMap((group) => [
        group.terminateHook,
        ...(group.launchHook ? [group.launchHook] : []),
      ])
      this.route('LifecycleActions', this.lifecycleEvents, maxEventAge, {
        source: ['aws.autoscaling'],
        detailType: ['EC2 Instance-terminate Lifecycle Action', 'EC2 Instance-launch Lifecycle Action'],
        detail: { AutoScalingGroupName: groupNames, LifecycleHookName: [...new Set(hooks)] },
      })
      this.route('InstanceResults', this.lifecycleEvents, maxEventAge, {
        source: ['aws.autoscaling'],
        detailType: ['EC2 Instance Terminate Successful', 'EC2 Instance Launch Successful'],
        detail: { AutoScalingGroupName: groupNames },
      })
    }
    if (alarms.length > 0)
      this.route('Alarms', this.alarmEvents, maxEventAge, {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
        detail: { alarmName: alarms.map((alarm) => alarm.name) },
      })
  }

  /** An event that can't be delivered in time goes to the queue's dead-letter queue, with EventBridge's reason. */
  private route(id: string, to: MessageQueue, maxEventAge: Duration, eventPattern: EventPattern): void {
    checkPatternLength(id, eventPattern)
    new Rule(this, id, {
      eventPattern,
      targets: [new SqsQueue(to.queue, { deadLetterQueue: to.deadLetters, maxEventAge, retryAttempts: 185 })],
    })
  }
}

/** Half the shortest heartbeat timeout, so that what comes late can still be acted on; EventBridge allows 60 s to 24 h. */
function eventAge(heartbeats: readonly number[]): Duration {
  return Duration.seconds(Math.max(60, Math.floor(Math.min(7200, ...heartbeats) / 2)))
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const longestPattern = 2048

function checkPatternLength(id: string, pattern: EventPattern): void {
  const length = JSON.stringify(pattern).length
  if (Token.isUnresolved(pattern) || length <= longestPattern) return
  throw new Error(
    `the event pattern of ${id} has ${length} characters, EventBridge allows ${longestPattern}: shorten the names of groups, hooks and alarms, or deploy the groups in two stacks`,
  )
}
