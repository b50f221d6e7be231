import type { DrainRecord, EdgeMemory } from './drain-record.ts'
import { type EdgeDescription, lacksOf } from './edge-facts.ts'
import {
  type CallCount,
  type EdgeReading,
  type HoldReading,
  isUnknown,
  type Round,
  type Unknown,
} from './round.ts'

export type Verdict = 'draining' | 'drained' | 'overdue' | 'unknown' | 'absent' | 'gone' | 'lifted'

/** What a round says about one drain on one edge; `unknown` says why nothing can be concluded. */
export type EdgeObservation =
  | {
      readonly edge: string
      readonly flags: HoldReading['flags']
      readonly count: CallCount | Unknown
      /** between these it was counted: it showed a zero by `readBy` at the latest, and after `at` at the earliest */
      readonly at: number
      readonly readBy: number
      readonly bootTime: string
      /** it can't have forgotten calls: up longer than the longest one, or it restores dialogs */
      readonly remembers: boolean
      readonly description?: EdgeDescription
    }
  | { readonly edge: string; readonly unknown: string }

/** A round, seen by one drain. Every edge seen since the drain began is here, also one that was removed since, or released. */
export interface Observation {
  /** when the round began: only what it counted itself, on every edge, ends a drain */
  readonly at: number
  readonly edges: readonly EdgeObservation[]
  /** seen by this drain, no longer configured, and released by an operator: not waited for */
  readonly released: readonly string[]
  /** the media server's own count; undefined where none is configured */
  readonly mediaServer?: number | Unknown
  readonly instanceGone: boolean
}

export interface VerdictRules {
  readonly failoverWindowSeconds: number
  readonly longestCallSeconds: number
}

type DrainView = Pick<DrainRecord, 'edges' | 'subject' | 'deadlineAt' | 'absentSince'>

/** Edges that this drain has seen and the round knows no more. */
export function removedEdges({ edges }: Pick<DrainRecord, 'edges'>, round: Round): string[] {
  return Object.keys(edges).filter((edge) => !round.edges.some((reading) => reading.edge === edge))
}

/**
 * @param released edges that an operator released; one that the round knows is waited for all the same
 * @returns what this round says about this drain, whose hold has the key `key`.
 */
export function observation(
  drain: DrainView,
  key: string,
  round: Round,
  rules: VerdictRules,
  released: readonly string[] = [],
): Observation {
  const read = new Map(round.edges.map((reading) => [reading.edge, reading]))
  const gone = removedEdges(drain, round).filter((edge) => released.includes(edge))
  const seen = Object.keys(drain.edges).filter((edge) => !gone.includes(edge))
  const names = new Set([...seen, ...read.keys()])
  const own = round.mediaServers[key]
  return {
    at: round.startedAt,
    edges: [...names].map((edge) => observeEdge(key, edge, read.get(edge), rules)),
    released: gone,
    ...(own !== undefined && { mediaServer: own }),
    instanceGone:
      drain.subject?.kind === 'instance' && round.goneInstances.includes(drain.subject.instanceId),
  }
}

function observeEdge(
  key: string,
  edge: string,
  reading: EdgeReading | undefined,
  rules: VerdictRules,
): EdgeObservation {
  if (!reading) return { edge, unknown: 'no longer configured, but its calls may still be up' }
  if (!reading.readable) return { edge, unknown: reading.reason }
  const shown = reading.holds[key]
  if (!shown) return { edge, unknown: 'the drain began after this round' }
  if (shown.unreadable !== undefined)
    return {
      edge,
      unknown: `an entry of its list can't be read and may be this server's: ${JSON.stringify(shown.unreadable)}; write it as a SIP URI, or take it off the list, and reload`,
    }
  if (!shown.counted) return { edge, unknown: 'not counted yet: many drains wait for their turn' }
  return {
    edge,
    flags: shown.flags,
    count: believed(shown.counted.count),
    at: shown.counted.at,
    readBy: shown.counted.readBy,
    bootTime: reading.bootTime,
    remembers: reading.restoresDialogs || reading.uptimeSeconds > rules.longestCallSeconds,
    ...(reading.description && { description: reading.description }),
  }
}

/** DLGLOAD is never believed when it says 0, and the whole edge's total only when it does. */
function believed(count: CallCount | Unknown): CallCount | Unknown {
  if (isUnknown(count)) return count
  if (count.source === 'load' && count.calls === 0) return { unknown: 'DLGLOAD says 0, also after a reload' }
  if (count.source === 'edge' && count.calls > 0)
    return { unknown: 'only the total of all its calls is known' }
  return count
}

function kept(everListed: boolean, zero: EdgeMemory['zero'], reaped: EdgeMemory['reaped']): EdgeMemory {
  return { everListed, ...(zero && { zero }), ...(reaped && { reaped }) }
}

/** A number that is new makes a zero doubtful for as long as a call may last; when it rose is not known better than when it was seen. */
function reapedBy(
  memory: EdgeMemory,
  { count, readBy }: Extract<EdgeObservation, { count: unknown }>,
): EdgeMemory['reaped'] {
  if (isUnknown(count) || count.reaped === undefined) return memory.reaped
  if (count.reaped === 0) return undefined
  return memory.reaped?.calls === count.reaped ? memory.reaped : { calls: count.reaped, at: readBy }
}

