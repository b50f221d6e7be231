import type { DestinationUri, ListedDestination } from './destination.ts'
import type { EdgeDescription } from './edge-facts.ts'
import { type Countable, holdKey, isResolved } from './hold.ts'
import type { KnownOpaque, LastListed } from './list-memory.ts'
import type { EdgeLoad } from './load-in-service.ts'
import type { Settled } from './settled.ts'
import { utc } from './window.ts'

/**
 * How many calls of one subject an edge carries, early and confirmed. `source`: `profile` is exact; `load`
 * (DLGLOAD) under-counts and is never believed when it shows 0; `edge` is the whole edge's total, believed
 * only when it shows 0. `outbound` is whether calls that the media server places through this edge are part
 * of it.
 */
export interface CallCount {
  readonly calls: number
  readonly source: 'profile' | 'load' | 'edge'
  readonly outbound: boolean
  /** how many calls ever began there since the edge's boot; absent where it keeps no counters */
  readonly begun?: number
  /**
   * how many calls the edge's keepalives have ended there since its boot without a proof that they were over;
   * absent where it sends none
   */
  readonly reaped?: number
}

/** Unknown is a value of its own, never 0. */
export type Unknown = { readonly unknown: string }

export function isUnknown(value: CallCount | number | Unknown): value is Unknown {
  return typeof value === 'object' && 'unknown' in value
}

/** What an edge was asked for a hold's calls, between `at` and `readBy` (epoch ms). */
export interface Counted {
  readonly count: CallCount | Unknown
  readonly at: number
  readonly readBy: number
}

/** What one edge shows of one hold. */
export interface HoldReading {
  /** `disabled`: every entry that the list has of it is */
  readonly flags: 'disabled' | 'open' | 'unlisted'
  /**
   * an entry that can't be read and is or was in the edge's list: it may be one of its own, and what else the
   * edge shows of it proves nothing
   */
  readonly unreadable?: string
  /** a DNS name that is or was in the edge's list and whose address nobody knows: it may be one of its own */
  readonly unresolved?: string
  /**
   * URIs that its calls are counted under besides the hold's own: what is or was listed for it; absent where
   * there is none
   */
  readonly others?: readonly DestinationUri[]
  /**
   * epoch ms: when a settle last found an entry of it open while it was held, listed now or not: calls that
   * were sent to it until then may come yet
   */
  readonly openAt?: number
  readonly counted: Counted
}

/** What we did to end a hold's calls on one edge: by the last step that was begun there, and in all. */
export interface EndedCalls {
  readonly step: number
  /** epoch ms: when that step was begun */
  readonly at: number
  readonly ended: number
  readonly total: number
  /** why the last step ended none */
  readonly failed?: string
}

/** What a settle found on one edge, with the calls of what is held. Times are epoch ms. */
export interface Reading extends Settled {
  readonly uptimeSeconds: number
  /**
   * epoch ms: when it first answered in place of another boot, whose calls it may not know; absent where none
   * was known, and where it restarted and restores its dialogs
   */
  readonly replacedAt?: number
  /** declared for the edge: dialog db_mode 1, so that calls are still counted after a restart */
  readonly restoresDialogs: boolean
  readonly description: EdgeDescription
  /** of all that it carries; what gets new calls there is in its listing */
  readonly load: Pick<EdgeLoad, 'calls'>
  /** by hold key: holds in force but for retired marks; one that is missing was placed later */
  readonly holds: Readonly<Record<string, HoldReading>>
  /** by the key that a hold would have, for a dry run of a drain: nothing is decided by it */
  readonly atStake?: Readonly<Record<string, CallCount | Unknown>>
  /** by hold key; absent where nothing was ever ended */
  readonly ended?: Readonly<Record<string, EndedCalls>>
}

/** Whether an edge was asked for the calls of these, where they can be counted at all. */
export function hasCounted(
  reading: Pick<Reading, 'holds' | 'atStake'> | undefined,
  atStake: readonly Countable[] = [],
): boolean {
  const counted = { ...reading?.holds, ...reading?.atStake }
  return atStake.every((each) => !isResolved(each) || holdKey(each) in counted)
}

