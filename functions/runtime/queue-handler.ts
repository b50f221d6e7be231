import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from '@aws-lambda-powertools/batch'
import type { SQSHandler, SQSRecord } from 'aws-lambda'
import { type Incoming, takeIn } from '../use-cases/intake.ts'
import type { Ports } from '../use-cases/ports.ts'
import { metrics } from './metrics.ts'
import { createPorts } from './ports.ts'

/**
 * A Lambda handler over an SQS queue: each message is worked on for itself, and only the failed ones come again. In a FIFO
 * batch the messages behind a failed one of the same group come again too.
 */
export function queueHandler(
  kind: 'standard' | 'fifo',
  work: (ports: Ports, message: Incoming) => Promise<unknown>,
): SQSHandler {
  const ports = createPorts(process.env)
  const processor = kind === 'fifo' ? new SqsFifoPartialProcessorAsync() : new BatchProcessor(EventType.SQS)
  const take = async (record: SQSRecord) => {
    const message = incoming(record)
    await takeIn(ports, message, async () => {
      await work(ports, message)
    })
  }
  return async (event, context) => {
    try {
      return await processPartialResponse(event, take, processor, {
        context,
        throwOnFullBatchFailure: false,
        ...(kind === 'fifo' && { skipGroupOnError: true }),
      })
    } finally {
      metrics.publishStoredMetrics()
    }
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
