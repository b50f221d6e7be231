import { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from 'vitest'
import type { DeadLetter } from '../../cli/desk/dead-letters.ts'
import { createDeadLetterQueues } from '../../cli/reach/aws-dead-letters.ts'
import { type AwsAnswer, type AwsRequest, awsStub } from '../aws/aws-stub.ts'
import { eventBody } from '../contracts/event-files.ts'
import { deployment } from './deployment.ts'

async function queues(answer: (request: AwsRequest) => AwsAnswer) {
  const { requests, client } = await awsStub(answer)
  // An SDK client sends to the host that the queue's URL names.
  const at = (name: string) => `${client.endpoint}/1/${name}`
  const made = createDeadLetterQueues(new SQSClient({ ...client, md5: false }), {
    ...deployment,
    commandQueueUrl: at('Commands.fifo'),
    eventQueueUrls: { lifecycleEvents: at('Lifecycle'), alarmEvents: at('Alarms') },
    deadLetterQueueUrls: { commands: at('D.fifo'), lifecycleEvents: at('DL'), alarmEvents: at('DA') },
  })
  return { requests, made, at }
}
const letter = (more: Partial<DeadLetter>): DeadLetter => ({
  ...{ queue: 'commands', id: 'm-1', at: 0, senderId: 'AROAX', receipt: 'r-1' },
  ...{ body: eventBody('command-drain-destination'), ...more },
})
const ok: AwsAnswer = { result: {} }

test('each queue is received until it gives no more, all attributes with it, and what is left is counted', async () => {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  const message = {
    ...{ MessageId: 'm-1', ReceiptHandle: 'r-1', Body: '{}' },
    Attributes: { SenderId: 'AROAF:OnCommands', SentTimestamp: '1000' },
    MessageAttributes: {
      ...{ errorName: text('InvalidMessage'), errorMessage: text('no id'), sender: text('AROAX:alice') },
    },
  }
  let given = 0
  const { requests, made } = await queues(({ operation, body }) => {
    if (operation === 'GetQueueAttributes')
      return {
        result: {
          Attributes: { ApproximateNumberOfMessages: '1', ApproximateNumberOfMessagesNotVisible: '1' },
        },
      }
    if (operation !== 'ReceiveMessage' || !String(body.QueueUrl).endsWith('D.fifo') || given > 0) return ok
    given += 1
    return { result: { Messages: [message] } }
  })
  expect(await made.look()).toEqual({
    letters: [
      {
        ...{
          queue: 'commands',
          id: 'm-1',
          at: 1000,
          senderId: 'AROAX:alice',
          body: '{}',
          receipt: 'r-1',
        },
        refused: { error: 'InvalidMessage', reason: 'no id' },
      },
    ],
    unseen: 5,
  })
  expect(requests.filter(({ operation }) => operation === 'ReceiveMessage')).toHaveLength(4)
})

test('a command goes back to its own group, under an id that SQS has not seen, before it is deleted', async () => {
  const { requests, made, at } = await queues(() => ok)
  await made.redrive(letter({}))
  expect(requests).toMatchObject([
    {
      operation: 'SendMessage',
      body: {
        ...{ QueueUrl: at('Commands.fifo'), MessageBody: eventBody('command-drain-destination') },
        ...{ MessageGroupId: 'sip:10.0.1.20:5060', MessageDeduplicationId: 'redriven-m-1' },
      },
    },
    { operation: 'DeleteMessage', body: { QueueUrl: at('D.fifo'), ReceiptHandle: 'r-1' } },
  ])
})

test('what is no command goes back all the same, and an event without a group', async () => {
  const { requests, made, at } = await queues(() => ok)
  await made.redrive(letter({ body: '{' }))
  await made.redrive(letter({ queue: 'alarmEvents' }))
  expect(requests[0]?.body.MessageGroupId).toBe('redriven')
  expect(requests[2]?.body).toEqual({ QueueUrl: at('Alarms'), MessageBody: expect.any(String) })
})

test('who may not send to a queue of events is told why nobody may, and the message stays', async () => {
  const { requests, made } = await queues(() => ({ error: 'AccessDenied', message: 'no' }))
  await expect(made.redrive(letter({ queue: 'lifecycleEvents' }))).rejects.toThrow(
    /no policy of the stack lets anybody send to .*Lifecycle, since who may can make an event up; ask somebody/,
  )
  expect(requests.map(({ operation }) => operation)).toEqual(['SendMessage'])
})

test('who may not send a command anew is told which policy lets them, and the message stays', async () => {
  const { requests, made } = await queues(() => ({ error: 'AccessDenied', message: 'no' }))
  await expect(made.redrive(letter({ queue: 'commands' }))).rejects.toThrow(
    /^not allowed: sqs:SendMessage on .* is in the policy of the stack's output OperatePolicyArn/,
  )
  expect(requests.map(({ operation }) => operation)).toEqual(['SendMessage'])
})

test('what was looked at is given back ten at a time, to its own queue', async () => {
  const { requests, made, at } = await queues(() => ok)
  const many = Array.from({ length: 12 }, (_, n) => letter({ id: `m-${n}`, receipt: `r-${n}` }))
  await made.release([...many, letter({ queue: 'alarmEvents' })])
  const sizes = requests.map(({ body }) => [body.QueueUrl, Object.keys(body.Entries ?? {}).length])
  expect(sizes).toEqual([
    [at('D.fifo'), 10],
    [at('D.fifo'), 2],
    [at('DA'), 1],
  ])
})
