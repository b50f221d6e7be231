import type { Clock } from './ports.ts'

/** How much may be asked of one edge, and until when (epoch ms) more of it may be begun. */
export interface Allowance {
  readonly requestsPerSecond: number
  readonly until: number
}

/** More than this an edge is not asked at once: its few connections must carry it within the RPC timeout. */
const mostPerSecond = 200

/**
 * Each edge's part of half of what the way to all edges takes; the other half is left to what can't wait: new drains, commands,
 * liftings. One request a second at least, and `paced` begins one item at least: where the way is narrow this is more than half.
 */
export function allowance(requestsPerSecond: number, edges: number, until: number): Allowance {
  const each = Math.floor(requestsPerSecond / 2 / Math.max(1, edges))
  return { requestsPerSecond: Math.max(1, Math.min(mostPerSecond, each)), until }
}

/**
 * Works items off in order, each second as many as the allowance takes (one at least), the ones of a second together.
 * @param cost requests that an item makes, about
 * @returns when the time is up or nothing is left; what was not begun is left out
 */
export async function paced<T>(
  clock: Clock,
  items: readonly T[],
  { requestsPerSecond, until }: Allowance,
  cost: (item: T) => number,
  work: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < items.length && clock.now() < until; ) {
    const nextAt = clock.now() + 1000
    let end = from
    let spent = 0
    for (let item = items[end]; item !== undefined; item = items[++end]) {
      spent += cost(item)
      if (spent > requestsPerSecond && end > from) break
    }
    await work(items.slice(from, end))
    from = end
    if (from < items.length && clock.now() < nextAt) await clock.sleep(nextAt - clock.now())
  }
}
