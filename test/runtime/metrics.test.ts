import { afterEach, expect, test, vi } from 'vitest'
import { createMetrics } from '../../functions/runtime/metrics.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('each count is written at once, in our namespace, with its dimensions and nobody else’s', () => {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  const metrics = createMetrics('voice/Control')
  metrics.count('EdgesUnreachable', 2, { edge: 'a' })
  metrics.count('Rejected', 0)
  vi.restoreAllMocks()
  const [one, two] = written.map((line): unknown => JSON.parse(line))
  expect(one).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: 'DispatcherControl', Dimensions: [['service', 'edge']] }] },
    service: 'voice/Control',
    edge: 'a',
    EdgesUnreachable: 2,
  })
  expect(two).toMatchObject({ _aws: { CloudWatchMetrics: [{ Dimensions: [['service']] }] }, Rejected: 0 })
})
