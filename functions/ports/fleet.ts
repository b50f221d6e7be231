import type { Edge } from './edge.ts'

/** The edges of the fleet as configured now; cached with an age by the adapter. */
export interface Fleet {
  edges(): Promise<readonly Edge[]>
  /** Reads the list now. @returns why it is refused, where it is; the last good list is kept then. */
  reread(): Promise<Error | undefined>
}
