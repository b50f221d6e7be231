import { createHash } from 'node:crypto'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { afterEach, expect, test, vi } from 'vitest'
import { EdgesUnreadable, InvalidMessage } from '../../functions/control/errors.ts'
import { fifoQueueHandler, queueHandler } from '../../functions/runtime/queue-handler.ts'
import type { AwsAnswer, AwsRequest } from '../aws/aws-stub.ts'
import { functionEnvironment } from './function-environment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const planted = 'planted-in-the-body'
const context = { awsRequestId: 'request-1' } as Context

function record(messageId: string, receives = 1, body: unknown = { id: `event-${messageId}`, planted }) {
  return {
    messageId,
    receiptHandle: `handle-${messageId}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: String(receives),
      SenderId: 'AROA4711:deploy-17',
      SentTimestamp: '1795384800000',
      MessageGroupId: messageId,
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
  } as unknown as SQSRecord
}

async function handle(
  work: Parameters<typeof queueHandler>[0],
  records: SQSRecord[],
  answer: (request: AwsRequest) => AwsAnswer = () => ({ result: {} }),
  make = queueHandler,
) {
  const world = await functionEnvironment(answer)
  const event: SQSEvent = { Records: records }
  const response = (await make(work)(event, context, () => undefined)) as SQSBatchResponse
  return { ...world, failed: response.batchItemFailures.map((item) => item.itemIdentifier) }
}

const unreadable = () => Promise.reject(new EdgesUnreadable('no edge can be read'))
const delays = (requests: readonly AwsRequest[]) =>
  requests
    .filter(({ operation }) => operation === 'ChangeMessageVisibility')
    .map(({ body }) => [body.ReceiptHandle, Number(body.VisibilityTimeout)] as const)

test.each([queueHandler, fifoQueueHandler])(
  'a failed message comes again soon, the others are done',
  async (make) => {
    const work = (_: unknown, { body }: { body: string }) =>
      body.includes('event-b') ? unreadable() : Promise.resolve()
    const { failed, requests } = await handle(work, [record('a'), record('b')], undefined, make)
    expect(failed).toEqual(['b'])
    expect(delays(requests)).toEqual([['handle-b', expect.toSatisfy((s: number) => s >= 1 && s <= 3)]])
    expect(requests[0]?.body.QueueUrl).toMatch(/\/123456789012\/events$/)
  },
)

test('whom SQS names as its sender is handed on with a message, as SQS writes it', async () => {
  const senders: string[] = []
  const work: Parameters<typeof queueHandler>[0] = async (_, { senderId }) => void senders.push(senderId)
  await handle(work, [record('a')])
  expect(senders).toEqual(['AROA4711:deploy-17'])
})

test('the more often it has come, the longer it waits', async () => {
  const { requests } = await handle(unreadable, [record('a', 6)])
  expect(delays(requests)).toEqual([['handle-a', expect.toSatisfy((s: number) => s >= 48 && s <= 80)]])
})

test('where SQS can not be told when, the message fails all the same, and that is logged', async () => {
  const { failed, lines } = await handle(unreadable, [record('a')], () => ({
    error: 'AccessDeniedException',
    message: 'not allowed',
  }))
  expect(failed).toEqual(['a'])
  expect(lines().map(({ level, message }) => [level, message])).toEqual([
    ['ERROR', 'Message failed, it comes again'],
    ['WARN', 'The message comes again only after the visibility timeout'],
  ])
})

test('a message leaves one line that leads from its sender’s id to its drains, and nothing of its body', async () => {
  const work: Parameters<typeof queueHandler>[0] = (ports) =>
    ports.workflows.start({
      drainId: 'lifecycle/i-1/hook',
      attempt: 1,
      next: 'observe',
      waitSeconds: 1,
      retrySeconds: 1,
    })
  const { failed, lines, text } = await handle(work, [record('a', 2)], () => ({
    result: { executionArn: 'arn', startDate: 1 },
  }))
  expect(failed).toEqual([])
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'Message done',
      messageId: 'a',
      eventId: 'event-a',
      requestId: 'request-1',
      drainIds: ['lifecycle/i-1/hook'],
      receives: 2,
      senderId: 'AROA4711:deploy-17',
    }),
  ])
  expect(text()).not.toContain(planted)
})

test('a rejected message leaves one line with the reason, also one that is not JSON', async () => {
  const reject = () => Promise.reject(new InvalidMessage('it is not JSON'))
  const { failed, requests, lines, text } = await handle(reject, [record('a', 1, planted)], ({ body }) => ({
    result: {
      MessageId: '1',
      MD5OfMessageBody: createHash('md5').update(String(body.MessageBody)).digest('hex'),
      FailedEntryCount: 0,
      Entries: [{ EventId: '1' }],
    },
  }))
  expect(failed).toEqual([])
  expect(delays(requests)).toEqual([])
  const [line] = lines()
  expect(line).toMatchObject({ level: 'WARN', message: 'Message rejected', messageId: 'a' })
  expect(line).toMatchObject({ error: { name: 'InvalidMessage', message: 'it is not JSON' } })
  expect(text()).not.toContain(planted)
})

test('a failed message leaves one line with the error and when it comes again', async () => {
  const { lines, text } = await handle(unreadable, [record('a')])
  expect(lines()).toMatchObject([
    {
      eventId: 'event-a',
      comesAgainInSeconds: expect.any(Number),
      error: { name: 'EdgesUnreadable', message: 'no edge can be read' },
    },
  ])
  expect(text()).not.toContain(planted)
})
