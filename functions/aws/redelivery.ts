import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs'

export interface Redelivery {
  /**
   * Has the message come again in so many whole seconds (SQS: at most 12 hours after it was first received).
   */
  after(receiptHandle: string, seconds: number): Promise<void>
}

export function createRedelivery(client: SQSClient, queueUrl: string): Redelivery {
  return {
    async after(receiptHandle, seconds) {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      )
    },
  }
}
