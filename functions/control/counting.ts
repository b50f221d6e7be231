import { type Hold, holdKey } from './hold.ts'
import { nextWait, type Pace } from './pace.ts'
import { type Counted, type EdgeReading, isUnknown, type Round } from './round.ts'

/**
 * What an edge said of a hold's calls when it was last asked, in an earlier round. What it counted before a restart, or while it
 * showed the hold open (calls may have come since), stands no more: that is unknown then, with the time at which it was asked, so
 * that each hold is asked for in its turn. Undefined where it was not asked since the hold was placed.
 */
export function carriedCount(
  before: EdgeReading | undefined,
  bootTime: string,
  hold: Hold,
): Counted | undefined {
  if (!before?.readable) return undefined
  const shown = before.holds[holdKey(hold)]
  if (!shown?.counted || shown.counted.at < hold.placedAt) return undefined
  if (before.bootTime !== bootTime)
    return { ...shown.counted, count: { unknown: 'not counted again since the edge restarted' } }
  if (shown.flags === 'open')
    return { ...shown.counted, count: { unknown: 'not counted again since the edge showed it open' } }
  return shown.counted
}

/**
 * Whose calls a round is to ask for, on every edge, the longest not counted first: holds that some edge has not counted yet, or
 * could not; those that were silent on every edge, since only a second look in one round ends a drain; those past their deadline,
 * whose calls may be ended by what is counted; any other at twice the pace of its drain's own looks. With few drains that is nearly everyone; 500 old ones are asked for once a minute.
 */
export function holdsToCount(
  before: Round | undefined,
  holds: readonly Hold[],
  now: number,
  pace: Pace,
): Hold[] {
  const edges = before?.edges ?? []
  const ranked = holds.map((hold) => {
    const counts = edges.flatMap((edge) => (edge.readable ? [carriedCount(edge, edge.bootTime, hold)] : []))
    const known = counts.flatMap((counted) => (counted && !isUnknown(counted.count) ? [counted.count] : []))
    const silent = known.length === edges.length && known.every(({ calls }) => calls === 0)
    const lastAt = Math.min(...counts.map((counted) => counted?.at ?? 0))
    const waitMs = 1000 * nextWait({ ageMs: now - hold.placedAt, zeroPending: false }, pace)
    const pastDeadline = hold.until !== undefined && now >= hold.until
    const due = known.length < counts.length || silent || pastDeadline || now - lastAt >= waitMs / 2
    return { hold, due, lastAt: counts.length === 0 ? 0 : lastAt }
  })
  return ranked
    .filter(({ due }) => due)
    .sort((a, b) => a.lastAt - b.lastAt)
    .map(({ hold }) => hold)
}
