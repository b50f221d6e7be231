import { batchLimits } from '../contracts/rpc.ts'
import { carriedCount } from '../control/counting.ts'
import { type DestinationUri, type ListedDestination, usualUris } from '../control/destination.ts'
import { describeEdge, type EdgeDescription, totalCalls } from '../control/edge-facts.ts'
import { isUnresolved, mayBelong, type OpaqueEntry } from '../control/edge-list.ts'
import { EdgeError } from '../control/errors.ts'
import { belongsTo, type Hold, holdKey } from '../control/hold.ts'
import { isYoung, type ListMemory, otherSpellings } from '../control/list-memory.ts'
import { type Lookup, lookup } from '../control/listing.ts'
import { activeHosts, type EdgeLoad } from '../control/load-in-service.ts'
import { isDisabled } from '../control/plan.ts'
import {
  type CallCount,
  type Counted,
  type EdgeReading,
  type HoldReading,
  isUnknown,
  type Unknown,
} from '../control/round.ts'
import type { Settled } from '../control/settled.ts'
import { asEdgeError } from './edges.ts'
import { type Allowance, paced } from './paced.ts'
import type { CallsOf, Edge, Ports } from './ports.ts'
import { type SettleNeeds, settleEdge } from './settle.ts'

/** What one edge came to in a round; `load` where it could be read. */
export interface EdgeRead {
  readonly reading: EdgeReading
  readonly load?: EdgeLoad
}

/** An edge that answers: what it is, its list and the total of all its calls. */
export interface OpenedEdge {
  readonly edge: Edge
  readonly at: number
  readonly description: EdgeDescription
  readonly listed: readonly ListedDestination[]
  readonly find: Lookup
  readonly opaque: readonly OpaqueEntry[]
  /** a DNS name that it lists and nobody can tell whose it is */
  readonly unresolved: string | undefined
  readonly load: EdgeLoad
  /** what the settle of this round found and did */
  readonly settled?: Settled
  /** that, or what another run's did */
  readonly lastSettled?: Settled
}

export interface Asked {
  /** holds whose calls matter */
  readonly counted: readonly Hold[]
  /** those of them whose calls are asked for, in this order, as far as the allowance goes */
  readonly due: readonly Hold[]
  readonly allowance: Allowance
  /** under what calls may be counted that no list shows now */
  readonly memory: ListMemory
}

/**
 * What it is first: the boot time that it shows is from before its list. Then it is settled, which reads the list; where another run has
 * its lease the list is read as it is.
 */
export async function openEdge(
  ports: SettleNeeds,
  edge: Edge,
  since: number,
): Promise<OpenedEdge | EdgeRead> {
  const { clock, config, store } = ports
  const at = clock.now()
  try {
    const facts = await edge.facts()
    const result = await settleEdge(ports, edge, since, { waits: false })
    if ('error' in result && result.error.fault !== 'busy') throw result.error
    const settled = 'settled' in result && result.list ? result.settled : undefined
    const lastSettled = settled ?? (await store.settled(edge.id))
    const list = ('list' in result && result.list) || (await edge.list())
    return {
      ...(settled && { settled }),
      ...(lastSettled && { lastSettled }),
      edge,
      at,
      description: describeEdge(edge, facts, list),
      listed: list.destinations,
      find: lookup(list.destinations),
      opaque: list.opaque,
      unresolved: list.destinations.find((entry) => isUnresolved(entry, config.staticNames))?.uri,
      load: { calls: totalCalls(facts), active: activeHosts(list.destinations) },
    }
  } catch (error) {
    return { reading: unread(edge, at, error) }
  }
}

/**
 * Counts, and reads the boot time again. A hold that the allowance leaves out keeps what the edge said of it `before`, with the
 * time at which it did.
 */
