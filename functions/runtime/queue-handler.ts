import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from '@aws-lambda-powertools/batch'
import type { SQSHandler, SQSRecord } from 'aws-lambda'
import { type Incoming, takeIn } from '../use-cases/intake.ts'
import type { Ports } from '../use-cases/ports.ts'
import { readEnvironment } from './environment.ts'
import { createPorts } from './ports.ts'

type Work = (ports: Ports, message: Incoming) => Promise<unknown>

/** A Lambda handler over a standard queue: each message is worked on for itself, and only the failed ones come again. */
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

function taker(work: Work): (record: SQSRecord) => Promise<void> {
  const ports = createPorts(readEnvironment(process.env, { queued: true }))
  return (record) => {
    const message = incoming(record)
    return takeIn(ports, message, async () => {
      await work(ports, message)
    })
  }
}

function incoming(record: SQSRecord): Incoming {
  const { SentTimestamp, SequenceNumber } = record.attributes
  return {
    body: record.body,
    sentAt: Number(SentTimestamp),
    ...(SequenceNumber !== undefined && { sequence: SequenceNumber.padStart(20, '0') }),
  }
}
