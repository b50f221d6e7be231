import type { Edge } from '../../functions/ports/edge.ts'
import type { Store } from '../../functions/ports/store.ts'
import { MemoryEdge } from '../memory/edge.ts'

type Flags = Readonly<Record<string, string>>

/**
 * Flags of a destination by edge and set, as Kamailio has them.
 * @throws where no edge lists it: what is expected of none would hold
 */
export function flagsOf(edges: readonly Edge[], uri: string): Flags {
  const shown = edges.flatMap((edge) =>
    edge instanceof MemoryEdge
      ? edge
          .truth()
          .entries.filter((entry) => entry.uri === uri)
          .map((entry) => [`${edge.id}/${entry.set}`, entry.flags])
      : [],
  )
  if (shown.length === 0) throw new Error(`no edge lists ${uri}`)
  return Object.fromEntries(shown)
}

/**
 * What is on record of a destination before its first hold, by edge and set.
 * @throws where nothing is, and no edge lists it either: what is expected of none would hold
 */
export async function formerFlagsOf(store: Store, edges: readonly Edge[], uri: string): Promise<Flags> {
  const former = await Promise.all(
    edges.map(async ({ id }) =>
      ((await store.edgeRecords(id)) ?? []).flatMap((record) =>
        record.kind === 'entry' && record.uri === uri ? [[`${id}/${record.set}`, record.flags] as const] : [],
      ),
    ),
  )
  if (former.flat().length === 0) flagsOf(edges, uri)
  return Object.fromEntries(former.flat())
}
