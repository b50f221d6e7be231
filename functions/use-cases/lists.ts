import type { ListedDestination } from '../control/destination.ts'
import type { LastListed } from '../control/list-memory.ts'
import type { Listing } from '../control/reading.ts'
import { onEach } from './on-each.ts'
import type { Ports } from './ports.ts'

/** What one edge lists, as it was read last, or why that can't be told. */
export type Readout =
  | ({ readonly edge: string } & Pick<Listing, 'listed' | 'former'>)
  | { readonly edge: string; readonly unreadable: string }

/** The lists as they are stored: at most a minute old, where an edge can be read. */
export async function storedLists({ store }: Pick<Ports, 'store'>): Promise<Readout[]> {
  const heads = (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
  return onEach(heads, async ({ edge, unreadable }): Promise<Readout> => {
    if (unreadable) return { edge, unreadable: unreadable.reason }
    const listing = await store.listing(edge)
    if (!listing) return { edge, unreadable: `edge ${edge}: it was not read yet` }
    return 'unread' in listing
      ? { edge, unreadable: `edge ${edge}: ${listing.unread}` }
      : { edge, listed: listing.listed, former: listing.former }
  })
}

export function allListed(readouts: readonly Readout[]): ListedDestination[] {
  return readouts.flatMap((readout) => ('listed' in readout ? readout.listed : []))
}

export function allFormer(readouts: readonly Readout[]): LastListed[] {
  return readouts.flatMap((readout) => ('former' in readout ? readout.former : []))
}

export function unreadable(readouts: readonly Readout[]): string[] {
  return readouts.flatMap((readout) => ('unreadable' in readout ? readout.unreadable : []))
}
