import type { Context, SQSRecord } from 'aws-lambda'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import type { Ports } from '../../functions/ports/ports.ts'
import { correlated, correlationId } from '../../functions/runtime/correlation.ts'
import { createPorts } from '../../functions/runtime/ports.ts'
import { queueHandler } from '../../functions/runtime/queue-handler.ts'
import { scheduleHandler } from '../../functions/runtime/schedule-handler.ts'
import { settleHandler } from '../../functions/runtime/settle-handler.ts'
import { stepHandler } from '../../functions/runtime/step-handler.ts'
import type { AwsRequest } from '../aws/aws-stub.ts'
import { loopback, reply, result } from '../rpc-client/loopback.ts'
import { functionEnvironment } from './function-environment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const context = { awsRequestId: 'request-1' } as Context
const payload = {
  drainId: 'alarm/High CPU',
  attempt: 1,
  next: 'observe',
  waitSeconds: 1,
  retrySeconds: 1,
} as const

const messages = (...ids: string[]) => ({
  Records: ids.map((id) => ({
    messageId: `sqs-${id}`,
    receiptHandle: id,
    body: JSON.stringify({ id }),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1795384800000' },
  })) as unknown as SQSRecord[],
})

/** A deployed function's environment with one edge, and for which ids that edge was asked. */
async function world() {
  const edge = await loopback((request, socket) =>
    reply(socket, result(request, { up_since: 'then', uptime: 4 })),
  )
  const results: Readonly<Record<string, Record<string, unknown>>> = {
    GetParametersByPath: {
      Parameters: [{ Name: '/control/edges/edge-a', Value: JSON.stringify({ url: edge.url }) }],
    },
    GetParameter: { Parameter: { Value: 'the-shared-secret' } },
  }
  const environment = await functionEnvironment(({ operation }) => ({
    result: results[operation] ?? { executionArn: 'arn', startDate: 1 },
  }))
  const askedFor = () => edge.requests.map(({ head }) => /^x-correlation-id: (.*)$/im.exec(head)?.[1])
  return { ...environment, askedFor }
}
const ask = (ports: Ports) => ports.settles.ask({ kind: 'settle' })
/** Does what was asked of the settle function, as Lambda would. */
async function settleAll(requests: readonly AwsRequest[]): Promise<void> {
  for (const { body } of requests.filter(({ operation }) => operation === 'Invoke'))
    await settleHandler(async ({ fleet }) => void (await (await fleet.edges())[0]?.boot()))(body, context)
}
const started = (requests: readonly AwsRequest[]): WorkflowPayload[] =>
  requests
    .filter(({ operation }) => operation === 'StartExecution')
    .map(({ body }) => JSON.parse(String(body.input)))

test('one id leads from an event over each step of its drain, in each line of the log, to the edge', async () => {
  const { requests, lines, askedFor } = await world()
  const handle = queueHandler(async (ports) => {
    await ask(ports)
    await ports.workflows.start(payload)
  })
  await handle(messages('event-a'), context, () => undefined)
  let [at] = started(requests)
  const steps = ['observe', 'complete', 'retire', 'ended'] as const
  for (const next of steps)
    at = await stepHandler(async (ports) => {
      await ask(ports)
      if (next === 'complete') await ports.workflows.start({ ...payload, attempt: 2 })
      return { ...payload, next }
    })(at, context)
  await settleAll(requests)
  expect(lines().map(({ message, correlationId: id }) => [message, id])).toEqual([
    ['Message done', 'event-a'],
    ...steps.map(() => ['Step done', 'event-a']),
    ...Array(5).fill(['Settled', 'event-a']),
  ])
  expect(askedFor()).toEqual(Array(5).fill('event-a'))
  expect(started(requests)).toMatchObject([
    { attempt: 1, correlationId: 'event-a' },
    { attempt: 2, correlationId: 'event-a' },
  ])
})

test('messages that are handled side by side keep their ids apart', async () => {
  const { requests, lines, askedFor } = await world()
  const handle = queueHandler(ask)
  await handle(messages('a', 'b', 'c'), context, () => undefined)
  expect(lines().map(({ correlationId: id, eventId }) => id === eventId)).toEqual([true, true, true])
  await settleAll(requests)
  expect(askedFor().sort()).toEqual(['a', 'b', 'c'])
})

test('a drain that nobody’s event started is followed by its own id, what comes each minute by its request', async () => {
  const { requests, lines, askedFor } = await world()
  const step = stepHandler(async (ports) => {
    await ask(ports)
    return payload
  })
  expect(await step(payload, context)).toEqual(payload)
  const scheduled = { createPorts, work: ask, done: 'Done', failed: 'Not done' }
  await scheduleHandler({ ...scheduled, name: 'reconcile' })({}, context)
  await scheduleHandler({ ...scheduled, name: 'sweep' })({}, context)
  await settleAll([...requests, { operation: 'Invoke', body: { kind: 'minute' } }])
  const ids = ['alarm/High_CPU', 'reconcile/request-1', 'sweep/request-1']
  expect(askedFor()).toEqual([...ids, 'minute/request-1'])
  expect(lines().map(({ correlationId: id }) => id)).toEqual([...ids, ...askedFor()])
})

test('whatever an id is made of, it is a header and one word of a log line', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 250 })), async (text) => {
      const id = await correlated(text, async () => correlationId())
      expect(id).toMatch(/^[[\]\w.:/@=+;-]{0,200}$/)
    }),
  )
})
