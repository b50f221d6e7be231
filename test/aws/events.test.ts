import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { expect, test } from 'vitest'
import { createEvents, EventRefused } from '../../functions/aws/events.ts'
import { type AwsAnswer, awsStub } from './aws-stub.ts'

async function publish(answer: AwsAnswer) {
  const stub = await awsStub(() => answer)
  await createEvents(new EventBridgeClient(stub.client), 'control').publish({
    type: 'Drain Started',
    detail: { drainId: 'd-1', who: 'operator' },
  })
  return stub.requests
}

test('an event goes to our bus, with our source', async () => {
  const [request] = await publish({ result: { FailedEntryCount: 0, Entries: [{ EventId: '1' }] } })
  expect(request?.body.Entries).toEqual([
    {
      EventBusName: 'control',
      Source: 'dispatcher-control',
      DetailType: 'Drain Started',
      Detail: '{"drainId":"d-1","who":"operator"}',
    },
  ])
})

test('an entry that EventBridge refuses within a 200 is an error that says why', async () => {
  const refused = publish({
    result: {
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }],
    },
  })
  await expect(refused).rejects.toThrow(EventRefused)
  await expect(refused).rejects.toThrow('Drain Started: ThrottlingException: slow down')
})

test.each([
  ['the request', { error: 'ValidationException', message: 'too large' }],
  ['the entry', { result: { FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] } }],
] as const)('what is wrong with the event itself is refused for good: %s', async (_, answer) => {
  await expect(publish(answer)).rejects.toMatchObject({ name: 'EventRefused', permanent: true })
})
