import { Duration } from 'aws-cdk-lib'
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { ControlFunction } from './control-function.ts'
import { type Delivery, undeliveredQueue } from './delivery.ts'

export interface MinuteScheduleProps {
  readonly called: ControlFunction
  /**
   * What it is called with.
   * @default - EventBridge's own event
   */
  readonly input?: Readonly<Record<string, unknown>>
  /**
   * How often Lambda tries a call again that the function failed at; also one that somebody else made without
   * waiting for it.
   */
  readonly retryAttempts: number
  /** How long such a call may wait in all. */
  readonly maxEventAge: Duration
}

/**
 * Nobody makes up for a minute that was missed, since the next one does the same: its message stays for an
 * hour, so that the number of messages is that of the calls missed lately, and an alarm on it ends by itself.
 */
const kept = Duration.hours(1)

/** Calls a function each minute, and keeps what it failed at. */
export class MinuteSchedule extends Construct {
  readonly delivery: Delivery
  /**
   * for each asynchronous call that the function failed at: what it was asked for, the error and the
   * request's id
   */
  readonly failed: Queue

  constructor(scope: Construct, id: string, props: MinuteScheduleProps) {
    super(scope, id)
    const { called, input, retryAttempts, maxEventAge } = props
    this.failed = undeliveredQueue(this, 'Failed', kept)
    // A destination of the CDK's would allow two actions that Lambda does not need.
    called.allow({ actions: ['sqs:SendMessage'], resources: [this.failed.queueArn] })
    called.function.configureAsyncInvoke({
      retryAttempts,
      maxEventAge,
      onFailure: { bind: () => ({ destination: this.failed.queueArn }) },
    })
    const undelivered = undeliveredQueue(this, 'Undelivered', kept)
    const rule = new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaTarget(called.function, {
          deadLetterQueue: undelivered,
          retryAttempts: 0,
          maxEventAge: Duration.minutes(1),
          ...(input && { event: RuleTargetInput.fromObject(input) }),
        }),
      ],
    })
    this.delivery = { rule, undelivered }
  }
}
