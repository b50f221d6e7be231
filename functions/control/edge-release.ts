import type { Drain } from './drain.ts'
import { removedEdges } from './observation.ts'
import { looking, waitsForCalls } from './phases.ts'
import type { Readings } from './reading.ts'
import type { Sender } from './sender.ts'

/**
 * An operator's word that an edge is gone for good: no drain waits any longer for the calls that it may
 * carry. All times are epoch milliseconds.
 */
export interface EdgeRelease {
  readonly edge: string
  readonly who: string
  readonly sender?: Sender
  readonly why: string
  readonly at: number
  /** what orders messages about this edge, compared as text: the later one wins */
  readonly order: string
  /**
   * an edge of that id was configured again; kept, so that an older message that comes late can't release it
   */
  readonly ended?: { readonly at: number }
}

/** Whether a drain waits for an edge that is configured no more. */
export function isWaitedForOn(edge: string, drain: Drain, readings: Readings): boolean {
  const { edges } = looking(drain).memory
  const removed = removedEdges({ edges, subject: drain.hold.subject }, readings)
  return waitsForCalls(drain) && removed.includes(edge)
}
