import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { expect, test } from 'vitest'
import { createAlarms } from '../../functions/aws/alarms.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { type AwsAnswer, type AwsRequest, awsStub } from './aws-stub.ts'

async function alarms(answer: (request: AwsRequest) => AwsAnswer) {
  const stub = await awsStub(answer)
  return { requests: stub.requests, port: createAlarms(new CloudWatchClient(stub.client)) }
}

const contributor = (id: string) => ({
  ContributorId: id,
  ContributorAttributes: { InstanceId: `i-${id}` },
  StateReason: 'Threshold Crossed',
})

test("an alarm's series in ALARM are read over all pages, with what tells them apart", async () => {
  const { port, requests } = await alarms(({ body }) => ({
    result: body.NextToken
      ? { AlarmContributors: [contributor('b')] }
      : { AlarmContributors: [contributor('a')], NextToken: 'more' },
  }))
  expect(await port.contributorsInAlarm('cpu')).toEqual([
    { id: 'a', attributes: { InstanceId: 'i-a' } },
    { id: 'b', attributes: { InstanceId: 'i-b' } },
  ])
  expect(requests.map(({ operation, body }) => [operation, body.AlarmName, body.NextToken])).toEqual([
    ['DescribeAlarmContributors', 'cpu', undefined],
    ['DescribeAlarmContributors', 'cpu', 'more'],
  ])
})

test('a series without an id is an unexpected answer, not one that is OK', async () => {
  const { port } = await alarms(() => ({ result: { AlarmContributors: [{ StateReason: 'x' }] } }))
  await expect(port.contributorsInAlarm('cpu')).rejects.toThrow(UnexpectedAnswer)
})

test('a page of alarms that is refused fails as a whole: one that is not shown would pass for deleted', async () => {
  const shown = { AlarmName: 'a', StateValue: 'ALARM', StateUpdatedTimestamp: 1_795_000_000 }
  const { port } = await alarms(({ body }) =>
    body.NextToken
      ? { error: 'ThrottlingException', message: 'Rate exceeded' }
      : { result: { MetricAlarms: [shown], NextToken: 'more' } },
  )
  await expect(port.states(['a', 'b'])).rejects.toThrow('Rate exceeded')
})
