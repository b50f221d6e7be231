import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullSize } from '../../bench/full-size.ts'

/** Ten RPC timeouts, see functions/use-cases/round.ts. */
const leaseSeconds = 30
const longestWaitSeconds = 120

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
    expect(outcome).toMatchObject({ drained: chosen.drains, cut: 0, endedOtherwise: 0, overlaps: 0 })
    expect(outcome.longestRoundSeconds).toBeLessThan(leaseSeconds)
    // Two seconds of counting at least are in a round, and a hold is two requests.
    const eachRound = Math.max(1, Math.floor(chosen.requestsPerSecond / 2 / chosen.edges / 2)) * 2
    const rounds = Math.ceil(chosen.drains / eachRound)
    expect(outcome.longestAfterLastCallSeconds).toBeLessThan((3 * rounds + 2) * longestWaitSeconds)
  })
  await fc.assert(property, { numRuns: 25 })
}, 120_000)

test('sixty drains at once, whose counts alone are more than a round may ask, are all seen through', async () => {
  const outcome = await fullSize({
    edges: 10,
    servers: 100,
    drains: 60,
    withinMinutes: 0,
    callMinutes: 10,
    requestsPerSecond: 200,
    latencyMs: 20,
  })
  expect(outcome).toMatchObject({ drained: 60, cut: 0, endedOtherwise: 0, overlaps: 0 })
  expect(outcome.longestRoundSeconds).toBeLessThan(leaseSeconds)
  expect(outcome.mostRequestsAMinute).toBeLessThanOrEqual((200 / 10) * 60)
}, 60_000)
