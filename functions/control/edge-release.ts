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
