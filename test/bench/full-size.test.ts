import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alone, fullSize } from '../../bench/full-size.ts'

const longestWaitSeconds = 80

const size = fc.record({
  edges: fc.integer({ min: 1, max: 4 }),
  servers: fc.constant(24),
  drains: fc.integer({ min: 1, max: 24 }),
  withinMinutes: fc.constantFrom(0, 0, 3),
  callMinutes: fc.integer({ min: 1, max: 60 }),
  requestsPerSecond: fc.integer({ min: 20, max: 400 }),
  latencyMs: fc.constantFrom(0, 20, 900),
})

test('however little the way to the edges takes, no drain ends with a call up, and each ends soon after its last call', async () => {
  const property = fc.asyncProperty(size, async (chosen) => {
    const outcome = await fullSize(chosen)
    expect(outcome).toMatchObject({ drained: chosen.drains, cut: 0, endedOtherwise: 0 })
    expect(outcome.longestToContinueSeconds).toBeLessThan(5 * longestWaitSeconds)
  })
  await fc.assert(property, { numRuns: 15 })
}, 120_000)

test('sixty drains at once are all seen through, and no edge is asked more than a few hundred times a minute', async () => {
  const outcome = await fullSize({
    edges: 10,
    servers: 100,
    drains: 60,
    withinMinutes: 0,
    callMinutes: 10,
    requestsPerSecond: 5000,
    latencyMs: 20,
  })
  expect(outcome).toMatchObject({ drained: 60, cut: 0, endedOtherwise: 0, throttled: 0 })
  expect(outcome.disabledEverywhereSeconds).toBeLessThan(10)
  expect(outcome.mostEdgeRequestsPerMinute).toBeLessThanOrEqual(300)
}, 60_000)

test('a long drain alone asks little of edges, workflow and table', async () => {
  const found = await alone({ edges: 10, servers: 40, latencyMs: 20, requestsPerSecond: 5000 }, 30)
  expect(found.transitions).toBeLessThanOrEqual(260)
  expect(found.edgeRequests).toBeLessThanOrEqual(1200)
}, 60_000)
