import type { Context } from 'aws-lambda'
import { afterEach, expect, test, vi } from 'vitest'
import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import { EdgesUnreadable, InvalidMessage } from '../../functions/control/errors.ts'
import { settleHandler } from '../../functions/runtime/settle-handler.ts'
import { functionEnvironment } from './function-environment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const context = { awsRequestId: 'request-1' } as Context

test('what was asked for is done once, and leaves one line with its kind', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  const asked: SettleRequest[] = []
  const handler = settleHandler(async (_ports, request) => void asked.push(request))
  await handler({ kind: 'minute' }, context)
  expect(asked).toEqual([{ kind: 'minute' }])
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'Settled',
      kind: 'minute',
      requestId: 'request-1',
      correlationId: 'minute/request-1',
      durationMs: expect.any(Number),
    }),
  ])
})

test('a failure leaves one line with the error, and is thrown on, so that Lambda tries again', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  const handler = settleHandler(() => Promise.reject(new EdgesUnreadable('no edge can be read')))
  await expect(handler({ kind: 'settle', correlationId: 'event-a' }, context)).rejects.toThrow(
    EdgesUnreadable,
  )
  expect(lines()).toMatchObject([
    {
      level: 'ERROR',
      message: 'Not settled, Lambda tries again',
      kind: 'settle',
      correlationId: 'event-a',
      error: { name: 'EdgesUnreadable' },
    },
  ])
})

test('an event that is no request is refused before anything is done, with what is wrong, and that is logged', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  const work = vi.fn(() => Promise.resolve())
  const refused = settleHandler(work)({ kind: 'settle', surprise: true }, context)
  await expect(refused).rejects.toThrow(InvalidMessage)
  await expect(refused).rejects.toThrow('settle request: surprise: is not a known key')
  expect(work).not.toHaveBeenCalled()
  expect(lines()).toMatchObject([
    { level: 'ERROR', requestId: 'request-1', error: { name: 'InvalidMessage' } },
  ])
})
