import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { inParallel } from '../../functions/aws/in-parallel.ts'
import { commandGroupId, parseCommand } from '../../functions/contracts/command.ts'
import type { Deployment } from '../../functions/contracts/deployment.ts'
import { DispatcherControlError } from '../../functions/control/errors.ts'
import {
  type DeadLetter,
  type DeadLetterQueue,
  type DeadLetterQueues,
  deadLetterQueues,
} from '../desk/dead-letters.ts'
import { Stop } from '../desk/exit-codes.ts'
import { isDenied } from '../desk/failure.ts'

const hiddenSeconds = 120
/** SQS hands out ten at a time. */
const mostReceives = 30
const batchSize = 10

export function createDeadLetterQueues(
  client: SQSClient,
  { deadLetterQueueUrls, eventQueueUrls, commandQueueUrl }: Deployment,
): DeadLetterQueues {
  const targets = { commands: commandQueueUrl, ...eventQueueUrls }
  const drop = async ({ queue, receipt }: DeadLetter) => {
    await client.send(
      new DeleteMessageCommand({ QueueUrl: deadLetterQueueUrls[queue], ReceiptHandle: receipt }),
    )
  }
  return {
    async look() {
      const found = await inParallel(deadLetterQueues, (queue) =>
        lookInto(client, queue, deadLetterQueueUrls[queue]),
      )
      return {
        letters: found.flatMap(({ letters }) => letters),
        unseen: found.reduce((sum, { unseen }) => sum + unseen, 0),
      }
    },
    async release(letters) {
      for (const queue of deadLetterQueues) {
        const own = letters.filter((letter) => letter.queue === queue)
        for (let from = 0; from < own.length; from += batchSize)
          await client.send(
            new ChangeMessageVisibilityBatchCommand({
              QueueUrl: deadLetterQueueUrls[queue],
              Entries: own.slice(from, from + batchSize).map(({ receipt }, index) => ({
                ...{ Id: String(index), ReceiptHandle: receipt, VisibilityTimeout: 0 },
              })),
            }),
          )
      }
    },
    drop,
    async redrive(letter) {
      await resend(client, letter, targets[letter.queue])
      // Killed before this it comes once more, which is harmless.
      await drop(letter)
    },
  }
}

async function lookInto(client: SQSClient, queue: DeadLetterQueue, QueueUrl: string) {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  const there = Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)
  const letters = new Map<string, DeadLetter>()
  for (let receive = 0; receive < mostReceives; receive += 1) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        ...{ QueueUrl, MaxNumberOfMessages: batchSize, VisibilityTimeout: hiddenSeconds },
        // A short poll asks only some of the machines that a queue is kept on.
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SenderId', 'SentTimestamp'],
      }),
    )
    if (Messages.length === 0) break
    for (const message of Messages) letters.set(message.MessageId ?? '', letterOf(queue, message))
  }
  return { letters: [...letters.values()], unseen: Math.max(0, there - letters.size) }
}

function letterOf(queue: DeadLetterQueue, message: Message): DeadLetter {
  const { MessageId = '', Body = '', ReceiptHandle = '', Attributes, MessageAttributes } = message
  const error = MessageAttributes?.['errorName']?.StringValue
  const reason = MessageAttributes?.['errorMessage']?.StringValue ?? ''
  return {
    ...{ queue, id: MessageId, body: Body, receipt: ReceiptHandle },
    at: Number(Attributes?.SentTimestamp ?? 0),
    senderId: MessageAttributes?.['sender']?.StringValue ?? Attributes?.SenderId ?? 'unknown',
    ...(error !== undefined && { refused: { error, reason } }),
  }
}

async function resend(client: SQSClient, { id, body, queue }: DeadLetter, QueueUrl: string): Promise<void> {
  const isCommand = queue === 'commands'
  try {
    await client.send(
      new SendMessageCommand({
        ...{ QueueUrl, MessageBody: body },
        // Under the command's own id SQS would drop a second try within five minutes, without a word.
        ...(isCommand && { MessageGroupId: groupOf(body), MessageDeduplicationId: `redriven-${id}` }),
      }),
    )
  } catch (error) {
    if (!isDenied(error)) throw error
    const remedy = isCommand
      ? `sqs:SendMessage on ${QueueUrl} is in the policy of the stack's output OperatePolicyArn, and not in ReadPolicyArn; have that attached`
      : `no policy of the stack lets anybody send to ${QueueUrl}, since who may can make an event up; ask somebody who administers it for sqs:SendMessage there, or drain the server by command`
    throw new Stop(`not allowed: ${remedy}`, undefined, { cause: error })
  }
}

/** As it was sent first; one that is no command is refused again, in whatever order. */
function groupOf(body: string): string {
  try {
    return commandGroupId(parseCommand(body))
  } catch (error) {
    if (!(error instanceof DispatcherControlError)) throw error
    return 'redriven'
  }
}
