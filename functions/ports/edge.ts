import type { DestinationUri } from '../control/destination.ts'
import type { EdgeFacts } from '../control/edge-facts.ts'
import type { EdgeList } from '../control/edge-list.ts'
import type { EdgeError } from '../control/errors.ts'
import type { CallCount } from '../control/reading.ts'
import type { EdgeWrite } from '../control/settle-plan.ts'

/**
 * ONE Kamailio. Every method has a timeout. A write that returns proves nothing: read back. Fan-out, every
 * set and read-back live above this port. What is asked or written for many goes together, in few requests
 * where the edge takes batches.
 */
export interface Edge {
  readonly id: string
  readonly restoresDialogs: boolean
  /**
   * The same edge, asked under a lease of this generation: an edge with our rpc.cfg refuses all that comes
   * with a lower one than it has seen since its boot, and then every write that comes with none (fault
   * `stale`, `StaleGeneration`).
   */
  under(generation: number): Edge
  /** What it is and can do. @throws EdgeError */
  facts(): Promise<EdgeFacts>
  /** `bootTime` is `up_since`, verbatim. @throws EdgeError */
  boot(): Promise<{ readonly bootTime: string; readonly uptimeSeconds: number }>
  /**
   * The boot ids that answers under this lease have named: one, unless it restarted or its way leads
   * elsewhere; none without our rpc.cfg.
   */
  answeredBy(): readonly string[]
  /** Every entry. @throws EdgeError; fault `empty-list` when there is none at all */
  list(): Promise<EdgeList>
  /**
   * Writes in this order. Once the way to the edge fails, what is left is not sent.
   * @returns what came of each: `no-guard` where the edge has no drain guard, or what it was refused with
   */
  write(writes: readonly EdgeWrite[]): Promise<readonly ('done' | 'no-guard' | EdgeError)[]>
  /** @returns for each URI whether the guard holds it, `no-guard`, or why that is not known */
  readGuards(uris: readonly DestinationUri[]): Promise<readonly (boolean | 'no-guard' | EdgeError)[]>
  /** @throws EdgeError; fault `busy` within `reload_delta` or while one is running */
  reload(): Promise<void>
  /**
   * @returns for each subject the calls to any of its URIs and from any of its addresses, or why no source
   * can tell
   */
  count(subjects: readonly CallsOf[]): Promise<readonly (CallCount | EdgeError)[]>
  /** The same, and when it booted, asked after all of it. @throws EdgeError where the boot can't be read */
  countAndBoot(
    subjects: readonly CallsOf[],
  ): Promise<{ readonly counts: readonly (CallCount | EdgeError)[]; readonly bootTime: string }>
  /**
   * @returns each URI that a call ever began to since the edge's boot, listed now or not; undefined where it
   * keeps no counters, or its own policy does not answer this (an `rpc.cfg` before 0.2). @throws EdgeError
   */
  begunUris(): Promise<readonly DestinationUri[] | undefined>
  /**
   * Ends up to `most` of the calls that `count` counts by its profiles, with a BYE to both ends each; one
   * that still rings is left alone. Counting again shows it.
   * @returns how many it ended. Throws fault `unsupported` where the edge keeps no profile or its own policy
   * refuses; `refused` when none of those that are left can be ended, which the message explains.
   */
  endCalls(of: CallsOf, most: number): Promise<number>
}

/** The calls to any of the URIs and from any of the addresses. */
export interface CallsOf {
  readonly uris: readonly DestinationUri[]
  readonly addresses: readonly string[]
}
