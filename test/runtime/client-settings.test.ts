import { SSMClient } from '@aws-sdk/client-ssm'
import { expect, test } from 'vitest'
import { createSecret } from '../../functions/aws/secret.ts'
import { clientSettings } from '../../functions/runtime/client-settings.ts'
import { awsStub } from '../aws/aws-stub.ts'
import { createMemoryClock } from '../memory/clock.ts'

test('an AWS that takes a request and never answers is an error, not a wait', async () => {
  const stub = await awsStub(() => 'silence')
  const client = new SSMClient({
    ...clientSettings,
    ...stub.client,
    requestHandler: { ...clientSettings.requestHandler, requestTimeout: 50 },
  })
  await expect(createSecret(client, '/x', createMemoryClock()).get()).rejects.toThrow(
    expect.objectContaining({ name: 'TimeoutError' }),
  )
})

test('every client has an end to its tries and to its waiting', () => {
  expect(clientSettings).toEqual({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  })
})
