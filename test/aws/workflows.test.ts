import { createHash } from 'node:crypto'
import { SFNClient } from '@aws-sdk/client-sfn'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWorkflows, executionName } from '../../functions/aws/workflows.ts'
import { ExecutionEnded } from '../../functions/control/errors.ts'
import { type AwsAnswer, awsStub } from './aws-stub.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const stateMachineArn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:drain'
const input = { drainId: 'i-1/drain', attempt: 2, next: 'observe', waitSeconds: 1, retrySeconds: 1 } as const
const started: AwsAnswer = { result: { executionArn: 'arn', startDate: 1_795_000_000 } }
const taken: AwsAnswer = { error: 'ExecutionAlreadyExists', message: 'Execution Already Exists' }

async function workflows(answers: Readonly<Record<string, AwsAnswer>>) {
  const stub = await awsStub(
    ({ operation }) => answers[operation] ?? { error: 'InvalidAction', message: operation },
  )
  return { stub, workflows: createWorkflows({ client: new SFNClient(stub.client), stateMachineArn, hash }) }
}

test('an execution starts under the name of its drain and attempt, with the whole payload', async () => {
  const world = await workflows({ StartExecution: started })
  await world.workflows.start(input)
  const [request] = world.stub.requests
  expect(request?.body).toMatchObject({ stateMachineArn, name: executionName('i-1/drain', 2, hash) })
  expect(JSON.parse(String(request?.body.input))).toEqual(input)
})

test.each(['RUNNING', 'SUCCEEDED'])('a name whose execution is %s is success', async (status) => {
  const world = await workflows({ StartExecution: taken, DescribeExecution: { result: { status } } })
  await world.workflows.start(input)
  expect(world.stub.requests[1]?.body).toEqual({
    executionArn: `arn:aws:states:eu-central-1:123456789012:execution:drain:${executionName('i-1/drain', 2, hash)}`,
  })
})

test.each(['FAILED', 'TIMED_OUT', 'ABORTED'])(
  'a name whose execution is %s needs a new attempt',
  async (status) => {
    const world = await workflows({ StartExecution: taken, DescribeExecution: { result: { status } } })
    const start = world.workflows.start(input)
    await expect(start).rejects.toThrow(ExecutionEnded)
    await expect(start).rejects.toThrow(`is ${status}: start it as attempt 3`)
  },
)

test('another error of Step Functions passes through', async () => {
  const world = await workflows({ StartExecution: { error: 'StateMachineDoesNotExist', message: 'gone' } })
  await expect(world.workflows.start(input)).rejects.toThrow(
    expect.objectContaining({ name: 'StateMachineDoesNotExist' }),
  )
})

const ids = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
  fc.stringMatching(/^[a-z0-9/_-]{1,120}$/),
)

test('every name is one that Step Functions takes', () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 9999 }), (id, attempt) => {
      expect(executionName(id, attempt, hash)).toMatch(/^[A-Za-z0-9_-]{1,80}$/)
    }),
  )
})

test('two drains, or two attempts, never share a name', () => {
  fc.assert(
    fc.property(ids, ids, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (a, b, m, n) => {
      fc.pre(a !== b || m !== n)
      expect(executionName(a, m, hash)).not.toBe(executionName(b, n, hash))
    }),
  )
  const long = 'x'.repeat(100)
  const names = [
    'a/b',
    'a:b',
    'a_b',
    long,
    `${long}y`,
    'a-1',
    executionName('a/b', 1, hash).replace(/-1$/, ''),
  ]
  expect(new Set(names.map((id) => executionName(id, 1, hash))).size).toBe(names.length)
})
