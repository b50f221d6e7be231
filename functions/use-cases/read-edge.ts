import { carriedCount } from '../control/counting.ts'
import { type DestinationUri, usualUris } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import { type Hold, holdKey } from '../control/hold.ts'
import { type Lookup, lookup } from '../control/listing.ts'
import { activeHosts, type EdgeLoad } from '../control/load-in-service.ts'
import { isDisabled } from '../control/plan.ts'
import type { Counted, EdgeReading, HoldReading, Unknown } from '../control/round.ts'
import { asEdgeError } from './edges.ts'
import { type Allowance, paced } from './paced.ts'
import type { CallsOf, Edge, Ports } from './ports.ts'

/** What one edge came to in a round; `load` where it could be read. */
export interface EdgeRead {
  readonly reading: EdgeReading
  readonly load?: EdgeLoad
}

/** An edge that answers: its boot time, its list and the total of all its calls. */
export interface OpenedEdge {
  readonly edge: Edge
  readonly at: number
  readonly bootTime: string
  readonly find: Lookup
  readonly load: EdgeLoad
}

export interface Asked {
  /** holds whose calls matter */
  readonly counted: readonly Hold[]
  /** those of them whose calls are asked for, in this order, as far as the allowance goes */
  readonly due: readonly Hold[]
  readonly allowance: Allowance
}

/** Two answers, one after the other: the boot time, then the list and the total of all calls. */
export async function openEdge({ clock }: Pick<Ports, 'clock'>, edge: Edge): Promise<OpenedEdge | EdgeRead> {
  const at = clock.now()
  try {
    const { bootTime } = await edge.boot()
    const [listed, total] = await Promise.all([edge.list(), orUnknown(() => edge.totalCalls())])
    const calls = typeof total === 'number' ? total : undefined
    return { edge, at, bootTime, find: lookup(listed), load: { calls, active: activeHosts(listed) } }
  } catch (error) {
    return { reading: unread(edge, at, error) }
  }
}

/**
 * Counts, and reads the boot time again. A hold that the allowance leaves out keeps what the edge said of it `before`, with the
 * time at which it did.
 */
export async function countOnEdge(
  { clock }: Pick<Ports, 'clock'>,
  { edge, at, bootTime, find, load }: OpenedEdge,
  before: EdgeReading | undefined,
  { counted, due, allowance }: Asked,
): Promise<EdgeRead> {
  try {
    const counts = new Map<Hold, Counted>()
    await paced(clock, due, allowance, requestsFor, async (batch) => {
      const askedAt = clock.now()
      await Promise.all(
        batch.map(async (hold) => {
          const count = await orUnknown(() => edge.count(callsOf(hold, othersOf(hold, find))))
          counts.set(hold, { count, at: askedAt, readBy: clock.now() })
        }),
      )
    })
    const after = await edge.boot()
    if (after.bootTime !== bootTime)
      throw new EdgeError(edge.id, 'unreachable', 'it restarted while it was read')
    const holds = counted.map((hold): [string, HoldReading] => {
      const known = counts.get(hold) ?? carriedCount(before, bootTime, hold)
      const others = othersOf(hold, find)
      return [
        holdKey(hold),
        {
          flags: flagsOf(hold, find),
          ...(others.length > 0 && { others }),
          ...(known && { counted: known }),
        },
      ]
    })
    return {
      load,
      reading: {
        edge: edge.id,
        readable: true,
        at,
        bootTime,
        uptimeSeconds: after.uptimeSeconds,
        restoresDialogs: edge.restoresDialogs,
        holds: Object.fromEntries(holds),
      },
    }
  } catch (error) {
    return { reading: unread(edge, at, error) }
  }
}

function unread(edge: Edge, at: number, error: unknown): EdgeReading {
  return { edge: edge.id, readable: false, at, reason: asEdgeError(error).message }
}

export async function orUnknown<T>(read: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await read()
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

/** One for each URI, and one for each way in which an address may be spelled: three for IPv6. */
function requestsFor({ uris, addresses }: Hold): number {
  const spellings = addresses.map((address) => (address.includes(':') ? 3 : 1))
  return spellings.reduce((sum, each) => sum + each, Math.max(1, uris.length))
}

/** Whose calls are those of a hold, on an edge that lists these URIs besides the hold's own. */
export function callsOf(hold: Hold, others: readonly DestinationUri[] = []): CallsOf {
  const named = [...hold.uris, ...others]
  // What was taken out of the list before it was held may have calls yet: they are counted under its usual spellings.
  return { uris: named.length > 0 ? named : usualUris(hold.addresses), addresses: hold.addresses }
}

function othersOf(hold: Hold, find: Lookup): DestinationUri[] {
  const listed = find(hold).map((entry) => entry.uri)
  return [...new Set(listed)].filter((uri) => !hold.uris.includes(uri))
}

function flagsOf(hold: Hold, find: Lookup): HoldReading['flags'] {
  const entries = find(hold)
  return entries.length === 0 ? 'unlisted' : entries.every(isDisabled) ? 'disabled' : 'open'
}
