import type { ListedDestination } from './destination.ts'
import { hostsOf } from './destination.ts'
import type { DrainingLoad } from './draining-load.ts'

/** What one edge shows of all that it carries, draining or not. */
export interface EdgeLoad {
  /** calls of all media servers, to them and from them; undefined where the edge can't tell */
  readonly calls: number | undefined
  /** hosts that it may send new calls to */
  readonly active: readonly string[]
}

/** Hosts of the entries that an edge selects for new calls: active, or trying, which is routable still. */
export function activeHosts(listed: readonly ListedDestination[]): string[] {
  return hostsShown(listed, 'AT')
}

/** And those that it would select once they answer its pings: inactive, but not disabled. */
export function selectableHosts(listed: readonly ListedDestination[]): string[] {
  return hostsShown(listed, 'ATI')
}

function hostsShown(listed: readonly ListedDestination[], states: string): string[] {
  const shown = listed.filter(({ flags }) => states.includes(flags.charAt(0)))
  return [...new Set(shown.flatMap((entry) => hostsOf(entry).at(-1) ?? []))]
}

/** Servers that get new calls on some edge, and the calls of all that are not draining. */
export interface LoadInService {
  readonly servers: number
  /**
   * undefined while some edge, or some draining server's calls, are unknown: a sum that is too low would
   * scale in
   */
  readonly calls: number | undefined
}

/** @param edges undefined for one that could not be read */
export function loadInService(
  edges: readonly (EdgeLoad | undefined)[],
  draining: readonly DrainingLoad[],
): LoadInService {
  const servers = new Set(edges.flatMap((edge) => edge?.active ?? [])).size
  const carried = edges.map((edge) => edge?.calls)
  const known = carried.filter((calls) => calls !== undefined)
  if (known.length < edges.length || draining.some(({ unknown }) => unknown > 0))
    return { servers, calls: undefined }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
  return { servers, calls: Math.max(0, sum(known) - sum(draining.map(({ calls }) => calls))) }
}
