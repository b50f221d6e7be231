import { setTimeout as sleep } from 'node:timers/promises'
import type { Destination } from './edge-rpc.ts'
import { type EdgeWrite, writeIn } from './edge-writes.ts'
import { followLines } from './new-lines.ts'

/** What one edge showed for one destination in one set, from `at` (Unix ms) until the next change of it. */
export interface FlagChange {
  readonly edge: string
  readonly at: number
  /** set → flags as listed, e.g. `AP`; undefined while the edge can't be read */
  readonly flags: ReadonlyMap<number, string> | undefined
}

/**
 * The lab's own reading of every edge's list and log, ten times a second, straight from the edge and through
 * nobody else's code.
 */
export interface FlagWatch {
  /** Every change that one destination went through, oldest first. */
  readonly history: (uri: string) => readonly FlagChange[]
  /** What each edge showed last, in the order of the edges. */
  readonly latest: (uri: string) => readonly FlagChange[]
  /** Every write that an edge has logged, in the order in which they were read. */
  readonly writes: () => readonly EdgeWrite[]
  readonly close: () => Promise<void>
}

interface WatchedEdge {
  readonly name: string
  readonly logFile: string
  readonly list: () => Promise<readonly Destination[]>
}

const intervalMs = 100

/** Starts reading; `watched` are the URIs whose flags are kept. */
export function watchFlags(edges: readonly WatchedEdge[], watched: readonly string[]): FlagWatch {
  const histories = new Map<string, FlagChange[]>(watched.map((uri) => [uri, []]))
  const writes: EdgeWrite[] = []
  let open = true
  const readings = edges.map(async (edge) => {
    const newLines = followLines(edge.logFile)
    while (open) {
      const listed = await readOrNothing(edge)
      // The moment at which the answer is here: what it shows was so at the latest then.
      const at = Date.now()
      // After the list: so no change is noted before the write that made it.
      writes.push(...newLines().flatMap((line) => writeIn(line, edge.name, at) ?? []))
      for (const [uri, history] of histories) note(history, edge.name, at, flagsOf(uri, listed))
      await sleep(intervalMs)
    }
  })
  const latest = (uri: string) =>
    edges.flatMap(({ name }) => (histories.get(uri) ?? []).findLast(({ edge }) => edge === name) ?? [])
  return {
    history: (uri) => histories.get(uri) ?? [],
    latest,
    writes: () => writes,
    close: async () => {
      open = false
      await Promise.all(readings)
    },
  }
}

/** An edge that restarts answers nothing, or a list that is not there yet: that is a reading too. */
async function readOrNothing(edge: WatchedEdge): Promise<readonly Destination[] | undefined> {
  try {
    return await edge.list()
  } catch {
    return undefined
  }
}

function flagsOf(
  uri: string,
  listed: readonly Destination[] | undefined,
): ReadonlyMap<number, string> | undefined {
  if (listed === undefined) return undefined
  return new Map(listed.filter((entry) => entry.uri === uri).map(({ set, flags }) => [set, flags]))
}

function note(
  history: FlagChange[],
  edge: string,
  at: number,
  flags: ReadonlyMap<number, string> | undefined,
): void {
  const before = history.findLast((change) => change.edge === edge)
  if (before !== undefined && sameFlags(before.flags, flags)) return
  history.push({ edge, at, flags })
}

function sameFlags(
  one: ReadonlyMap<number, string> | undefined,
  other: ReadonlyMap<number, string> | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.size === other.size && [...one].every(([set, flags]) => other.get(set) === flags)
}
