/**
 * One write as an edge's own log has it. `rpc.cfg` logs each before it is executed; what comes by the FIFO it
 * never sees.
 */
export interface EdgeWrite {
  readonly edge: string
  /** Unix ms at which the lab read the line */
  readonly at: number
  /** what its sender named as its reason; `-` where it named nothing */
  readonly madeFor: string
  readonly method: string
  /** as they were sent: JSON without the brackets */
  readonly params: string
}

/** The edge executes no request that is written in another way. */
const logged =
  / rpc: write from \S+ for (\S+): \{"jsonrpc":"2\.0","method":"([\w.]+)","params":\[(.*)\],"id":\d+\}$/

/** @returns the write that this line of an edge's log is about; undefined for every other line */
export function writeIn(line: string, edge: string, at: number): EdgeWrite | undefined {
  const [, madeFor, method, params] = logged.exec(line) ?? []
  if (madeFor === undefined || method === undefined || params === undefined) return undefined
  return { edge, at, madeFor, method, params }
}

/**
 * The ids that AWS gives: to an event that starts something, and to a run of a function, there behind what
 * the run is for.
 */
const awsId = /^(?:[a-z-]+\/)?[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/

/**
 * Whether it names an event, a run of a function or one of these commands. Whoever has the edges' secret can
 * name one too: then only what the edges show gives it away.
 */
export function isOurs({ madeFor }: EdgeWrite, commandIds: ReadonlySet<string>): boolean {
  return awsId.test(madeFor) || commandIds.has(madeFor)
}
