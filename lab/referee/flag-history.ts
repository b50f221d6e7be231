import type { FlagChange } from '../sip/flag-watch.ts'

/**
 * So long a reload may show an edge's file instead of its states; the drain guard keeps calls away meanwhile.
 */
export const reloadShowsMs = 2000

type Flags = ReadonlyMap<number, string> | undefined

export function isDisabled(flags: Flags): boolean {
  return flags !== undefined && flags.size > 0 && [...flags.values()].every((text) => text.startsWith('D'))
}

function isActive(flags: Flags): boolean {
  return flags !== undefined && flags.size > 0 && [...flags.values()].every((text) => text.startsWith('A'))
}

/** @returns the first moment at or after `since` at which what every edge showed last fulfils `holds`. */
function firstEverywhere(
  history: readonly FlagChange[],
  edges: readonly string[],
  since: number,
  holds: (flags: Flags, edge: string) => boolean,
): number | undefined {
  const shown = new Map<string, Flags>()
  const everywhere = () => edges.every((edge) => shown.has(edge) && holds(shown.get(edge), edge))
  for (const change of history) if (change.at <= since) shown.set(change.edge, change.flags)
  if (everywhere()) return since
  for (const change of history) {
    if (change.at <= since) continue
    shown.set(change.edge, change.flags)
    if (everywhere()) return change.at
  }
  return undefined
}

/**
 * @returns the first moment at or after `since` at which every edge shows it disabled in every set that
 * lists it.
 */
export function disabledEverywhere(history: readonly FlagChange[], edges: readonly string[], since: number) {
  return firstEverywhere(history, edges, since, isDisabled)
}

/** @returns the first moment at or after `since` at which every edge shows what it showed at `like`. */
export function restoredEverywhere(
  history: readonly FlagChange[],
  edges: readonly string[],
  since: number,
  like: number,
) {
  const former = new Map(edges.map((edge) => [edge, shownAt(history, edge, like)]))
  return firstEverywhere(history, edges, since, (flags, edge) => {
    const before = former.get(edge)
    if (flags === undefined || before === undefined || flags.size !== before.size) return false
    return [...flags].every(([set, text]) => before.get(set) === text)
  })
}

/**
 * @returns the first moment at or after `since` at which every edge shows it active in every set that lists
 * it.
 */
export function activeEverywhere(history: readonly FlagChange[], edges: readonly string[], since: number) {
  return firstEverywhere(history, edges, since, isActive)
}

/** What an edge showed last at that moment. */
export function shownAt(history: readonly FlagChange[], edge: string, at: number): Flags {
  return history.findLast((change) => change.edge === edge && change.at <= at)?.flags
}

/** The restart of an edge until every edge shows the server disabled again; it sends calls in between. */
export function gapAfter(
  history: readonly FlagChange[],
  edges: readonly string[],
  restart: { readonly edge: string; readonly at: number },
): { readonly from: number; readonly until: number | undefined } {
  const opened = history.find(
    ({ edge, at, flags }) => edge === restart.edge && at >= restart.at && !isDisabled(flags),
  )
  return {
    from: restart.at,
    until: opened && disabledEverywhere(history, edges, opened.at),
  }
}
