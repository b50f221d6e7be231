import { batchLimits } from '../contracts/rpc.ts'
import { type DestinationUri, type ListedDestination, usualUris } from '../control/destination.ts'
import { isHidden, isUnresolved, mayBelong } from '../control/edge-list.ts'
import type { EdgeRecord, EntryRecord } from '../control/entry-record.ts'
import { EdgeError } from '../control/errors.ts'
import { type Countable, holdKey, type ListedName } from '../control/hold.ts'
import { isYoung, type KnownOpaque, otherSpellings } from '../control/list-memory.ts'
import { lookup } from '../control/listing.ts'
import { clocksApartMs } from '../control/observation.ts'
import { isDisabled } from '../control/plan.ts'
import {
  type CallCount,
  type HoldReading,
  isUnknown,
  type Listing,
  type Reading,
  type Unknown,
} from '../control/reading.ts'
import type { SettledEntry } from '../control/settled.ts'
import type { CallsOf, Edge } from '../ports/edge.ts'
import type { EdgePorts } from '../ports/ports.ts'
import { requestsAtOnce, slices } from './slices.ts'

/** One edge as it was left by a settle. */
export interface Counting {
  readonly edge: Edge
  readonly takesBatches: boolean
  readonly holds: readonly Countable[]
  readonly listing: Listing
  readonly entries: readonly SettledEntry[]
  /** and those that went meanwhile */
  readonly records: readonly EdgeRecord[]
  readonly before: Reading | undefined
}

/**
 * @returns by hold key what the edge shows of each hold, with its calls; and when it booted, asked after all
 * of them.
 * @throws EdgeError
 */
export async function countCalls(
  { clock, config }: Pick<EdgePorts, 'clock' | 'config'>,
  { edge, takesBatches, holds, listing, entries, records, before }: Counting,
): Promise<{ readonly holds: Record<string, HoldReading>; readonly bootTime: string }> {
  const find = lookup(listing.listed)
  const known = lookup<ListedName>([...listing.listed, ...listing.former])
  const settled = lookup(entries)
  const onRecord = lookup(records.filter((record) => record.kind === 'entry'))
  const young = isYoung(listing, clock.now(), config.timers.longestCallSeconds)
  // Calls may be up under a name that has left the list, too. One that is listed again tells whose it is.
  const isListed = new Set(listing.listed.map(({ uri }) => uri))
  const names = [...listing.listed, ...listing.former.filter(({ uri }) => !isListed.has(uri))]
  const { opaque = [] } = listing
  const hidden = [
    ...names.filter((entry) => isUnresolved(entry, config.staticNames)).map(({ uri }) => uri as string),
    ...opaque.filter((entry) => isHidden(entry, config.staticNames)).map(({ text }) => text),
  ]
  const subjects = holds.map((hold) => {
    const usual = young || wasSilent(before, hold)
    const others = otherSpellings(hold, known, usual)
    return { hold, others, of: callsOf(hold, others) }
  })
  const found: Record<string, HoldReading> = {}
  // Few enough to be answered within three timeouts: counters, profiles, what keepalives ended.
  const atOnce = 2 * (takesBatches ? 4 * batchLimits.requests : requestsAtOnce)
  let bootTime: string | undefined
  const all = slices(subjects, ({ of }) => linesFor(of), atOnce)
  for (const slice of all) {
    const at = clock.now()
    const asked = slice.map(({ of }) => of)
    const counted =
      slice === all.at(-1) ? await edge.countAndBoot(asked) : { counts: await edge.count(asked) }
    const { counts } = counted
    if ('bootTime' in counted) bootTime = counted.bootTime
    const readBy = clock.now()
    for (const [index, { hold, others }] of slice.entries())
      found[holdKey(hold)] = {
        flags: flagsOf(find(hold), settled(hold)),
        ...unreadableOf(hold, opaque),
        ...unresolvedOf(hold, hidden),
        ...(others.length > 0 && { others }),
        ...openAtOf(onRecord({ ...hold, uris: [...hold.uris, ...others] }), before?.holds[holdKey(hold)]),
        counted: { count: believed(orUnknown(counts[index]), hold, listing), at, readBy },
      }
  }
  return { holds: found, bootTime: bootTime ?? (await edge.boot()).bootTime }
}

