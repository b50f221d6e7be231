import type { DestinationUri } from './destination.ts'
import type { EdgeDescription } from './edge-facts.ts'
import type { ListMemory } from './list-memory.ts'

/**
 * How many calls of one subject an edge carries, early and confirmed. `source`: `profile` is exact; `load` (DLGLOAD)
 * under-counts and is never believed when it says 0; `edge` is the whole edge's total, believed only when it says 0.
 * `outbound` says whether calls that the media server places through this edge are part of it.
 */
export interface CallCount {
  readonly calls: number
  readonly source: 'profile' | 'load' | 'edge'
  readonly outbound: boolean
  /** how many calls ever began there since the edge's boot; absent where it keeps no counters */
  readonly begun?: number
  /**
   * how many calls the edge's keepalives have ended there since its boot without a proof that they were over; absent where it sends none
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
  /** an entry that can't be read and may be one of its own: what else the edge shows of it proves nothing */
  readonly unreadable?: string
  /** a DNS name of the edge's list whose address nobody knows: it may be one of its own */
  readonly unresolved?: string
  /** URIs that its calls are counted under besides the hold's own: what is or was listed for it; absent where there is none */
  readonly others?: readonly DestinationUri[]
  /** epoch ms: when a settle last found an entry of it open while it was held: calls that were sent to it until then may come yet */
  readonly openAt?: number
  /**
   * Its calls when they were last asked for, in this round or in an earlier one; unknown when the edge has restarted or shown it
   * open since. Absent: no round has come to it yet.
   */
  readonly counted?: Counted
}

/** One edge in one round: what was read, or why nothing was. Times are epoch milliseconds. */
export type EdgeReading =
  | {
      readonly edge: string
      readonly readable: true
      readonly at: number
      /** `up_since` of `core.uptime`, verbatim: compared, never computed with */
      readonly bootTime: string
      readonly uptimeSeconds: number
      /** declared for the edge: dialog db_mode 1, so that calls are still counted after a restart */
      readonly restoresDialogs: boolean
      /** absent in rounds of releases before 0.2 */
      readonly description?: EdgeDescription
      /** by hold key; a hold that is not here was placed after the round began */
      readonly holds: Readonly<Record<string, HoldReading>>
    }
  | { readonly edge: string; readonly readable: false; readonly at: number; readonly reason: string }

/** It carries what calls it had, and nobody can ask it any more. */
export interface RemovedEdge {
  readonly edge: string
  /** epoch ms */
  readonly knownAt: number
}

/** One reading of every edge, shared by all drains. */
export interface Round {
  readonly id: string
  readonly startedAt: number
  readonly finishedAt: number
  /** keys of the holds it looked after; one placed after the round began is not among them */
  readonly holds: readonly string[]
  /** held instances that EC2 shows as shutting down or terminated */
  readonly goneInstances: readonly string[]
  readonly edges: readonly EdgeReading[]
  /** edges that are configured no more, each with when a round knew it no more for the first time: absent where there is none, and in rounds of releases before 0.2 */
  readonly removed?: readonly RemovedEdge[]
  /** absent in rounds of releases before 0.2 */
  readonly memory?: ListMemory
  /** the media servers' own counts by hold key; absent where none is configured */
  readonly mediaServers: Readonly<Record<string, number | Unknown>>
}

/** @returns the edges that earlier rounds knew within the longest call's time, and that are configured no more */
export function removedSince(
  before: Round | undefined,
  configured: readonly string[],
  now: number,
  longestCallSeconds: number,
): RemovedEdge[] {
  if (!before) return []
  // It may have been there until just now.
  const known = before.edges.map(({ edge }) => ({ edge, knownAt: now }))
  return [...known, ...(before.removed ?? [])].filter(
    ({ edge, knownAt }) => !configured.includes(edge) && now - knownAt < longestCallSeconds * 1000,
  )
}
