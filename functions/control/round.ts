import type { ListedDestination } from './destination.ts'

/**
 * How many calls of one subject an edge carries, early and confirmed. `source`: `profile` is exact; `load` (DLGLOAD)
 * under-counts and is never believed when it says 0; `edge` is the whole edge's total, believed only when it says 0.
 * `outbound` says whether calls that the media server places through this edge are part of it.
 */
export interface CallCount {
  readonly calls: number
  readonly source: 'profile' | 'load' | 'edge'
  readonly outbound: boolean
}

/** Unknown is a value of its own, never 0. */
export type Unknown = { readonly unknown: string }

export function isUnknown(value: CallCount | number | Unknown): value is Unknown {
  return typeof value === 'object' && 'unknown' in value
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
      /** how many entries the list has in all; never 0 (an empty list is unreadable) */
      readonly listSize: number
      /** the entries of held destinations only */
      readonly listed: readonly ListedDestination[]
      /** by hold key; a hold that is not here was placed after the round began */
      readonly calls: Readonly<Record<string, CallCount | Unknown>>
    }
  | { readonly edge: string; readonly readable: false; readonly at: number; readonly reason: string }

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
  /** the media servers' own counts by hold key; absent where none is configured */
  readonly mediaServers: Readonly<Record<string, number | Unknown>>
}
