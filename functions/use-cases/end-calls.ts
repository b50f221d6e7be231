import { eventTypes, metricNames } from '../contracts/names.ts'
import { dealOut, type EndCalls } from '../control/deadline.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { isUnknown, type Readings } from '../control/reading.ts'
import { save, sayAndSave } from './drain-step.ts'
import type { Ports } from './ports.ts'

/** Calls of one drain that an edge has. */
export interface CallsOnEdge {
  readonly edge: string
  readonly calls: number
}

/** @returns the edges that are known to have calls of this hold */
export function callsOnEdges({ edges }: Readings, hold: Hold): CallsOnEdge[] {
  return edges.flatMap((reading) => {
    const count = reading.readable ? reading.holds[holdKey(hold)]?.counted.count : undefined
    // The whole edge's total says nothing about one server's calls.
    if (count === undefined || isUnknown(count) || count.source === 'edge') return []
    return count.calls === 0 ? [] : [{ edge: reading.edge, calls: count.calls }]
  })
}

/**
 * Has some calls ended with BYEs, a few over all edges, by the next settle of each. That it is asked for is on record before it is, so
 * that a step which was killed in between, and comes again at once, ends no more than its share.
 */
export async function endSomeCalls(
  ports: Pick<Ports, 'store' | 'settles' | 'clock' | 'config'>,
  record: DrainRecord,
  onEdges: readonly CallsOnEdge[],
  { perStep }: EndCalls,
): Promise<DrainRecord> {
  const step = ports.clock.now()
  const tooSoon =
    record.endedCallsAt !== undefined &&
    step - record.endedCallsAt < ports.config.timers.minWaitSeconds * 1000
  const calls = Object.fromEntries(onEdges.map((one) => [one.edge, one.calls]))
  const shares = dealOut(calls, perStep, record.steps)
  if (tooSoon || Object.keys(shares).length === 0) return record
  const claimed = await save(ports, record, { endedCallsAt: step })
  const hold = holdKey({ source: record.source, id: record.holdId })
  // Whoever has an edge, and lets it rest, gives it up.
  await ports.store.raiseWanted()
  await ports.settles.ask({ kind: 'settle', endCalls: { hold, step, shares } })
  return claimed
}

/** What the steps before have ended is counted and published, as far as the edges' readings tell; so is why an edge ended none. */
export async function countEndedCalls(
  ports: Pick<Ports, 'store' | 'events' | 'metrics'>,
  record: DrainRecord,
  hold: Hold,
  { edges }: Readings,
): Promise<DrainRecord> {
  if (record.endedCallsAt === undefined) return record
  const own = edges.flatMap((reading) => {
    const one = reading.readable ? reading.ended?.[holdKey(hold)] : undefined
    return one === undefined ? [] : [{ edge: reading.edge, ...one }]
  })
  const before = record.callsEnded ?? 0
  const callsEnded = Math.max(
    before,
    own.reduce((sum, { total }) => sum + total, 0),
  )
  const results = own.flatMap(({ edge, step, ended, failed }) =>
    step === record.endedCallsAt ? [{ edge, ended, ...(failed !== undefined && { failed }) }] : [],
  )
  if (callsEnded === before && results.every(({ failed }) => failed === undefined)) return record
  ports.metrics.count(metricNames.callsEnded, callsEnded - before)
  return sayAndSave(
    ports,
    eventTypes.callsEnded,
    record,
    { callsEnded },
    {
      policy: 'end-calls',
      ended: callsEnded - before,
      edges: results,
    },
  )
}
