import { isWaitedForOn } from '../../functions/control/edge-release.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { believed } from '../../functions/control/observation.ts'
import { isUnknown } from '../../functions/control/reading.ts'
import type { Stored } from './look-around.ts'

/** A drain that waits for an edge which is configured no more. */
interface WaitedFor {
  readonly drain: string
  /** counted there last; absent where that is unknown */
  readonly calls?: number
}

/** What is cut at worst by a release of this edge: the calls of these drains, where they are up there yet. */
export function waitedForOn(edge: string, { drains, readings, edges, released }: Stored): WaitedFor[] {
  if (released.includes(edge)) return []
  const last = edges.find(({ head }) => head.edge === edge)?.reading
  return drains
    .filter((drain) => drain.phase.name !== 'ended' && isWaitedForOn(edge, drain, readings))
    .map(({ hold }) => {
      const shown = last?.holds[holdKey(hold)]?.counted.count
      const count = shown && believed(shown)
      return { drain: holdKey(hold), ...(count && !isUnknown(count) && { calls: count.calls }) }
    })
}
