import type { EdgeView } from '../control/edge-plan.ts'
import { notReadYet, type Reading } from '../control/reading.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from './on-each.ts'
import { storedReadings } from './read-back.ts'

/** One edge as it was read last, or why nothing is known of it. */
export type StoredEdge =
  | { readonly edge: string; readonly reading: Reading; readonly view: EdgeView }
  | { readonly edge: string; readonly unreadable: string }

/** All that is configured. */
export async function edgeViews({
  store,
  config,
  clock,
}: Pick<Ports, 'store' | 'config' | 'clock'>): Promise<StoredEdge[]> {
  const { edges } = await storedReadings({ store, config }, clock.now())
  return onEach(edges, async (reading): Promise<StoredEdge> => {
    const { edge } = reading
    if (!reading.readable) return { edge, unreadable: reading.reason }
    const listing = await store.listing(edge)
    if (!listing || 'unread' in listing) return { edge, unreadable: listing?.unread ?? notReadYet }
    const { boot, askedAt, answeredAt, guarded } = reading
    const view: EdgeView = {
      ...{ boot, askedAt, answeredAt, list: listing.listed },
      opaque: (listing.opaque ?? []).filter(({ at }) => at === undefined),
      records: (await store.edgeRecords(edge)) ?? [],
      // What a reading has stored was asked for under its lease: nothing of ours can arrive any more.
      ...{ generation: 0, unanswered: false },
      ...(guarded && { guarded }),
    }
    return { edge, reading, view }
  })
}
