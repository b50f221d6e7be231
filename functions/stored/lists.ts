import type { ListedDestination } from '../control/destination.ts'
import { DispatcherControlError } from '../control/errors.ts'
import { belongsTo, type Hold, type ListedName, type Scope } from '../control/hold.ts'
import type { InstanceFacts } from '../control/instance-life.ts'
import type { LastListed } from '../control/list-memory.ts'
import { clocksApartMs } from '../control/observation.ts'
import { notReadYet, readable } from '../control/reading.ts'
import { instanceDestinations } from '../control/resolve.ts'
import type { Ports } from '../ports/ports.ts'
import { onEach } from './on-each.ts'

/** What one edge lists, as it was read last, or why that can't be told; and what it had listed. */
export type Readout = Readable | Unreadable

interface Readable {
  readonly edge: string
  readonly listed: readonly ListedDestination[]
  /** what has left the list since then (epoch ms) */
  readonly former: readonly LastListed[]
  readonly since: number
  /** epoch ms: no sooner than that was it read */
  readonly askedAt: number
}

interface Unreadable {
  readonly edge: string
  readonly unreadable: string
  /** and what it listed when it was read last */
  readonly former: readonly ListedName[]
  readonly last?: Pick<Readable, 'listed' | 'askedAt'>
}

/** The lists as they are stored: at most a minute old, where an edge can be read. */
export async function storedLists({ store }: Pick<Ports, 'store'>): Promise<Readout[]> {
  const heads = (await store.edgeHeads()).filter(({ removedAt }) => removedAt === undefined)
  return onEach(heads, async ({ edge, unreadable, askedAt }): Promise<Readout> => {
    if (unreadable)
      return { edge, unreadable: unreadable.reason, ...(await lastListed(store, edge, askedAt)) }
    const listing = await store.listing(edge)
    if (listing && !('unread' in listing)) {
      const { listed, former, since, lostAt = since } = listing
      return { edge, listed, former, since: Math.max(since, lostAt), askedAt }
    }
    return { edge, unreadable: listing?.unread ?? notReadYet, former: [] }
  })
}

/** Of an edge that can't be read. */
async function lastListed(
  store: Ports['store'],
  edge: string,
  askedAt: number,
): Promise<Pick<Unreadable, 'former' | 'last'>> {
  try {
    const listing = readable(await store.listing(edge))
    if (!listing) return { former: [] }
    const { former, listed } = listing
    return { former: [...former, ...listed], last: { listed, askedAt } }
  } catch (error) {
    // This may be why it can't be read, which its head tells.
    if (error instanceof DispatcherControlError) return { former: [] }
    throw error
  }
}

export function allListed(readouts: readonly Readout[]): ListedDestination[] {
  return readouts.flatMap((readout) => ('listed' in readout ? readout.listed : []))
}

/**
 * Whether no edge listed it at one and the same time. Each list is of its own: what has left one may have
 * come into another by then.
 */
export function wasNowhere(readouts: readonly Readout[], scope: Scope): boolean {
  const isIts = (entry: ListedName) => belongsTo(entry, scope)
  const lists = readouts.filter((readout) => 'listed' in readout)
  const isKnown = lists.length > 0 && lists.length === readouts.length
  if (!isKnown || lists.some(({ listed }) => listed.some(isIts))) return false
  const left = lists.flatMap(({ since, former }) => [since, ...former.filter(isIts).map(({ at }) => at)])
  return Math.min(...lists.map(({ askedAt }) => askedAt)) - Math.max(...left) >= clocksApartMs
}

/** @returns what any edge had listed of a whole instance, besides `uris` */
export function formerOf(
  readouts: readonly Readout[],
): (instance: InstanceFacts, uris: Hold['uris']) => Pick<Hold, 'formerUris'> {
  const former = readouts.flatMap((readout): readonly ListedName[] => readout.former)
  return (instance, uris) => {
    const formerUris = instanceDestinations(instance, former).filter((uri) => !uris.includes(uri))
    return formerUris.length > 0 ? { formerUris } : {}
  }
}

/** @param notBefore epoch ms: an edge that answers so slowly that it was read before that is named, too */
export function unreadable(readouts: readonly Readout[], notBefore = 0): string[] {
  return readouts.flatMap((readout) => {
    if ('unreadable' in readout) return `edge ${readout.edge}: ${readout.unreadable}`
    return readout.askedAt < notBefore ? `edge ${readout.edge}: was not read in time` : []
  })
}
