import { eventTypes } from '../contracts/names.ts'
import { alike, holdChange } from '../control/change.ts'
import { type EdgeResult, wasRead } from '../control/edge-result.ts'
import { inForce } from '../control/freeze.ts'
import { type Hold, holdKey, orderOf, type Scope } from '../control/hold.ts'
import type { Sender } from '../control/sender.ts'
import { finishClaim } from '../drain/start-drain.ts'
import type { Ports } from '../ports/ports.ts'
import { together } from '../stored/edge-results.ts'
import { onEach, throwFirst, tryEach } from '../stored/on-each.ts'
import { changeReadBack } from '../stored/read-back.ts'

export type LiftNeeds = Pick<
  Ports,
  'store' | 'clock' | 'settles' | 'workflows' | 'events' | 'config' | 'metrics'
>

export interface Lifted {
  /** those that were lifted, not overtaken by something later: as they were */
  readonly lifted: readonly Hold[]
  /** what each edge shows of them, once for all; where none was lifted, of `scope` */
  readonly edges: readonly EdgeResult[]
  /** a value of the counter that knows it */
  readonly wanted: number
}

export interface LiftOptions {
  /** left out: now */
  readonly order?: string | ((hold: Hold) => string)
  /** of the message that lifts them, where one does */
  readonly sender?: Sender | undefined
  /** its reason */
  readonly why?: string | undefined
  readonly scope?: Scope
  /** nobody asks for it: while a freeze is in force, also one that came since it was decided, it waits */
  readonly byItself?: true
}

/**
 * Lifts holds. What they kept disabled is given back by the settle of each edge, now or, where an edge is
 * away, by a later one: the edge's own records tell it. A settle is asked for also where nothing is left to
 * lift: a run that was killed may have lifted it.
 * @throws what the first failed of that could not be lifted, when the others are lifted and published
 */
export async function lift(
  ports: LiftNeeds,
  holds: readonly Hold[],
  by: string | ((hold: Hold) => string),
  { order = orderOf(ports.clock.now()), sender, why, scope, byItself }: LiftOptions = {},
): Promise<Lifted> {
  const byOf = (hold: Hold) => (typeof by === 'string' ? by : by(hold))
  const liftedNow = (hold: Hold) => ({
    ...{ at: ports.clock.now(), by: byOf(hold), ...(sender && { sender }) },
    ...(why !== undefined && { why }),
  })
  const write = async (hold: Hold) => {
    // A drain that could not be started finds that its hold is lifted, and ends; nobody comes back for it
    // afterwards.
    await finishClaim(ports, holdKey(hold))
    if (byItself && inForce(await ports.store.freeze(), ports.clock.now())) return []
    const ordered = typeof order === 'string' ? order : order(hold)
    const tombstone: Hold = { ...hold, order: ordered, lifted: liftedNow(hold) }
    return (await ports.store.putHold(tombstone)) === 'written' ? [{ hold, tombstone }] : []
  }
  const { results, failed } = await tryEach(holds, write)
  const lifted = results.flat()
  if (lifted.length === 0) throwFirst(failed)
  const wanted = await ports.store.raiseWanted()
  const edgesOf = await changeReadBack(ports, wanted)
  const shown = await onEach(lifted, async ({ hold, tombstone }) => {
    const edges = await edgesOf(tombstone)
    await ports.store.putShown(holdChange(tombstone).id, alike([], edges.filter(wasRead)))
    await ports.events.publish({
      type: eventTypes.holdLifted,
      detail: {
        source: hold.source,
        holdId: hold.id,
        uris: hold.uris,
        by: byOf(hold),
        sender,
        why,
        placedBy: hold.who,
        placedBySender: hold.sender,
        edges,
      },
    })
    return edges
  })
  // Those that are lifted are published first: no sweep comes back for them.
  throwFirst(failed)
  const edges = lifted.length === 0 && scope ? await edgesOf(scope) : together(shown.flat())
  return { lifted: lifted.map(({ hold }) => hold), edges, wanted }
}
