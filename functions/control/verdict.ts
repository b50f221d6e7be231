import type { EdgeMemory } from './drain.ts'
import { clocksApartMs, type EdgeObservation, type Observation } from './observation.ts'
import { isUnknown } from './reading.ts'

export type Verdict = 'draining' | 'drained' | 'overdue' | 'unknown' | 'absent' | 'gone'

export interface VerdictRules {
  readonly failoverWindowSeconds: number
  readonly longestCallSeconds: number
}

interface DrainView {
  readonly edges: Readonly<Record<string, EdgeMemory>>
  /** epoch ms */
  readonly deadlineAt: number
}

export interface Judgement {
  readonly verdict: Verdict
  /** to be remembered for the next look */
  readonly edges: Readonly<Record<string, EdgeMemory>>
  /** calls known to be left, a lower bound while something is unknown */
  readonly callsLeft: number
  /** what is not known, one line per edge or media server */
  readonly unknown: readonly string[]
  /** every edge shows a zero: a later look can confirm it */
  readonly zeroPending: boolean
  /** some edge shows a zero that does not count: its first one, or with the destination open */
  readonly unconfirmed: boolean
}

/** What one edge comes to. */
interface EdgeFinding {
  readonly edge: string
  readonly memory: EdgeMemory
  /** known to be left there */
  readonly calls: number
  readonly unknown?: string
  /**
   * it shows a zero that may count: by when the first one was answered (a), and when this one was asked (b)
   */
  readonly zero?: { readonly answered: number; readonly asked: number }
  /** it counts none and shows the destination open: new ones may come */
  readonly open?: boolean
}

/**
 * The verdict on a drain: a pure function of its record and an observation.
 *
 * An edge's zero counts when it shows the destination disabled, or a list without it, since a first zero on:
 * with the same boot, no call begun in between by its counters, and no reason to doubt it. Every edge that is
 * not released must show so after the look began, from the last of the first zeros (a) to the earliest of the
 * latest (b) must lie the fail-over window and the clocks' difference, and the media server's own count must
 * be 0 where there is one. `absent` is as strong: it means that no edge ever listed it. A zero that was
 * counted before that is remembered, and ends nothing.
 */
export function judge(drain: DrainView, seen: Observation, now: number, rules: VerdictRules): Judgement {
  const serverEmpty = seen.mediaServer === 0
  const findings = seen.edges.map((edge) => findingOf(drain.edges[edge.edge], edge, serverEmpty, rules))
  // A destination that only a released edge has listed was there, and counts as drained, not as absent.
  const released = seen.released.map((edge) => [edge, remembering(drain.edges[edge])] as const)
  const unseen = seen.edges.flatMap((edge) =>
    'removed' in edge && drain.edges[edge.edge] === undefined ? [edge.edge] : [],
  )
  const remembered = findings.filter(({ edge }) => !unseen.includes(edge))
  const memories = [...released, ...remembered.map(({ edge, memory }) => [edge, memory] as const)]
  const unknown = [
    ...findings.flatMap(({ edge, unknown: why }) => (why === undefined ? [] : [`edge ${edge}: ${why}`])),
    ...(isUnknownServer(seen) ? [`media server: ${seen.mediaServer.unknown}`] : []),
  ]
  const own = typeof seen.mediaServer === 'number' ? seen.mediaServer : 0
  const callsLeft = Math.max(
    own,
    findings.reduce((sum, { calls }) => sum + calls, 0),
  )
  const window = windowOf(findings, seen, rules)
  const isOldCount = seen.mediaServer !== undefined && seen.mediaServerAt < seen.at
  const found = {
    gone: seen.instanceGone,
    over: window === 'over' && unknown.length === 0 && own === 0 && !isOldCount,
    everListed: memories.some(([, memory]) => memory.everListed),
    unknown: unknown.length > 0,
    late: now >= drain.deadlineAt,
  }
  return {
    verdict: verdictOf(found),
    edges: Object.fromEntries(memories),
    callsLeft,
    unknown,
    zeroPending: window === 'open' || (window === 'over' && !found.over),
    unconfirmed:
      window === 'open' || findings.some(({ open, zero }) => open || isOpenZero(zero, seen, rules)),
  }
}

