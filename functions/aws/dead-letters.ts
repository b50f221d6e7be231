import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { DeadLetters } from '../ports/dead-letters.ts'

export interface DeadLettersOptions {
  readonly client: SQSClient
  readonly queueUrl: string
  /** the same at every call and everywhere: a message that is rejected twice arrives once on a FIFO queue */
  readonly hash: (text: string) => string
}

const longestReason = 2000

/**
 * Sends the original body to a dead-letter queue, the reason as attributes `errorName` and `errorMessage`,
 * and whose it was as `sender`. What is sent anew after it was rejected, and rejected again, arrives again.
 */
export function createDeadLetters({ client, queueUrl, hash }: DeadLettersOptions): DeadLetters {
  return {
    async reject({ body, senderId, sentAt }, reason) {
      const attributes = {
        errorName: reason.name,
        errorMessage: printable(reason.message),
        sender: senderId,
      }
      const text = (StringValue: string) => ({ DataType: 'String', StringValue })
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: body,
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).flatMap(([name, value]) => (value ? [[name, text(value)]] : [])),
          ),
          ...(queueUrl.endsWith('.fifo') && inGroupOfItsOwn(hash(`${sentAt} ${body}`).slice(0, 64))),
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
