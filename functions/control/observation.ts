import type { EdgeMemory } from './drain.ts'
import { type EdgeDescription, lacksOf } from './edge-facts.ts'
import type { Subject } from './hold.ts'
import { mayBeUnknownYet } from './instance-life.ts'
import {
  type CallCount,
  type EdgeReading,
  type HoldReading,
  isUnknown,
  type Reading,
  type Readings,
  type Unknown,
} from './reading.ts'

/** What the readings show of one drain on one edge; `unknown` is why nothing can be concluded. */
export type EdgeObservation =
  | {
      readonly edge: string
      readonly flags: HoldReading['flags']
      readonly count: CallCount | Unknown
      /**
       * between these it was counted: it showed a zero by `readBy` at the latest, and after `at` at the
       * earliest
       */
      readonly at: number
      readonly readBy: number
      readonly bootTime: string
      /** when it was last found open, epoch ms: a zero of before proves nothing */
      readonly openAt?: number
      /**
       * why a zero of its would prove nothing, such as that it may have forgotten calls; undefined where it
       * counts
       */
      readonly doubt?: string
      readonly description?: EdgeDescription
    }
  | {
      readonly edge: string
      readonly unknown: string
      /**
       * it is configured no more: a drain that never saw it does not remember it, so that it is waited for no
       * longer than a call lasts
       */
      readonly removed?: true
    }

/**
 * The readings, seen by one drain. They hold every edge seen since the drain began, also one that was removed
 * since, or released.
 */
export interface Observation {
  /** when the look began: only what was counted later, on every edge, ends a drain */
  readonly at: number
  readonly edges: readonly EdgeObservation[]
  /**
   * carried calls that matter to this drain, no longer configured, and released by an operator: not waited
   * for
   */
  readonly released: readonly string[]
  /** the media server's own count; undefined where none is configured */
  readonly mediaServer?: number | Unknown
  /** when that was asked for */
  readonly mediaServerAt: number
  readonly instanceGone: boolean
}

export interface ObservationRules {
  readonly longestCallSeconds: number
  /** its media server's own count is configured */
  readonly countsItself?: boolean
  /** EC2 has not been asked of its machine since it was held */
  readonly isUnshown?: boolean
  /** edges that an operator released; one that is configured is waited for all the same */
  readonly released?: readonly string[]
}

/** What of a drain decides what the readings tell about it. */
export interface Observed {
  readonly edges: Readonly<Record<string, EdgeMemory>>
  readonly subject: Subject
}

/** EC2's clock, an edge's and a function's own may be this far apart, in ms. */
export const clocksApartMs = 2000

/**
 * Edges whose calls matter to this drain and that nobody can ask, as they are configured no more: those that
 * the drain has seen, and those that were removed before it began, within the longest call's time and after
 * its machine was launched.
 */
export function removedEdges({ edges, subject }: Observed, readings: Readings): string[] {
  const launchedAt = subject.kind === 'instance' ? subject.launchedAt : Number.NEGATIVE_INFINITY
  const before = readings.removed.filter(({ knownAt }) => launchedAt < knownAt + clocksApartMs)
  const names = new Set([...Object.keys(edges), ...before.map(({ edge }) => edge)])
  return [...names].filter((edge) => !readings.edges.some((reading) => reading.edge === edge))
}

/** @returns what the readings tell about this drain, whose hold has the key `key` */
export function observation(
  drain: Observed,
  key: string,
  readings: Readings,
  rules: ObservationRules,
): Observation {
  const { released = [], countsItself = false } = rules
  const read = new Map(readings.edges.map((reading) => [reading.edge, reading]))
  const removed = removedEdges(drain, readings)
  const gone = removed.filter((edge) => released.includes(edge))
  const names = [...read.keys(), ...removed.filter((edge) => !gone.includes(edge))]
  const { machines } = readings
  const own = machines.calls[key] ?? (countsItself ? { unknown: 'it was not asked yet' } : undefined)
  return {
    at: readings.at,
    edges: names.map((edge) => observeEdge(drain, key, edge, { rules, reading: read.get(edge) })),
    released: gone,
    ...(own !== undefined && { mediaServer: own }),
    mediaServerAt: machines.askedAt,
    instanceGone: drain.subject.kind === 'instance' && machines.gone.includes(drain.subject.instanceId),
  }
}

interface Seen {
  readonly rules: ObservationRules
  readonly reading: EdgeReading | undefined
}

