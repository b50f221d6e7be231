import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { ControlFunction } from './control-function.ts'
import { type Delivery, undeliveredQueue } from './delivery.ts'

/**
 * Nobody makes up for a minute that was missed, since the next one does the same: its message stays for an hour, so that the
 * number of messages is that of the minutes missed lately, and an alarm on it ends by itself.
 */
const kept = Duration.hours(1)

/** Calls the reconciler each minute. A call that fails is not repeated. */
export class ReconcileSchedule extends Construct {
  readonly delivery: Delivery
  /** for each call that the reconciler failed at: the error and the request's id */
  readonly failed: Queue

  constructor(scope: Construct, id: string, reconciler: ControlFunction) {
    super(scope, id)
    this.failed = undeliveredQueue(this, 'Failed', kept)
    // A destination of the CDK's would allow two actions that Lambda does not need.
    reconciler.allow({ actions: ['sqs:SendMessage'], resources: [this.failed.queueArn] })
    reconciler.function.configureAsyncInvoke({
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      onFailure: { bind: () => ({ destination: this.failed.queueArn }) },
    })
    const undelivered = undeliveredQueue(this, 'Undelivered', kept)
    const rule = new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaTarget(reconciler.function, {
          deadLetterQueue: undelivered,
          retryAttempts: 0,
          maxEventAge: Duration.minutes(1),
        }),
      ],
    })
    this.delivery = { rule, undelivered }
  }
}