interface Found {
  readonly gone: boolean
  /** every zero counts */
  readonly over: boolean
  readonly everListed: boolean
  readonly unknown: boolean
  readonly late: boolean
}

function verdictOf({ gone, over, everListed, unknown, late }: Found): Verdict {
  if (gone) return 'gone'
  if (over) return everListed ? 'drained' : 'absent'
  if (late) return 'overdue'
  return unknown ? 'unknown' : 'draining'
}

/** `none`: some edge shows no zero. `open`: all do, and it is too early. */
function windowOf(
  findings: readonly EdgeFinding[],
  seen: Observation,
  rules: VerdictRules,
): 'none' | 'open' | 'over' {
  const zeros = findings.flatMap(({ zero }) => zero ?? [])
  if (zeros.length < findings.length || zeros.length === 0) return 'none'
  const answered = Math.max(...zeros.map((zero) => zero.answered))
  const asked = Math.min(...zeros.map((zero) => zero.asked))
  return isOpenZero({ answered, asked }, seen, rules) ? 'open' : 'over'
}

function isOpenZero(
  zero: EdgeFinding['zero'],
  { at }: Observation,
  { failoverWindowSeconds }: VerdictRules,
): boolean {
  if (!zero) return false
  return zero.asked < at || zero.asked - zero.answered < failoverWindowSeconds * 1000 + clocksApartMs
}

function findingOf(
  memory: EdgeMemory | undefined,
  seen: EdgeObservation,
  serverEmpty: boolean,
  rules: VerdictRules,
): EdgeFinding {
  const { edge } = seen
  const before = remembering(memory)
  if ('unknown' in seen) return { edge, memory: before, calls: 0, unknown: seen.unknown }
  const { count } = seen
  const reaped = reapedBy(before.reaped, seen)
  const known = { everListed: before.everListed || seen.flags !== 'unlisted', ...(reaped && { reaped }) }
  if (isUnknown(count)) return { edge, memory: known, calls: 0, unknown: count.unknown }
  if (count.calls > 0) return { edge, memory: known, calls: count.calls }
  const openUntil = (seen.openAt ?? Number.NEGATIVE_INFINITY) + clocksApartMs
  // Of a moment after it was open a zero proves nothing yet.
  if (seen.flags === 'open' || seen.readBy <= openUntil) return { edge, memory: known, calls: 0, open: true }
  const { begun } = count
  const first = memory?.zero
  const isSame = first?.bootTime === seen.bootTime && first.begun === begun && first.at > openUntil
  const since = isSame ? first.at : seen.readBy
  const zero = { at: since, bootTime: seen.bootTime, ...(begun !== undefined && { begun }) }
  const doubt = serverEmpty ? undefined : (seen.doubt ?? reapedDoubt(reaped, seen, rules))
  return {
    edge,
    memory: { ...known, zero },
    calls: 0,
    zero: { answered: since, asked: seen.at },
    ...(doubt !== undefined && { unknown: doubt }),
  }
}

/** What outlives a reading without a zero. */
function remembering(memory: EdgeMemory | undefined): Omit<EdgeMemory, 'zero'> {
  const { everListed = false, reaped } = memory ?? {}
  return { everListed, ...(reaped && { reaped }) }
}

type Counting = Extract<EdgeObservation, { count: unknown }>

/**
 * A number that is new makes a zero doubtful for as long as a call may last; when it rose is not known better
 * than when it was seen.
 */
function reapedBy(before: EdgeMemory['reaped'], { count, readBy }: Counting): EdgeMemory['reaped'] {
  if (isUnknown(count) || count.reaped === undefined || before?.calls === count.reaped) return before
  return count.reaped === 0 ? undefined : { calls: count.reaped, at: readBy }
}

function reapedDoubt(
  reaped: EdgeMemory['reaped'],
  { at }: Counting,
  rules: VerdictRules,
): string | undefined {
  if (!reaped || at - reaped.at > rules.longestCallSeconds * 1000) return undefined
  return `its keepalives have ended ${reaped.calls} calls there that may be up; its log names the end at fault`
}

function isUnknownServer(
  seen: Observation,
): seen is Observation & { readonly mediaServer: { readonly unknown: string } } {
  return typeof seen.mediaServer === 'object'
}