/** The small part of what is known of an edge, which who waits for a reading looks at. Times are epoch ms. */
export interface EdgeHead {
  readonly edge: string
  /** its reading knows every change up to this value; -1: it has none */
  readonly wanted: number
  /** when its reading was begun */
  readonly askedAt: number
  /** that its reading named; absent where its Kamailio has none of our rpc.cfg */
  readonly bootId?: string
  /** it can't be read: since when, when it was tried last, and why. Its reading is the one of before. */
  readonly unreadable?: {
    readonly since: number
    readonly at: number
    readonly reason: string
    /** it comes back by itself; otherwise somebody has to put something right */
    readonly passes: boolean
  }
  /** it is configured no more, and nobody can ask it: since when that is known */
  readonly removedAt?: number
}

/** A head as it is found in the store. */
export interface StoredHead extends EdgeHead {
  /** epoch ms: somebody has its lease until then; absent where nobody has */
  readonly leasedUntil?: number
}

/** Of an edge that has a head and no reading. */
export const notReadYet = 'it was not read yet'

/** What one edge lists, and has listed within the longest call's time. */
export interface Listing {
  readonly edge: string
  /** epoch ms: what was listed before is not known */
  readonly since: number
  readonly listed: readonly ListedDestination[]
  /** what has left the list */
  readonly former: readonly LastListed[]
  /** what can't be read of either; absent where there is none */
  readonly opaque?: readonly KnownOpaque[]
  /** epoch ms: what had been remembered could not be read then, and is lost */
  readonly lostAt?: number
  /**
   * epoch ms: when it was first read as it was last loaded; absent where nothing shows that a list was loaded
   * (before 6.1 there is no IUID)
   */
  readonly loadedAt?: number
}

/** What is stored of an edge and can't be read: nonsense, or of a newer release. Why, and where. */
export interface UnreadRow {
  readonly unread: string
}

/** @returns what is stored, where it can be read */
export function readable<T extends object>(stored: T | UnreadRow | undefined): T | undefined {
  return stored === undefined || 'unread' in stored ? undefined : stored
}

/** What EC2 and the media servers themselves show of what is held. Times are epoch ms. */
export interface MachinesReading {
  readonly askedAt: number
  readonly answeredAt: number
  /** held instances that EC2 shows as shutting down or terminated */
  readonly gone: readonly string[]
  /** the media servers' own counts by hold key; absent where none is configured */
  readonly calls: Readonly<Record<string, number | Unknown>>
}

/** One edge, as a look finds it: what was read, or why nothing is known. */
export type EdgeReading =
  | ({ readonly readable: true } & Reading)
  | { readonly edge: string; readonly readable: false; readonly reason: string }

/** It carries what calls it had, and nobody can ask it any more. */
export interface RemovedEdge {
  readonly edge: string
  /** epoch ms */
  readonly knownAt: number
}

/** All that one look reads. */
export interface Readings {
  /** epoch ms: what ends a drain was asked later */
  readonly at: number
  readonly edges: readonly EdgeReading[]
  /** edges that were removed within the longest call's time */
  readonly removed: readonly RemovedEdge[]
  readonly machines: MachinesReading
}

/** An edge that nobody has read for so long is unknown, ms: the schedule settles each one once a minute. */
export const staleAfterMs = 180_000

/** @returns what is known at `at` (epoch ms) of every edge */
export function readingsAt(
  at: number,
  edges: readonly { readonly head: EdgeHead; readonly reading?: Reading | UnreadRow | undefined }[],
  machines: MachinesReading | undefined,
  longestCallSeconds: number,
): Readings {
  return {
    at,
    edges: edges.flatMap(({ head, reading }) =>
      head.removedAt === undefined ? [edgeReading(at, head, reading)] : [],
    ),
    removed: edges.flatMap(({ head: { edge, removedAt } }) =>
      removedAt !== undefined && at - removedAt < longestCallSeconds * 1000
        ? [{ edge, knownAt: removedAt }]
        : [],
    ),
    machines: machines ?? { askedAt: 0, answeredAt: 0, gone: [], calls: {} },
  }
}

function edgeReading(
  at: number,
  { edge, unreadable }: EdgeHead,
  reading: Reading | UnreadRow | undefined,
): EdgeReading {
  if (unreadable) return { edge, readable: false, reason: unreadable.reason }
  if (reading && 'unread' in reading) return { edge, readable: false, reason: reading.unread }
  if (!reading) return { edge, readable: false, reason: notReadYet }
  if (at - reading.answeredAt > staleAfterMs)
    return {
      edge,
      readable: false,
      // A time, and not how long ago: progress is published where it shows something new.
      reason: `nobody has read it since ${utc(reading.answeredAt)}`,
    }
  return { readable: true, ...reading }
}
