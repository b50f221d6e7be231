import { Duration } from 'aws-cdk-lib'
import type { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { ControlFunction } from './control-function.ts'

export interface MessageQueueProps {
  readonly fifo: boolean
  /** How long its function may take; a message that was not finished shows again after six times that. */
  readonly functionTimeout: Duration
}

export interface ConsumerProps {
  readonly batchSize: number
  /** functions at work at the same time (AWS: 2–1000) */
  readonly maxConcurrency: number
}

/**
 * A message that fails comes again after about 2, 4, 8, … 256 and 300 s (functions/control/pace.ts), so that
 * ten tries are some 14 minutes; one whose function was killed, after the visibility timeout.
 */
const receivesToTheEnd = 10

/** A queue and its dead-letter queue, encrypted, TLS only. */
export class MessageQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: MessageQueueProps) {
    super(scope, id)
    const common = {
      ...(props.fifo && { fifo: true, contentBasedDeduplication: false }),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    }
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, retentionPeriod: Duration.days(14) })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.seconds(6 * props.functionTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: receivesToTheEnd },
    })
  }

  /**
   * Has the function work the queue off, and lets it send what can never succeed to the dead-letter queue.
   * `addEventSource` would allow two actions that a poller does not need.
   */
  consumedBy(consumer: ControlFunction, props: ConsumerProps): EventSourceMapping {
    consumer.allow({
      actions: [
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ChangeMessageVisibility',
      ],
      resources: [this.queue.queueArn],
    })
    consumer.allow({ actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] })
    return consumer.function.addEventSourceMapping('Messages', {
      eventSourceArn: this.queue.queueArn,
      batchSize: props.batchSize,
      maxConcurrency: props.maxConcurrency,
      reportBatchItemFailures: true,
    })
  }
}
