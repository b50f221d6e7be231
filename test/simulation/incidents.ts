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
  /** a function run wrote there while the edge was in trouble, or loaded its list meanwhile */
  | 'written in trouble'
  /** two function runs were at work there at the same time, and both wrote of the server */
  | 'runs side by side'
  /** the same, on this or another edge that has the server */
  | 'runs side by side somewhere'
  | 'address recycled'
  | 'machine dies'
  | 'launch not shown'
  | 'launch told late'
  | 'row lost'
  /** an execution for a drain of the server was stopped by hand, or hangs */
  | 'execution stopped'
  | 'group deleted'
  | 'newer payload'
  | 'events refused'
  | 'store refused'
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

/**
 * Whom a violation is about, and between when it must have come about: it was right at `since`, and was seen
 * at `at`.
 */
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
  readonly name: string
  readonly startedAt: number

  constructor(name: string, startedAt: number) {
    this.name = name
    this.startedAt = startedAt
  }

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

/**
 * @returns what runs did that others may have undone, that they left half done, or that an edge in trouble
 * may have lost
 */
export function incidentsOfRuns(runs: readonly RunTrace[], known: readonly Incident[]): Incident[] {
  const troubles = known.filter(({ kind }) => ['edge trouble', 'restart', 'reload'].includes(kind))
  return runs.flatMap((run) =>
    [...run.wrote.values()].flatMap(({ edge, server, from, until }): Incident[] => {
      const own = run.asked.get(edge) ?? { from, until }
      const inTrouble = troubles.some(
        (one) => one.edge === edge && meet(one, one.kind === 'edge trouble' ? { from, until } : own),
      )
      return [
        ...runs.flatMap((other) => (other === run ? [] : besides(own, other, edge, server))),
        ...(run.isBroken ? [{ kind: 'broken run', edge, server, from, until } as const] : []),
        ...(inTrouble ? [{ kind: 'written in trouble', edge, server, from, until } as const] : []),
      ]
    }),
  )
}

/** What another run that wrote of the same server did while this one was at work. */
function besides(own: Span, other: RunTrace, edge: number, server: number): Incident[] {
  return [...other.wrote.values()].flatMap((written): Incident[] => {
    const theirs = other.asked.get(written.edge)
    if (written.server !== server || !theirs || !meet(theirs, own)) return []
    const met = { from: Math.max(theirs.from, own.from), until: Math.min(theirs.until, own.until) }
    return [
      { kind: 'runs side by side somewhere', server, ...met },
      ...(written.edge === edge ? [{ kind: 'runs side by side', edge, server, ...met } as const] : []),
    ]
  })
}

function meet(one: Span, other: Span): boolean {
  return one.from <= other.until && one.until >= other.from
}

/**
 * @returns the kinds of what may have led to it: what happened to whom it is about, no sooner than it was
 * right
 */
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
