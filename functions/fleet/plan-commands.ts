import type { CommandOutcome } from '../contracts/events.ts'
import { isWaitedForOn } from '../control/edge-release.ts'
import { holdKey } from '../control/hold.ts'
import { believed } from '../control/observation.ts'
import { isUnknown, notReadYet, readable, type StoredHead } from '../control/reading.ts'
import { wantedOf } from '../control/wanted.ts'
import type { Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { edgeViews } from '../stored/edge-views.ts'
import { openDrains } from '../stored/open-drains.ts'
import { storedReadings } from '../stored/read-back.ts'

type Needs = Pick<EdgePorts, 'store' | 'config' | 'clock'>
type DryRun<C extends 'reload' | 'release'> = Extract<CommandOutcome<C>, { readonly result: 'dry-run' }>

/** What a reload of these edges would find, as they were read last. It asks no edge. */
export async function planReload(ports: Needs, edges: readonly Edge[]): Promise<DryRun<'reload'>['edges']> {
  const holds = await ports.store.holds()
  const known = new Map((await edgeViews(ports)).map((stored) => [stored.edge, stored]))
  return edges.map(({ id: edge }) => {
    const stored = known.get(edge)
    if (!stored) return { edge, unreadable: notReadYet }
    if ('unreadable' in stored) return stored
    const { view, reading } = stored
    const { destinations: listed, opaque } = reading.description.list
    return {
      edge,
      listed: listed + opaque,
      heldAgain: wantedOf(holds, view.list).held.size,
      guarded: reading.guarded !== undefined,
      readAt: reading.askedAt,
    }
  })
}

/** What an edge that is configured no more carried when it was read last, and which drains wait for it. */
export async function planRelease(
  ports: Needs,
  { edge, removedAt, unreadable }: StoredHead,
): Promise<Pick<DryRun<'release'>, 'removedAt' | 'unreadableSince' | 'readAt' | 'drains'>> {
  const { store, clock } = ports
  const isReleased = (await store.releases()).some((release) => release.edge === edge)
  const last = readable(await store.reading(edge))
  const readings = await storedReadings(ports, clock.now())
  const drains = await openDrains(ports)
  const waiting = isReleased ? [] : drains.filter((drain) => isWaitedForOn(edge, drain, readings))
  return {
    ...{ removedAt, unreadableSince: unreadable?.since, readAt: last?.askedAt },
    drains: waiting.map(({ hold }) => {
      const shown = last?.holds[holdKey(hold)]?.counted.count
      const count = shown && believed(shown)
      return {
        drainId: holdKey(hold),
        ...(count && !isUnknown(count) && { calls: count.calls }),
      }
    }),
  }
}