export async function countOnEdge(
  { clock, config }: Pick<Ports, 'clock' | 'config'>,
  { edge, at, description, find, opaque, unresolved, load, settled, lastSettled }: OpenedEdge,
  before: EdgeReading | undefined,
  { counted, due, allowance, memory }: Asked,
): Promise<EdgeRead> {
  try {
    const counts = new Map<Hold, Counted>()
    const { bootTime, batch: takesBatches } = description
    const young = isYoung(memory, clock.now(), config.timers.longestCallSeconds)
    const others = new Map(
      counted.map((hold) => {
        const usual = young || wasSilent(before, hold)
        return [
          hold,
          [...new Set([...othersOf(hold, find), ...otherSpellings(hold, memory, usual)])],
        ] as const
      }),
    )
    const subject = (hold: Hold) => callsOf(hold, others.get(hold))
    const linesAtOnce = 2 * (takesBatches ? 4 * batchLimits.requests : requestsAtOnce)
    const cost = (hold: Hold) => linesFor(subject(hold)) / (takesBatches ? batchLimits.requests : 1)
    await paced(clock, due, allowance, cost, async (batch) => {
      for (const slice of slices(batch, (hold) => linesFor(subject(hold)), linesAtOnce)) {
        if (clock.now() >= allowance.until) return
        const askedAt = clock.now()
        const answers = await edge.count(slice.map(subject))
        for (const [index, hold] of slice.entries())
          counts.set(hold, { count: orUnknown(answers[index]), at: askedAt, readBy: clock.now() })
      }
    })
    const after = await edge.boot()
    if (after.bootTime !== bootTime)
      throw new EdgeError(edge.id, 'unreachable', 'it restarted while it was read')
    const holds = counted.map((hold): [string, HoldReading] => {
      const known = counts.get(hold) ?? carriedCount(before, bootTime, hold)
      const besides = others.get(hold) ?? []
      return [
        holdKey(hold),
        {
          flags: flagsOf(hold, find, settled),
          ...unreadableOf(hold, opaque),
          ...(unresolved !== undefined && { unresolved }),
          ...(besides.length > 0 && { others: besides }),
          ...openAtOf(hold, lastSettled),
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
        description,
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

function orUnknown(answer: CallCount | EdgeError | undefined): CallCount | Unknown {
  if (answer instanceof EdgeError) return { unknown: answer.message }
  return answer ?? { unknown: 'it was not counted' }
}

/** Its last count here was 0: what it is asked for next may end its drain. */
function wasSilent(before: EdgeReading | undefined, hold: Hold): boolean {
  const count = before?.readable ? before.holds[holdKey(hold)]?.counted?.count : undefined
  return count !== undefined && !isUnknown(count) && count.calls === 0
}

/** Asked one by one, as many of one method go at once; of batches four. */
const requestsAtOnce = 16

/** A size and a counter for each URI, and for each way in which an address may be spelled: three for IPv6. */
function linesFor({ uris, addresses }: CallsOf): number {
  const spellings = addresses.map((address) => (address.includes(':') ? 3 : 1))
  return 2 * spellings.reduce((sum, each) => sum + each, uris.length)
}

/**
 * Neighbours that are asked together: few enough to be answered within three timeouts (counters, profiles, what keepalives ended). One item
 * at least.
 */
function slices<T>(items: readonly T[], lines: (item: T) => number, most: number): T[][] {
  const found: T[][] = []
  let sum = 0
  for (const item of items) {
    sum += lines(item)
    const last = found.at(-1)
    if (last && sum <= most) last.push(item)
    else {
      found.push([item])
      sum = lines(item)
    }
  }
  return found
}

/** An entry that can't be read and may be one of the hold's: its calls are not counted, and new ones may come. */
function unreadableOf(
  { addresses, subject }: Hold,
  opaque: readonly OpaqueEntry[],
): Pick<HoldReading, 'unreadable'> {
  const instanceId = subject.kind === 'instance' ? subject.instanceId : undefined
  const found = opaque.find((entry) => mayBelong(entry, { addresses, instanceId }))
  return found ? { unreadable: found.text } : {}
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

function openAtOf(hold: Hold, settled: Settled | undefined): Pick<HoldReading, 'openAt'> {
  const times = (settled?.entries ?? []).flatMap((entry) =>
    entry.openAt !== undefined && belongsTo(entry, hold) ? [entry.openAt] : [],
  )
  return times.length > 0 ? { openAt: Math.max(...times) } : {}
}

/** What was found open is no disabled one yet, though the settle has disabled it: calls that were sent to it meanwhile may come. */
function flagsOf(hold: Hold, find: Lookup, settled: Settled | undefined): HoldReading['flags'] {
  const entries = find(hold)
  if (entries.length === 0) return 'unlisted'
  const wasOpen = settled?.entries.some((entry) => !entry.before?.startsWith('D') && belongsTo(entry, hold))
  return entries.every(isDisabled) && !wasOpen ? 'disabled' : 'open'
}
