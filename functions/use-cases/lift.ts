import { eventTypes } from '../contracts/names.ts'
import { type Hold, orderOf } from '../control/hold.ts'
import { type EdgeResult, resultFor } from './edges.ts'
import type { Ports } from './ports.ts'
import { settle } from './settle.ts'

/**
 * Lifts holds. What they kept disabled is given back by the settle of each edge, now or, where an edge is away, by a later one: the
 * edge's own records tell it. The edges are settled also where nothing is left to lift: a run that was killed may have lifted it.
 * @returns those that were lifted, not overtaken by something later, and what each edge shows of them
 */
export async function lift(
  ports: Pick<Ports, 'store' | 'clock' | 'fleet' | 'events' | 'ids' | 'config'>,
  holds: readonly Hold[],
  by: string | ((hold: Hold) => string),
  order: string = orderOf(ports.clock.now()),
): Promise<{ readonly lifted: readonly Hold[]; readonly edges: readonly EdgeResult[] }> {
  const byOf = (hold: Hold) => (typeof by === 'string' ? by : by(hold))
  const lifted: Hold[] = []
  for (const hold of holds) {
    const tombstone: Hold = { ...hold, order, lifted: { at: ports.clock.now(), by: byOf(hold) } }
    if ((await ports.store.putHold(tombstone)) === 'written') lifted.push(hold)
  }
  const results = await settle(ports, await ports.fleet.edges(), await ports.store.raiseWanted())
  const edgesOf = (hold: Hold) => results.map((result) => resultFor(result, hold))
  for (const hold of lifted)
    await ports.events.publish({
      type: eventTypes.holdLifted,
      detail: {
        source: hold.source,
        holdId: hold.id,
        uris: hold.uris,
        by: byOf(hold),
        placedBy: hold.who,
        edges: edgesOf(hold),
      },
    })
  return { lifted, edges: lifted.flatMap(edgesOf) }
}
