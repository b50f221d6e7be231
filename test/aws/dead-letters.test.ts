import { createHash } from 'node:crypto'
import { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from 'vitest'
import { createDeadLetters } from '../../functions/aws/dead-letters.ts'
import { InvalidMessage } from '../../functions/control/errors.ts'
import { awsStub } from './aws-stub.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

async function reject(
  queue: string,
  message: { readonly senderId?: string; readonly sentAt?: number } = {},
  reason = new InvalidMessage('no id'),
) {
  const stub = await awsStub(() => ({ result: { MessageId: '1' } }))
  const queueUrl = `${stub.client.endpoint}/123456789012/${queue}`
  const client = new SQSClient({ ...stub.client, md5: false })
  await createDeadLetters({ client, queueUrl, hash }).reject(
    { body: '{"broken"', senderId: 'AIDA1', sentAt: 1000, ...message },
    reason,
  )
  return stub.requests[0]?.body ?? {}
}
const text = (value: string) => ({ DataType: 'String', StringValue: value })

test('a rejected message keeps its body, says why, and whose it was', async () => {
  const sent = await reject('dead')
  expect(sent.MessageBody).toBe('{"broken"')
  expect(sent.MessageAttributes).toEqual({
    errorName: text('InvalidMessage'),
    errorMessage: text('no id'),
    sender: text('AIDA1'),
  })
  expect(sent).not.toHaveProperty('MessageGroupId')
})

test('what SQS would refuse is not sent: control characters, an empty value', async () => {
  const sent = await reject(
    'dead',
    { senderId: '' },
    new InvalidMessage(`bad \u0000 byte ${'x'.repeat(9000)}`),
  )
  const attributes = Object.entries(sent.MessageAttributes ?? {})
  expect(attributes.map(([name]) => name)).toEqual(['errorName', 'errorMessage'])
  expect(JSON.stringify(attributes)).toContain('bad \uFFFD byte xxx')
  expect(JSON.stringify(attributes).length).toBeLessThan(4000)
})

test('on a FIFO queue the same message twice is one, and is in a group of its own, so that each can be looked at', async () => {
  const [one, two] = [await reject('dead.fifo'), await reject('dead.fifo')]
  expect(one.MessageGroupId).toBe(one.MessageDeduplicationId)
  expect(one.MessageDeduplicationId).toMatch(/^[0-9a-f]{64}$/)
  expect(two.MessageDeduplicationId).toBe(one.MessageDeduplicationId)
  const anew = await reject('dead.fifo', { sentAt: 2000 })
  expect(anew.MessageDeduplicationId).not.toBe(one.MessageDeduplicationId)
})
