import type { Context, SQSRecord } from 'aws-lambda'
import * as z from 'zod'
import type { Ports } from '../ports/ports.ts'
import { createLogger } from './logger.ts'

/**
 * What a message is followed by: the id that its sender gave it, or where there is none the one that SQS did.
 */
export function messageId({ messageId: sqs, body }: SQSRecord): string {
  return eventIdOf(body) ?? sqs
}

export interface MessageLog {
  /** the same ports; what the line needs to know of the work is noticed in them */
  readonly ports: Ports
  done(): void
  failed(error: unknown, comesAgainInSeconds: number): void
  /** SQS could not be told when: the message comes again after the queue's visibility timeout. */
  notDelayed(error: unknown): void
}

/** EventBridge's events and our commands both carry their sender's id under this name. */
const identified = z.object({ id: z.string().min(1).max(128) })

/**
 * One line for each message, which leads from the id that its sender gave it to the drains that it started;
 * their lines and events carry `drainId`. What is in the message is not written.
 */
export function messageLog(ports: Ports, record: SQSRecord, context: Context): MessageLog {
  const logger = createLogger({ messageId: record.messageId, eventId: eventIdOf(record.body) })
  const startedAt = ports.clock.now()
  const drainIds: string[] = []
  let rejected: Error | undefined
  const facts = () => ({
    requestId: context.awsRequestId,
    senderId: record.attributes.SenderId,
    receives: Number(record.attributes.ApproximateReceiveCount),
    drainIds,
    durationMs: ports.clock.now() - startedAt,
  })
  return {
    ports: {
      ...ports,
      workflows: {
        ...ports.workflows,
        start(input) {
          drainIds.push(input.drainId)
          return ports.workflows.start(input)
        },
      },
      deadLetters: {
        async reject(message, reason) {
          await ports.deadLetters.reject(message, reason)
          rejected = reason
        },
      },
    },
    done() {
      if (rejected) logger.warn('Message rejected', { ...facts(), error: rejected })
      else logger.info('Message done', facts())
    },
    failed(error, comesAgainInSeconds) {
      logger.error('Message failed, it comes again', { ...facts(), comesAgainInSeconds, error })
    },
    notDelayed(error) {
      logger.warn('The message comes again only after the visibility timeout', { error })
    },
  }
}

function eventIdOf(body: string): string | undefined {
  try {
    return identified.safeParse(JSON.parse(body)).data?.id
  } catch {
    // Not JSON: the message is rejected with that reason, and its line has the id that SQS gave it.
    return undefined
  }
}
