import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { DeadLetters } from '../ports/dead-letters.ts'

export interface DeadLettersOptions {
  readonly client: SQSClient
  readonly queueUrl: string
  /** the same at every call and everywhere: a message that is rejected twice arrives once on a FIFO queue */
  readonly hash: (text: string) => string
}

/** SQS allows ten attributes, and 256 KB for body and attributes together (1 MB since 2025). */
const mostAttributes = 10
const longestReason = 2000

/**
 * Sends the original body to a dead-letter queue, the reason as attributes `errorName` and `errorMessage`.
 */
export function createDeadLetters({ client, queueUrl, hash }: DeadLettersOptions): DeadLetters {
  return {
    async reject({ body, attributes = {} }, reason) {
      const all = Object.entries({
        errorName: reason.name,
        errorMessage: printable(reason.message),
        ...attributes,
      })
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: body,
          MessageAttributes: Object.fromEntries(
            all
              .filter(([, value]) => value !== '')
              .slice(0, mostAttributes)
              .map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
          ),
          ...(queueUrl.endsWith('.fifo') && inGroupOfItsOwn(hash(body).slice(0, 64))),
        }),
      )
    },
  }
}

/** SQS hands out no more of a group while one of it is looked at: nobody would see beyond ten. */
function inGroupOfItsOwn(id: string) {
  return { MessageGroupId: id, MessageDeduplicationId: id }
}

/** SQS refuses a message whose text has characters that XML 1.0 can't hold. */
function printable(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '\uFFFD').slice(0, longestReason)
}