function observeEdge(drain: Observed, key: string, edge: string, { reading, rules }: Seen): EdgeObservation {
  if (!reading) return { edge, unknown: 'no longer configured, but its calls may still be up', removed: true }
  if (!reading.readable) return { edge, unknown: reading.reason }
  const shown = reading.holds[key]
  if (!shown) return { edge, unknown: "it was not read since the server's address was known" }
  const doubt = hiddenEntry(shown) ?? hiddenAddress(drain, shown, reading) ?? doubtOf(drain, reading, rules)
  return {
    edge,
    flags: shown.flags,
    count: believed(shown.counted.count),
    at: shown.counted.at,
    readBy: shown.counted.readBy,
    bootTime: reading.boot,
    ...(shown.openAt !== undefined && { openAt: shown.openAt }),
    ...(doubt !== undefined && { doubt }),
    description: reading.description,
  }
}

/** An entry that may be the drain's own, and of which nothing can be concluded. */
function hiddenEntry(shown: HoldReading): string | undefined {
  if (shown.unreadable !== undefined)
    return `an entry that is in its list, or has been within the longest call's time, can't be read and may be this server's: ${JSON.stringify(shown.unreadable)}; write it as a SIP URI, or take it off the list, and reload; it stays in doubt for the longest call's time`
  if (shown.unresolved !== undefined && shown.flags === 'unlisted')
    return `nobody knows the address of ${shown.unresolved}, which is in its list or has been within the longest call's time, and may be this server's: give the entry the instance's id as duid, let the edge resolve the name, or name it in the settings' staticNames`
  return undefined
}

/**
 * EC2 shows the addresses of a young machine one after the other: the one that this edge lists may be
 * missing.
 */
function hiddenAddress(
  { subject, edges }: Observed,
  { flags }: HoldReading,
  { edge, answeredAt }: Readable,
): string | undefined {
  if (subject.kind !== 'instance' || !mayBeUnknownYet(subject.launchedAt, answeredAt)) return undefined
  if (flags !== 'unlisted' || edges[edge]?.everListed) return undefined
  return 'it does not list the server, which was launched minutes ago: EC2 may not show all of its addresses yet'
}

type Readable = Extract<EdgeReading, { readable: true }>

/**
 * Since when an edge does not know the calls of the Kamailio that answered for it `before`: another one may
 * have been up for long. One that has booted since, and restores dialogs, knows them.
 */
export function replacedAt(
  { bootTime, bootId, uptimeSeconds, restoresDialogs }: EdgeDescription,
  answeredAt: number,
  before: Reading | undefined,
): number | undefined {
  if (!before) return undefined
  const { description } = before
  if (description.bootTime === bootTime && description.bootId === bootId) return before.replacedAt
  const hasBooted = answeredAt - uptimeSeconds * 1000 + clocksApartMs > before.answeredAt
  return restoresDialogs && hasBooted ? undefined : answeredAt
}

/** Why a zero of this edge would prove nothing. */
function doubtOf(
  { subject }: Observed,
  { restoresDialogs, uptimeSeconds, replacedAt, description, answeredAt }: Readable,
  rules: ObservationRules,
): string | undefined {
  if (rules.isUnshown)
    return 'EC2 has not answered since the server was held: it may have an address that is not known'
  if (description.counts === 'never') return 'its call profiles have counted none of the calls that are up'
  if (restoresDialogs && replacedAt === undefined) return undefined
  const knowsSince = replacedAt ?? answeredAt - uptimeSeconds * 1000
  if (answeredAt - knowsSince > rules.longestCallSeconds * 1000) return undefined
  // It was there by then: a machine that was launched later can't have had calls that it does not know.
  if (subject.kind === 'instance' && subject.launchedAt > knowsSince + clocksApartMs) return undefined
  return 'restarted, or is another Kamailio, and may have forgotten calls'
}

/** DLGLOAD is never believed when it shows 0, and the whole edge's total only when it does. */
export function believed(count: CallCount | Unknown): CallCount | Unknown {
  if (isUnknown(count)) return count
  if (count.source === 'load' && count.calls === 0) return { unknown: 'DLGLOAD shows 0 after a reload too' }
  if (count.source === 'edge' && count.calls > 0)
    return { unknown: 'only the total of all its calls is known' }
  return count
}

/**
 * What the edges lack for a drain to be sure, one line each: it still works, by weaker means, and that is
 * published with it.
 */
export function lacks(seen: Observation): string[] {
  return seen.edges.flatMap((edge) =>
    'description' in edge && edge.description
      ? lacksOf(edge.description, seen.mediaServer !== undefined)
      : [],
  )
}
