/** What a violation may come from, in a few words. */
export type IncidentKind =
  | 'reload'
  | 'restart'
  | 'hand'
  /** a line of the server came into the list, left it or is spelled otherwise */
  | 'relisted'
  /** the list disables the server by itself */
  | 'disabled by the list'
  | 'edge trouble'
  | 'edge comes or goes'
  /** that one, or another one: what waits for it is done again and again on each */
  | 'some edge is away'
  | 'edge released'
  /** a function run that wrote there failed, died, froze or had a call refused */
  | 'broken run'
  /** two function runs were at work there at the same time, and one of them wrote */
  | 'runs side by side'
  | 'address recycled'
  | 'machine dies'
  | 'launch not shown'
  | 'launch told late'
  | 'row lost'
  | 'group deleted'
  | 'newer payload'
  | 'events refused'
  /** any other fault of the plan that may come from then on */
  | 'fault'
  | 'completions refused'

/** What happened, when, and to whom: to each edge and each server unless it names one. Times are epoch ms. */
export interface Incident {
  readonly kind: IncidentKind
  readonly from: number
  readonly until: number
  readonly edge?: number
  readonly server?: number
}

/** Whom a violation is about, and between when it must have come about: it was right at `since`, and was seen at `at`. */
export interface About {
  readonly at: number
  readonly since: number
  readonly edge?: number
  readonly server?: number
}

/** One function run: what it asked of each edge from when to when, and what it wrote of which server. */
export class RunTrace {
  isBroken = false
  readonly asked = new Map<number, Span>()
  readonly wrote = new Map<string, Written>()

  asks(edge: number, now: number): void {
    this.asked.set(edge, extended(this.asked.get(edge), now))
  }

  /** A state, a guard or a record of former flags. */
  writes(edge: number, server: number, now: number): void {
    const key = `${edge} ${server}`
    this.wrote.set(key, { edge, server, ...extended(this.wrote.get(key), now) })
  }
}
interface Span {
  readonly from: number
  readonly until: number
}
type Written = Span & { readonly edge: number; readonly server: number }

function extended(span: Span | undefined, now: number): Span {
  return { from: Math.min(span?.from ?? now, now), until: Math.max(span?.until ?? now, now) }
}

/** @returns what runs did that others may have undone, or that they left half done */
export function incidentsOfRuns(runs: readonly RunTrace[]): Incident[] {
  const writers = runs.filter(({ wrote }) => wrote.size > 0)
  return writers.flatMap((run) =>
    [...run.wrote.values()].flatMap(({ edge, server, from, until }): Incident[] => {
      const own = run.asked.get(edge) ?? { from, until }
      const beside = runs.flatMap((other): Incident[] => {
        const theirs = other.asked.get(edge)
        if (other === run || !theirs || theirs.from > own.until || theirs.until < own.from) return []
        const met = { from: Math.max(theirs.from, own.from), until: Math.min(theirs.until, own.until) }
        return [{ kind: 'runs side by side', edge, server, ...met }]
      })
      return run.isBroken ? [...beside, { kind: 'broken run', edge, server, from, until }] : beside
    }),
  )
}

/** @returns the kinds of what may have led to it: what happened to whom it is about, no sooner than it was right */
export function leadingTo(
  { at, since, edge, server }: About,
  incidents: readonly Incident[],
): IncidentKind[] {
  const met = incidents.filter(
    (one) =>
      one.from <= at &&
      one.until >= since &&
      (one.edge === undefined || edge === undefined || one.edge === edge) &&
      (one.server === undefined || server === undefined || one.server === server),
  )
  return [...new Set(met.map(({ kind }) => kind))].sort()
}
