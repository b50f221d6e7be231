import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import { Construct } from 'constructs'
import type { ControlFunction } from './control-function.ts'

/** Calls the reconciler each minute. A call that fails is not repeated: the next minute's does the same. */
export class ReconcileSchedule extends Construct {
  constructor(scope: Construct, id: string, reconciler: ControlFunction) {
    super(scope, id)
    reconciler.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) })
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaTarget(reconciler.function, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ],
    })
  }
}
