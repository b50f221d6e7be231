import { eventTypes, metricNames } from '../contracts/names.ts'
import { dealOut, type EndCalls } from '../control/deadline.ts'
import type { DrainRecord } from '../control/drain-record.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { isUnknown, type Round } from '../control/round.ts'
import { save, sayAndSave } from './drain-step.ts'
import { onEveryEdge } from './edges.ts'
import type { CallsOf, Edge, Ports } from './ports.ts'
import { callsOf } from './read-edge.ts'
import { type SettleNeeds, settleEdge } from './settle.ts'

/** Calls of one drain that an edge has, and what to name them by there. */
export interface CallsOnEdge {
  readonly edge: string
  readonly calls: number
  readonly of: CallsOf
}

/** @returns the edges that are known to have calls of this hold. */
export function callsOnEdges(round: Round, hold: Hold): CallsOnEdge[] {
  return round.edges.flatMap((reading) => {
    const shown = reading.readable ? reading.holds[holdKey(hold)] : undefined
    const count = shown?.counted?.count
    // The whole edge's total says nothing about one server's calls.
    if (count === undefined || isUnknown(count) || count.source === 'edge') return []
    if (count.calls === 0) return []
    return [{ edge: reading.edge, calls: count.calls, of: callsOf(hold, shown?.others) }]
  })
}

/**
 * Ends some calls with BYEs, a few over all edges. That it is done is on record before it is done, so that a step which was killed
 * in between, and comes again at once, ends no more than its share. What an edge can't end is said, and left for the next step:
 * only the next round proves what was ended.
 */
export async function endSomeCalls(
  ports: Pick<Ports, 'store' | 'fleet' | 'clock' | 'config' | 'events' | 'metrics' | 'ids'>,
  record: DrainRecord,
  onEdges: readonly CallsOnEdge[],
  { perStep }: EndCalls,
): Promise<DrainRecord> {
  const now = ports.clock.now()
  const tooSoon =
    record.endedCallsAt !== undefined && now - record.endedCallsAt < ports.config.timers.minWaitSeconds * 1000
  const calls = Object.fromEntries(onEdges.map((one) => [one.edge, one.calls]))
  const shares = dealOut(calls, perStep, record.steps)
  const edges = (await ports.fleet.edges()).filter(({ id }) => shares[id] !== undefined)
  if (tooSoon || edges.length === 0) return record
  const claimed = await save(ports, record, { endedCallsAt: now })
  const results = await onEveryEdge(edges, (edge) =>
    endOnEdge(ports, edge, onEdges.find((one) => one.edge === edge.id)?.of, shares[edge.id] ?? 0),
  )
  const ended = results.reduce((sum, result) => sum + result.ended, 0)
  const changes = { callsEnded: (claimed.callsEnded ?? 0) + ended }
  if (ended === 0 && results.every(({ failed }) => failed === undefined)) return save(ports, claimed, changes)
  ports.metrics.count(metricNames.callsEnded, ended)
  const more = { policy: 'end-calls', ended, edges: results }
  return sayAndSave(ports, eventTypes.callsEnded, claimed, changes, more)
}

/** Under the edge's lease, as all that is written to it. */
async function endOnEdge(
  ports: SettleNeeds,
  edge: Edge,
  of: CallsOf | undefined,
  most: number,
): Promise<{ readonly edge: string; readonly ended: number; readonly failed?: string }> {
  if (!of) return { edge: edge.id, ended: 0 }
  let ended: number | undefined
  const result = await settleEdge(ports, edge, 0, {
    first: async (own) => {
      ended = await own.endCalls(of, most)
    },
  })
  if (ended !== undefined) return { edge: edge.id, ended }
  return {
    edge: edge.id,
    ended: 0,
    failed: 'error' in result ? result.error.message : 'another run has the edge',
  }
}
