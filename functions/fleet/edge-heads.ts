import { type EdgeHead, notReadYet, type StoredHead } from '../control/reading.ts'
import type { Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { onEach } from '../stored/on-each.ts'
import { lateMs } from './edge-lease.ts'

type Needs = Pick<EdgePorts, 'store' | 'clock' | 'ids' | 'config'>

/** Of edges that are configured, as far as that is known. */
export async function currentHeads({ store }: Pick<EdgePorts, 'store'>): Promise<EdgeHead[]> {
  return (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
}

/** Heads by edge: new edges get one. */
export async function knownHeads(
  ports: Needs,
  edges: readonly Edge[],
): Promise<ReadonlyMap<string, StoredHead>> {
  const { store, clock } = ports
  const heads = new Map<string, StoredHead>((await store.edgeHeads()).map((head) => [head.edge, head]))
  const now = clock.now()
  for (const { id: edge } of edges) {
    if (heads.has(edge)) continue
    const head = {
      edge,
      wanted: -1,
      askedAt: 0,
      unreadable: { since: now, at: 0, passes: true, reason: notReadYet },
    } as const
    await store.addEdgeHead(head)
    heads.set(edge, head)
  }
  return heads
}

/** Those that are configured no more. What is wrong with one of them keeps no edge from being settled. */
export async function markRemoved(
  ports: Needs,
  edges: readonly Edge[],
  heads: ReadonlyMap<string, EdgeHead>,
): Promise<void> {
  const { store, clock } = ports
  const now = clock.now()
  const configured = new Set(edges.map(({ id }) => id))
  const removed = [...heads.values()].filter(
    ({ edge, removedAt }) => !configured.has(edge) && removedAt === undefined,
  )
  await onEach(removed, async (head) => {
    const { edge, wanted, askedAt } = head
    const generation = await store.takeEdge(edge, ports.ids.next(), now - lateMs(ports), now + lateMs(ports))
    if (generation === undefined) return
    await store.putReading(generation, { head: { edge, wanted, askedAt, removedAt: now } })
    await store.giveUpEdge(edge, generation, 0)
  })
}
