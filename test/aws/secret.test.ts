import { SSMClient } from '@aws-sdk/client-ssm'
import { expect, test } from 'vitest'
import { createSecret } from '../../functions/aws/secret.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { type AwsAnswer, awsStub } from './aws-stub.ts'

async function secretThatIs(answer: () => AwsAnswer) {
  const stub = await awsStub(answer)
  const clock = createMemoryClock()
  return { stub, clock, secret: createSecret(new SSMClient(stub.client), '/control/rpc-secret', clock) }
}

test('a secret is read decrypted, kept for five minutes, and read once for all who ask at once', async () => {
  let value = 'first'
  const { stub, clock, secret } = await secretThatIs(() => ({ result: { Parameter: { Value: value } } }))
  expect(await Promise.all([secret.get(), secret.get()])).toEqual(['first', 'first'])
  expect(stub.requests).toEqual([
    { operation: 'GetParameter', body: { Name: '/control/rpc-secret', WithDecryption: true } },
  ])
  value = 'second'
  await clock.advance(299_999)
  expect(await secret.get()).toBe('first')
  await clock.advance(1)
  expect(await secret.get()).toBe('second')
})

test('a rotated secret is there as soon as it is asked for again', async () => {
  let value = 'first'
  const { secret } = await secretThatIs(() => ({ result: { Parameter: { Value: value } } }))
  await secret.get()
  value = 'rotated'
  expect(await secret.refresh()).toBe('rotated')
  expect(await secret.get()).toBe('rotated')
})

test('a parameter that is missing or empty is an error that names it, and the next one asks again', async () => {
  let answer: AwsAnswer = { result: { Parameter: { Value: '' } } }
  const { secret } = await secretThatIs(() => answer)
  await expect(secret.get()).rejects.toThrow('/control/rpc-secret is empty')
  answer = { error: 'ParameterNotFound', message: 'not there' }
  await expect(secret.get()).rejects.toThrow('not there')
  answer = { result: { Parameter: { Value: 'here' } } }
  expect(await secret.get()).toBe('here')
})
