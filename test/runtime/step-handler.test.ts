import type { Context } from 'aws-lambda'
import { afterEach, expect, test, vi } from 'vitest'
import { EdgesUnreadable } from '../../functions/control/errors.ts'
import { stepHandler } from '../../functions/runtime/step-handler.ts'
import { functionEnvironment } from './function-environment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const context = { awsRequestId: 'request-1' } as Context
const payload = {
  drainId: 'lifecycle/i-1/hook',
  attempt: 2,
  next: 'observe',
  waitSeconds: 5,
  retrySeconds: 9,
} as const

test('a step leaves one line with its drain and what is next', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  await stepHandler(async (_, input) => ({ ...input, next: 'complete' }))(payload, context)
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'Step done',
      drainId: payload.drainId,
      requestId: 'request-1',
      attempt: 2,
      next: 'complete',
      waitSeconds: 5,
    }),
  ])
})

test('a payload of a newer release is worked on after a rollback, and what is not known is kept for it', async () => {
  await functionEnvironment(() => ({ result: {} }))
  const handler = stepHandler(async (_, input) => ({ ...input, next: 'complete' }))
  expect(await handler({ ...payload, phase: 'waiting', error: { Error: 'before' } }, context)).toEqual({
    ...payload,
    next: 'complete',
    phase: 'waiting',
  })
})

test('a step that fails leaves one line with the error, and throws it on', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  const handler = stepHandler(() => Promise.reject(new EdgesUnreadable('no edge can be read')))
  await expect(handler({ ...payload, error: { Error: 'before' } }, context)).rejects.toThrow(
    'no edge can be read',
  )
  expect(lines()).toMatchObject([
    {
      level: 'ERROR',
      drainId: payload.drainId,
      error: { name: 'EdgesUnreadable', message: 'no edge can be read' },
    },
  ])
})

test('an execution that a release before 0.2 has start with its own step for the beginning is looked at', async () => {
  await functionEnvironment(() => ({ result: {} }))
  const handler = stepHandler(async (_, input) => input)
  expect(await handler({ ...payload, next: 'begin' }, context)).toEqual(payload)
})
