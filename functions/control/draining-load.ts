import { type Hold, holdKey } from './hold.ts'
import { type EdgeReading, type HoldReading, isUnknown } from './reading.ts'

/**
 * What one Auto Scaling group's servers that are held carry; `group` is undefined for those of no known
 * group.
 */
export interface DrainingLoad {
  readonly group: string | undefined
  readonly servers: number
  /** known calls, over all edges */
  readonly calls: number
  /**
   * how many of the servers may have calls that are not among them: an edge could not be read, or could not
   * tell
   */
  readonly unknown: number
}

/**
 * Sums what was read over the held servers of each group. One that several holds are on counts once, with the
 * most calls that an edge showed for any of them. Retired ones are done and lifted ones are back: neither
 * counts.
 */
export function drainingLoads(
  edges: readonly EdgeReading[],
  holds: readonly Hold[],
): readonly DrainingLoad[] {
  const servers = new Map<string, Hold[]>()
  for (const hold of holds) {
    if (hold.lifted || hold.source === 'retired') continue
    const { subject } = hold
    const key = subject.kind === 'instance' ? `${subject.instanceId}@${subject.launchedAt}` : subject.uri
    servers.set(key, [...(servers.get(key) ?? []), hold])
  }
  const loads = new Map<string | undefined, DrainingLoad>()
  for (const own of servers.values()) {
    const group = own.find((hold) => hold.group !== undefined)?.group
    const before = loads.get(group) ?? { group, servers: 0, calls: 0, unknown: 0 }
    const counts = edges.map((edge) => (edge.readable ? most(own, edge.holds) : undefined))
    loads.set(group, {
      group,
      servers: before.servers + 1,
      calls: before.calls + counts.reduce((sum: number, calls) => sum + (calls ?? 0), 0),
      unknown: before.unknown + (counts.includes(undefined) ? 1 : 0),
    })
  }
  return [...loads.values()]
}

function most(holds: readonly Hold[], readings: Readonly<Record<string, HoldReading>>): number | undefined {
  const known = holds.flatMap((hold) => {
    const count = readings[holdKey(hold)]?.counted.count
    return count === undefined || isUnknown(count) ? [] : [count.calls]
  })
  return known.length === holds.length ? Math.max(...known) : undefined
}
