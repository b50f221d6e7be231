import { Duration, Validations } from 'aws-cdk-lib'
import type { Rule } from 'aws-cdk-lib/aws-events'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

/** A rule of EventBridge, and the queue for what it could not deliver to its one target. */
export interface Delivery {
  readonly rule: Rule
  readonly undelivered: Queue
}

/**
 * A queue of its own for what one rule could not deliver, or one function not do: what is in it tells where
 * it came from.
 * @param retentionPeriod days for what somebody will deliver again, an hour for what the next minute does
 * again
 */
export function undeliveredQueue(scope: Construct, id: string, retentionPeriod = Duration.days(14)): Queue {
  const queue = new Queue(scope, id, {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod,
  })
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'it is the dead-letter queue of a rule or function, which the check does not look for',
  })
  return queue
}