/** Whose calls are those of a hold, on an edge that lists these URIs besides the hold's own. */
export function callsOf(hold: Countable, others: readonly DestinationUri[] = []): CallsOf {
  const named = [...new Set([...hold.uris, ...(hold.formerUris ?? []), ...others])]
  // What was taken out of the list before it was held may have calls yet: they are counted under its usual
  // spellings.
  return { uris: named.length > 0 ? named : usualUris(hold.addresses), addresses: hold.addresses }
}

function orUnknown(answer: CallCount | EdgeError | undefined): CallCount | Unknown {
  if (answer instanceof EdgeError) return { unknown: answer.message }
  return answer ?? { unknown: 'it was not counted' }
}

/** Calls may be up under what the edge listed before, and nobody remembers that: a 0 does not count them. */
function believed(
  count: CallCount | Unknown,
  { subject }: Countable,
  { lostAt }: Listing,
): CallCount | Unknown {
  if (lostAt === undefined || isUnknown(count) || count.calls > 0) return count
  if (subject.kind === 'instance' && subject.launchedAt > lostAt + clocksApartMs) return count
  return { unknown: 'what the edge had listed could not be read: calls may be up under another URI of its' }
}

/** Its last count on this edge was 0: what it is asked for next may end its drain. */
export function wasSilent(before: Reading | undefined, hold: Countable): boolean {
  // Nobody knows what its last count was.
  if (!before) return true
  const count = before.holds[holdKey(hold)]?.counted.count
  return count !== undefined && !isUnknown(count) && count.calls === 0
}

/** A size and a counter for each URI, and for each way in which an address may be spelled: three for IPv6. */
function linesFor({ uris, addresses }: CallsOf): number {
  const spellings = addresses.map((address) => (address.includes(':') ? 3 : 1))
  return 2 * spellings.reduce((sum, each) => sum + each, uris.length)
}

/** A name that may be one of the hold's; those that its tag names are counted. */
function unresolvedOf(
  { uris, formerUris = [] }: Countable,
  hidden: readonly string[],
): Pick<HoldReading, 'unresolved'> {
  const own: readonly string[] = [...uris, ...formerUris]
  const unresolved = hidden.find((name) => !own.includes(name))
  return unresolved === undefined ? {} : { unresolved }
}

/** An entry that can't be read and may be, or have been, one of the hold's: its calls are not counted. */
function unreadableOf(
  { addresses, subject }: Countable,
  opaque: readonly KnownOpaque[],
): Pick<HoldReading, 'unreadable'> {
  const { instanceId, launchedAt = 0 } = subject.kind === 'instance' ? subject : {}
  const isEarlier = ({ at }: KnownOpaque) => at !== undefined && at + clocksApartMs < launchedAt
  const found = opaque.find((entry) => !isEarlier(entry) && mayBelong(entry, { addresses, instanceId }))
  return found ? { unreadable: found.text } : {}
}

/**
 * The latest that is known: no record of an entry that has left the list stays, and calls that were sent to
 * it may come yet.
 */
function openAtOf(
  records: readonly EntryRecord[],
  before: HoldReading | undefined,
): Pick<HoldReading, 'openAt'> {
  const times = [...records, before].flatMap((found) => found?.openAt ?? [])
  return times.length > 0 ? { openAt: Math.max(...times) } : {}
}

/**
 * What was found open is no disabled one yet, though the settle has disabled it: calls that were sent to it
 * meanwhile may come.
 */
function flagsOf(
  listed: readonly ListedDestination[],
  entries: readonly SettledEntry[],
): HoldReading['flags'] {
  if (listed.length === 0) return 'unlisted'
  const wasOpen = entries.some(({ before }) => !before?.startsWith('D'))
  return listed.every(isDisabled) && !wasOpen ? 'disabled' : 'open'
}
