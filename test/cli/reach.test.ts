import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { exitCodes } from '../../cli/desk/exit-codes.ts'
import { reach } from '../../cli/reach/reach.ts'
import { type AwsAnswer, type AwsRequest, awsStub } from '../aws/aws-stub.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { deployment } from './deployment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const from = { clock: createMemoryClock(), random: () => 0.5, usualProfile: undefined }

async function reached(answer: (request: AwsRequest) => AwsAnswer) {
  const stub = await awsStub(answer)
  vi.stubEnv('AWS_ENDPOINT_URL', stub.client.endpoint)
  vi.stubEnv('AWS_ACCESS_KEY_ID', stub.client.credentials.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', stub.client.credentials.secretAccessKey)
  const place = { stack: 'dispatcher-control', region: stub.client.region }
  const found = reach(place, from)
  return { requests: stub.requests, found }
}

test('what the parameter names is reached: a command goes to its queue, with its group and id', async () => {
  // An SDK client sends to the host that the queue's URL names.
  const ownDeployment = () => ({
    ...deployment,
    commandQueueUrl: `${process.env['AWS_ENDPOINT_URL']}/1/Commands.fifo`,
  })
  const { requests, found } = await reached(({ operation }) => ({
    result: {
      ...(operation === 'GetParameter' && { Parameter: { Value: JSON.stringify(ownDeployment()) } }),
      // of `{}`, which the SDK compares
      ...(operation === 'SendMessage' && { MD5OfMessageBody: '99914b932bd37a50b983c5e7c90ae93b' }),
    },
  }))
  const { send, shelf, deployment: own } = await found
  expect(own).toEqual(ownDeployment())
  await send({ body: '{}', group: 'sip:10.0.1.20:5060', id: 'kdc-1' })
  expect(await shelf.commandOutcome('kdc-1')).toBeUndefined()
  expect(requests.slice(1)).toMatchObject([
    {
      operation: 'SendMessage',
      body: {
        ...{ QueueUrl: ownDeployment().commandQueueUrl, MessageBody: '{}' },
        ...{ MessageGroupId: 'sip:10.0.1.20:5060', MessageDeduplicationId: 'kdc-1' },
      },
    },
    { operation: 'GetItem', body: { Key: { pk: { S: 'COMMAND#kdc-1' }, sk: { S: 'OUTCOME' } } } },
  ])
})

test('a stack that nobody has deployed there is one line that says what to do', async () => {
  const { found } = await reached(() => ({ error: 'ParameterNotFound', message: 'not found' }))
  await expect(found).rejects.toMatchObject({
    exitCode: exitCodes.error,
    message: expect.stringMatching(
      /^no deployment "dispatcher-control" in \S+: there is no parameter \/kdc\/dispatcher-control; name another/,
    ),
  })
})

test('a profile that is not there is told so, and nothing is asked with other credentials', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kdc-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'config')
  writeFileSync(file, '[default]\nregion = eu-central-1\n[profile lab]\nregion = eu-central-1\n')
  vi.stubEnv('AWS_CONFIG_FILE', file)
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'))
  const place = { stack: 'dispatcher-control', profile: 'nix' }
  // What is passed in is what counts.
  vi.stubEnv('AWS_PROFILE', 'lab')
  const { profile: _, ...unnamed } = place
  await expect(reach(unnamed, { ...from, usualProfile: 'typo' })).rejects.toMatchObject({
    message: expect.stringContaining('no profile "typo" is in the AWS configuration'),
  })
  await expect(reach(place, { ...from, usualProfile: 'typo' })).rejects.toMatchObject({
    exitCode: exitCodes.usage,
    message:
      'no profile "nix" is in the AWS configuration: it has default, lab; name another with --profile, or make it: aws configure --profile nix',
  })
})

test.each([
  ['{"version":2}', 'deployment: version: is not a known version; known: 1'],
  ['{"version"', 'deployment: '],
  ['', 'deployment: '],
])('a parameter with %s is told what to do about it, and nothing is guessed', async (Value, why) => {
  const { found } = await reached(() => ({ result: { Parameter: { Value } } }))
  await expect(found).rejects.toMatchObject({
    exitCode: exitCodes.error,
    message: expect.stringContaining(
      `the parameter /kdc/dispatcher-control is not as its stack writes it: deploy that again, or use the kdc of its release (${why}`,
    ),
  })
})
