import type { ListedDestination } from '../control/destination.ts'
import { DispatcherControlError } from '../control/errors.ts'
import type { Hold } from '../control/hold.ts'
import { lookup } from '../control/listing.ts'
import { readable } from '../control/reading.ts'
import { onEach } from './on-each.ts'
import type { Ports } from './ports.ts'

/** What one edge had listed. */
interface Former {
  readonly edge: string
  readonly former: readonly Pick<ListedDestination, 'uri' | 'address'>[]
}

/** What one edge lists, as it was read last, or why that can't be told; and what it had listed. */
export type Readout = Former &
  ({ readonly listed: readonly ListedDestination[] } | { readonly unreadable: string })

/** The lists as they are stored: at most a minute old, where an edge can be read. */
export async function storedLists({ store }: Pick<Ports, 'store'>): Promise<Readout[]> {
  const heads = (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
  return onEach(heads, async ({ edge, unreadable }): Promise<Readout> => {
    if (unreadable) return { edge, unreadable: unreadable.reason, former: await lastListed(store, edge) }
    const listing = await store.listing(edge)
    if (listing && !('unread' in listing)) return { edge, listed: listing.listed, former: listing.former }
    return { edge, unreadable: `edge ${edge}: ${listing?.unread ?? 'it was not read yet'}`, former: [] }
  })
}

/** Of an edge that can't be read. */
async function lastListed(store: Ports['store'], edge: string): Promise<Former['former']> {
  try {
    const listing = readable(await store.listing(edge))
    return listing ? [...listing.former, ...listing.listed] : []
  } catch (error) {
    // This may be why it can't be read, which its head tells.
    if (error instanceof DispatcherControlError) return []
    throw error
  }
}

export function allListed(readouts: readonly Readout[]): ListedDestination[] {
  return readouts.flatMap((readout) => ('listed' in readout ? readout.listed : []))
}

/** @returns what any edge had listed of a whole instance, besides what is listed now */
export function formerOf(
  readouts: readonly Readout[],
): (instance: Pick<Hold, 'addresses' | 'uris'>) => Pick<Hold, 'formerUris'> {
  const find = lookup(readouts.flatMap(({ former }) => former))
  return ({ addresses, uris }) => {
    const found = find({ uris: [], addresses, wholeInstance: true }).map(({ uri }) => uri)
    const formerUris = [...new Set(found)].filter((uri) => !uris.includes(uri))
    return formerUris.length > 0 ? { formerUris } : {}
  }
}

export function unreadable(readouts: readonly Readout[]): string[] {
  return readouts.flatMap((readout) => ('unreadable' in readout ? readout.unreadable : []))
}
