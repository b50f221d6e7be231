import type { Context } from 'aws-lambda'
import { afterEach, expect, test, vi } from 'vitest'
import type { Ports } from '../../functions/ports/ports.ts'
import { createPorts } from '../../functions/runtime/ports.ts'
import { scheduleHandler } from '../../functions/runtime/schedule-handler.ts'
import { createSweepPorts } from '../../functions/runtime/sweep-ports.ts'
import { functionEnvironment } from './function-environment.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const context = { awsRequestId: 'request-1' } as Context
const scheduled = (work: (ports: Ports) => Promise<void>) =>
  scheduleHandler({ name: 'count', createPorts, work, done: 'Counted', failed: 'Not counted' })

test('what a schedule calls leaves one line, which names what was done', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  await scheduled(async () => undefined)({}, context)
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'Counted',
      correlationId: 'count/request-1',
      requestId: 'request-1',
      durationMs: expect.any(Number),
    }),
  ])
})

test('a failure is logged as what was not done, and thrown on', async () => {
  const { lines } = await functionEnvironment(() => ({ result: {} }))
  const handler = scheduled(() => Promise.reject(new Error('planted')))
  await expect(handler({}, context)).rejects.toThrow('planted')
  expect(lines()).toEqual([
    expect.objectContaining({ level: 'ERROR', message: 'Not counted, the next minute tries again' }),
  ])
})

test('the sweep has the ports of all others, and asks CloudWatch and Auto Scaling besides', async () => {
  const { requests } = await functionEnvironment(() => ({ result: { MetricAlarms: [] } }))
  await scheduleHandler({
    ...{ name: 'sweep', createPorts: createSweepPorts, done: 'Swept', failed: 'Not swept' },
    work: async ({ alarms, groupMembers, settles }) => {
      await settles.ask({ kind: 'settle' })
      expect(await groupMembers.waiting([])).toEqual([])
      expect([...(await alarms.states(['media-unhealthy']))]).toEqual([])
    },
  })({}, context)
  expect(requests.map(({ operation }) => operation)).toEqual(['Invoke', 'DescribeAlarms'])
})
