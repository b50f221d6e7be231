import { LambdaClient } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { createSettles, SettleNotAsked } from '../../functions/aws/settles.ts'
import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import { loopback, reply } from '../rpc-client/loopback.ts'

const settle: SettleRequest = { kind: 'settle', notBefore: 1_795_000_000_000 }

/** Lambda on loopback, which answers each invocation with this status. */
async function lambda(status: string, body = '') {
  const service = await loopback((_request, socket) => reply(socket, body, status))
  const client = new LambdaClient({
    endpoint: new URL(service.url).origin,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'stub', secretAccessKey: 'stub' },
    maxAttempts: 1,
  })
  const settles = (correlationId?: string) =>
    createSettles({ client, functionName: 'settle-1', correlationId: () => correlationId })
  return { requests: service.requests, settles }
}

test('what is asked for goes whole to the settle function, and nobody waits for what becomes of it', async () => {
  const { requests, settles } = await lambda('202 Accepted')
  await settles().ask(settle)
  const [request] = requests
  expect(request?.head).toMatch(/^POST \/2015-03-31\/functions\/settle-1\/invocations /)
  expect(request?.head).toMatch(/^x-amz-invocation-type: Event$/im)
  expect(JSON.parse(request?.body ?? '')).toEqual(settle)
})

test('the id of what is being worked on goes along', async () => {
  const { requests, settles } = await lambda('202 Accepted')
  await settles('event-a').ask({ kind: 'minute' })
  expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ kind: 'minute', correlationId: 'event-a' })
})

test.each([
  ['another status', '200 OK', 'null', 'status 200 instead of 202'],
  ['a refusal', '429 Too Many Requests', '{"message":"Rate exceeded"}', 'Rate exceeded'],
])('%s is said with what to do, and is worth another try', async (_what, status, body, why) => {
  const { settles } = await lambda(status, body)
  const asked = settles().ask(settle)
  await expect(asked).rejects.toThrow(SettleNotAsked)
  await expect(asked).rejects.toMatchObject({ permanent: false })
  await expect(asked).rejects.toThrow(
    new RegExp(
      `the function settle-1 could not be asked for "settle": .*${why}.*look at lambda:InvokeFunction`,
    ),
  )
})
