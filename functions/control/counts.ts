import type { CallsAt, Counts, EdgeCount } from './drain.ts'
import type { EdgeObservation } from './observation.ts'
import { isUnknown } from './reading.ts'

/** Calls of one drain that an edge has shown, counted at `at` (epoch ms). */
export interface CallsCounted {
  readonly edge: string
  readonly calls: number
  readonly at: number
  /** how many had ever begun there; absent where it keeps no counters */
  readonly begun?: number
}

/** @returns the edges whose number of calls is known, with the time of the count; zeros too */
export function countedOn(edges: readonly EdgeObservation[]): CallsCounted[] {
  return edges.flatMap((seen): CallsCounted[] => {
    if ('unknown' in seen || isUnknown(seen.count)) return []
    const { edge, at, count } = seen
    const { calls, begun } = count
    return [{ edge, calls, at, ...(begun !== undefined && { begun }) }]
  })
}

/** So many totals are remembered: a drain's row stays small however long it takes. */
export const mostTotals = 12

/**
 * What is remembered after one more count. A call that has begun although it is disabled everywhere starts
 * the totals anew: so what they show is calls that end, and nothing else.
 * @param total of all edges; undefined while it is not known, or not disabled on every edge
 */
export function counting(
  before: Counts | undefined,
  counted: readonly CallsCounted[],
  total: number | undefined,
): Counts {
  const { edges: known = {}, totals = [], begunAt } = before ?? {}
  const edges = {
    ...known,
    ...Object.fromEntries(counted.map((one) => [one.edge, next(known[one.edge], one)])),
  }
  const last = totals.at(-1)
  const at = Math.max(...counted.map((one) => one.at))
  if (total === undefined || at <= (last?.at ?? 0) || counted.length === 0)
    return { ...before, edges, totals }
  const newest = { at, calls: total }
  const hasBegun =
    last !== undefined &&
    (total > last.calls || counted.some(({ edge, begun = 0 }) => begun > (known[edge]?.begun ?? begun)))
  if (hasBegun) return { edges, totals: [newest], begunAt: at }
  return { edges, totals: thinned([...totals, newest]), ...(begunAt !== undefined && { begunAt }) }
}

function next(before: EdgeCount | undefined, { calls, at, begun }: CallsCounted): EdgeCount {
  return {
    calls,
    most: Math.max(before?.most ?? 0, calls),
    since: before?.calls === calls ? before.since : at,
    ...(begun !== undefined && { begun }),
  }
}

/** The older they are the further apart: half an hour and a whole night fit. */
function thinned(totals: readonly CallsAt[]): readonly CallsAt[] {
  if (totals.length <= mostTotals) return totals
  return totals.filter((_, index) => index % 2 === 0 || index > mostTotals / 2)
}
