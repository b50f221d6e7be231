import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from '@aws-lambda-powertools/batch'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context, SQSHandler, SQSRecord } from 'aws-lambda'
import { createRedelivery } from '../aws/redelivery.ts'
import { environment as names } from '../contracts/names.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import { redeliverySeconds } from '../control/pace.ts'
import { type Incoming, takeIn } from '../intake/intake.ts'
import type { Ports } from '../ports/ports.ts'
import { clientSettings } from './client-settings.ts'
import { correlated } from './correlation.ts'
import { readEnvironment } from './environment.ts'
import { messageId, messageLog } from './message-log.ts'
import { createPorts } from './ports.ts'

type Work = (ports: Ports, message: Incoming) => Promise<unknown>

/**
 * A Lambda handler over a standard queue: each message is worked on for itself, and only the failed ones come
 * again.
 */
export function queueHandler(work: Work): SQSHandler {
  const take = taker(work)
  const processor = new BatchProcessor(EventType.SQS)
  return (event, context) =>
    processPartialResponse(event, take, processor, { context, throwOnFullBatchFailure: false })
}

/** The same over a FIFO queue, where the messages behind a failed one of the same group come again too. */
export function fifoQueueHandler(work: Work): SQSHandler {
  const take = taker(work)
  const processor = new SqsFifoPartialProcessorAsync()
  return (event, context) =>
    processPartialResponse(event, take, processor, {
      context,
      throwOnFullBatchFailure: false,
      skipGroupOnError: true,
    })
}

/**
 * One message: worked on, and one line of the log about it. A failed one comes again soon, and then ever
 * later: by itself SQS would bring it only after the queue's visibility timeout, minutes later.
 */
function taker(work: Work): (record: SQSRecord, context: Context) => Promise<void> {
  const environment = readEnvironment(process.env, { queued: true })
  const ports = createPorts(environment)
  if (environment.queueUrl === undefined) throw new InvalidConfiguration(`${names.queue} is missing`)
  const redelivery = createRedelivery(new SQSClient(clientSettings), environment.queueUrl)

  async function handle(record: SQSRecord, context: Context): Promise<void> {
    const message = incoming(record)
    const log = messageLog(ports, record, context)
    try {
      await takeIn(log.ports, message, async () => {
        await work(log.ports, message)
      })
      log.done()
    } catch (error) {
      const seconds = redeliverySeconds(Number(record.attributes.ApproximateReceiveCount), Math.random())
      log.failed(error, seconds)
      await redelivery.after(record.receiptHandle, seconds).catch(log.notDelayed)
      throw error
    }
  }
  return (record, context) => correlated(messageId(record), () => handle(record, context))
}

function incoming(record: SQSRecord): Incoming {
  const { SenderId, SentTimestamp, SequenceNumber } = record.attributes
  return {
    body: record.body,
    senderId: SenderId,
    sentAt: Number(SentTimestamp),
    ...(SequenceNumber !== undefined && { sequence: SequenceNumber.padStart(20, '0') }),
  }
}