export interface Judgement {
  readonly verdict: Verdict
  /** to be remembered for the next round */
  readonly edges: Readonly<Record<string, EdgeMemory>>
  readonly absentSince?: number
  /** calls known to be left, a lower bound while something is unknown */
  readonly callsLeft: number
  /** what is not known, one line per edge or media server */
  readonly unknown: readonly string[]
  /** every edge shows a zero: a later round can confirm it */
  readonly zeroPending: boolean
  /** some edge shows a zero that does not count: its first one, or with the destination open */
  readonly unconfirmed: boolean
}

/**
 * The verdict on a drain: a pure function of its record and an observation.
 *
 * An edge's zero counts only when it shows the destination disabled, or a list without it; on two rounds further apart
 * than the fail-over window; with the same boot time; and when it can't have forgotten calls. Every edge that is not released
 * must say so in one and the same round, and so must the media server's own count where there is one. A zero of an earlier round
 * that this one has not counted again is remembered, and ends nothing.
 */
export function judge(
  drain: DrainView,
  seen: Observation,
  lifted: boolean,
  now: number,
  rules: VerdictRules,
): Judgement {
  const edges: Record<string, EdgeMemory> = {}
  const unknown: string[] = []
  let confirmed = seen.edges.length > 0
  let allUnlistedZero = seen.edges.length > 0
  let callsLeft = 0
  let silent = seen.edges.length > 0
  let unconfirmed = false
  const countedNow = seen.edges.every((edge) => 'at' in edge && edge.at >= seen.at)
  const serverEmpty = seen.mediaServer === 0

  for (const edge of seen.edges) {
    const memory = drain.edges[edge.edge] ?? { everListed: false }
    if ('unknown' in edge) {
      unknown.push(`edge ${edge.edge}: ${edge.unknown}`)
      edges[edge.edge] = kept(memory.everListed, undefined, memory.reaped)
      confirmed = allUnlistedZero = silent = false
      continue
    }
    const everListed = memory.everListed || edge.flags !== 'unlisted'
    const reaped = reapedBy(memory, edge)
    if (isUnknown(edge.count)) unknown.push(`edge ${edge.edge}: ${edge.count.unknown}`)
    else callsLeft += edge.count.calls
    const zeroNow = !isUnknown(edge.count) && edge.count.calls === 0 && edge.flags !== 'open'
    if (!zeroNow) {
      if (!isUnknown(edge.count) && edge.count.calls === 0) unconfirmed = true
      edges[edge.edge] = kept(everListed, undefined, reaped)
      confirmed = allUnlistedZero = silent = false
      continue
    }
    const zero =
      memory.zero?.bootTime === edge.bootTime ? memory.zero : { at: edge.readBy, bootTime: edge.bootTime }
    edges[edge.edge] = kept(everListed, zero, reaped)
    if (everListed) allUnlistedZero = false
    const twice = edge.at - zero.at > rules.failoverWindowSeconds * 1000
    if (!twice || edge.at < seen.at) unconfirmed = true
    if (!(edge.remembers || serverEmpty))
      unknown.push(`edge ${edge.edge}: restarted and may have forgotten calls`)
    if (!twice || !(edge.remembers || serverEmpty)) confirmed = false
    if (reaped && !serverEmpty && edge.at - reaped.at <= rules.longestCallSeconds * 1000) {
      unknown.push(
        `edge ${edge.edge}: its keepalives have ended ${reaped.calls} calls there that may be up; its log names the end at fault`,
      )
      confirmed = allUnlistedZero = false
    }
  }

  // What it once listed stays known: the destination is drained then, not one that never was anywhere.
  for (const edge of seen.released) {
    const everListed = drain.edges[edge]?.everListed ?? false
    edges[edge] = { everListed }
    if (everListed) allUnlistedZero = false
  }

  if (seen.mediaServer !== undefined && seen.mediaServer !== 0) {
    confirmed = allUnlistedZero = false
    if (isUnknown(seen.mediaServer)) unknown.push(`media server: ${seen.mediaServer.unknown}`)
    else callsLeft = Math.max(callsLeft, seen.mediaServer)
  }

  const absentSince = drain.absentSince ?? (countedNow ? seen.at : undefined)
  const absent = allUnlistedZero && countedNow && absentSince !== undefined && absentSince < seen.at
  const verdict: Verdict = lifted
    ? 'lifted'
    : seen.instanceGone
      ? 'gone'
      : absent
        ? 'absent'
        : confirmed && countedNow && !allUnlistedZero
          ? 'drained'
          : now >= drain.deadlineAt
            ? 'overdue'
            : unknown.length > 0
              ? 'unknown'
              : 'draining'
  return {
    verdict,
    edges,
    ...(allUnlistedZero && absentSince !== undefined && { absentSince }),
    callsLeft,
    unknown,
    zeroPending: silent && !(confirmed && countedNow),
    unconfirmed,
  }
}

/** What the edges lack for a drain to be sure, one line each: it still works, by weaker means, and that is published with it. */
export function lacks(seen: Observation): string[] {
  return seen.edges.flatMap((edge) =>
    'description' in edge && edge.description
      ? lacksOf(edge.description, seen.mediaServer !== undefined)
      : [],
  )
}
