import { Annotations, Duration, Lazy, Stack } from 'aws-cdk-lib'
import { type EventPattern, Match, Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { Construct } from 'constructs'
import type { AlarmConfig, GroupConfig } from '../functions/contracts/config.ts'
import { simulatedAutoScaling } from '../functions/contracts/names.ts'
import { type Delivery, undeliveredQueue } from './delivery.ts'
import { MessageQueue } from './message-queue.ts'

/** The sweep comes each minute, and leaves an action that has just begun to its event. */
const sweptWithinSeconds = 120

/** AWS events of our groups, hooks and alarms, and of nobody else's, on their way to the two event queues. */
export class EventIntake extends Construct {
  readonly lifecycleEvents: MessageQueue
  readonly alarmEvents: MessageQueue
  private readonly functionTimeout: Duration
  private readonly heartbeats: number[] = []
  private readonly deliveries = new Map<string, Delivery>()
  private readonly watchers: ((name: string, delivery: Delivery) => void)[] = []

  constructor(scope: Construct, id: string, props: { readonly functionTimeout: Duration }) {
    super(scope, id)
    const { functionTimeout } = props
    this.functionTimeout = functionTimeout
    this.lifecycleEvents = new MessageQueue(this, 'LifecycleEvents', { fifo: false, functionTimeout })
    this.alarmEvents = new MessageQueue(this, 'AlarmEvents', { fifo: false, functionTimeout })
  }

  /**
   * Lets in the events of one more group and its hooks. Warns of a heartbeat timeout too short for a second
   * try.
   * @throws Error for one that no hook of AWS can have
   */
  addGroup({ name, terminateHook, launchHook, heartbeatTimeoutSeconds }: GroupConfig): void {
    if (heartbeatTimeoutSeconds < 30 && this.node.tryGetContext(simulatedAutoScaling) === undefined)
      throw new Error(
        `group ${name}: heartbeatTimeoutSeconds is ${heartbeatTimeoutSeconds}, but a hook's heartbeat timeout is 30 s to 7200 s`,
      )
    this.heartbeats.push(heartbeatTimeoutSeconds)
    const visibility = 6 * this.functionTimeout.toSeconds()
    if (heartbeatTimeoutSeconds <= Math.max(visibility, sweptWithinSeconds))
      Annotations.of(this).addWarningV2(
        'dispatcher-control:short-heartbeat',
        `a heartbeat timeout of ${heartbeatTimeoutSeconds} s is short: an event whose function is killed comes again after ${visibility} s, and one that is lost is swept within ${sweptWithinSeconds} s, when the lifecycle action may be over`,
      )
    this.route('LifecycleActions', this.lifecycleEvents, {
      source: ['aws.autoscaling'],
      detailType: ['EC2 Instance-terminate Lifecycle Action', 'EC2 Instance-launch Lifecycle Action'],
      detail: {
        AutoScalingGroupName: [name],
        LifecycleHookName: launchHook === undefined ? [terminateHook] : [terminateHook, launchHook],
      },
    })
    this.route('InstanceResults', this.lifecycleEvents, {
      source: ['aws.autoscaling'],
      detailType: ['EC2 Instance Launch Successful'],
      detail: { AutoScalingGroupName: [name] },
    })
  }

  /** Lets in edits of the parameters under the edges' path. */
  addEdgeList(path: string): void {
    this.route('EdgeList', this.lifecycleEvents, {
      source: ['aws.ssm'],
      detailType: ['Parameter Store Change'],
      detail: { name: Match.prefix(`${path}/`) },
    })
  }

  /** Lets in the events of one more alarm. */
  addAlarm({ name }: AlarmConfig): void {
    this.route('Alarms', this.alarmEvents, {
      source: ['aws.cloudwatch'],
      detailType: ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
      detail: { alarmName: [name] },
    })
  }

  /** Calls back for each rule, also for one that a group or alarm brings later. */
  eachRule(watch: (name: string, delivery: Delivery) => void): void {
    this.watchers.push(watch)
    for (const [name, delivery] of this.deliveries) watch(name, delivery)
  }

  /**
   * Makes the rule, or widens the one that is there by what the pattern names. An event that can't be
   * delivered in time goes to a queue of the rule's own, with EventBridge's reason.
   */
  private route(id: string, to: MessageQueue, pattern: EventPattern): void {
    const existing = this.deliveries.get(id)
    if (existing !== undefined) {
      existing.rule.addEventPattern(pattern)
      return
    }
    const undelivered = undeliveredQueue(this, `${id}Undelivered`)
    const rule = new Rule(this, id, {
      eventPattern: pattern,
      targets: [
        new SqsQueue(to.queue, {
          deadLetterQueue: undelivered,
          maxEventAge: Duration.seconds(Lazy.number({ produce: () => eventAge(this.heartbeats) })),
          retryAttempts: 185,
        }),
      ],
    })
    rule.node.addValidation({
      validate: () => tooLong(id, Stack.of(this).resolve(rule._renderEventPattern())),
    })
    const delivery = { rule, undelivered }
    this.deliveries.set(id, delivery)
    for (const watch of this.watchers) watch(id, delivery)
  }
}

/**
 * Seconds: half the shortest heartbeat timeout, so that what comes late can still be acted on; EventBridge
 * allows 60 s to 24 h.
 */
function eventAge(heartbeats: readonly number[]): number {
  return Math.max(60, Math.floor(Math.min(7200, ...heartbeats) / 2))
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const longestPattern = 2048

/** A name that only CloudFormation knows counts as the reference to it, which is about as long. */
function tooLong(id: string, pattern: unknown): string[] {
  const { length } = JSON.stringify(pattern)
  if (length <= longestPattern) return []
  return [
    `the event pattern of ${id} has ${length} characters, EventBridge allows ${longestPattern}: shorten the names of groups, hooks and alarms, or deploy the groups in two stacks`,
  ]
}
