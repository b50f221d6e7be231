import { type CallRecord, callsUp, invitesBetween, placedBetween } from '../sip/call-record.ts'
import type { FlagChange } from '../sip/flag-watch.ts'
import { deadlineProblems, isByPolicy } from './deadline-judgement.ts'
import type { DrainEvidence, Evidence, LaunchEvidence, Problem } from './evidence.ts'
import {
  activeEverywhere,
  disabledEverywhere,
  gapAfter,
  reloadShowsMs,
  restoredEverywhere,
  shownAt,
} from './flag-history.ts'

/**
 * One scenario in the report. A figure is null where it does not apply, or could not be reached: `problems`
 * then names why.
 */
export interface ScenarioReport {
  readonly name: string
  readonly kind: 'drain' | 'launch'
  readonly machine: string
  readonly destination: string
  readonly callsAtStart: number | null
  readonly triggerToConfirmedMs: number | null
  readonly newCallsAfterConfirmation: number | null
  readonly callsPlacedAfterConfirmation: number | null
  readonly lastByeToCompletedMs: number | null
  /** answered calls of this server that did not end by their scripted BYE */
  readonly cut: number
  /** those of them that the group's policy let go at the deadline, or ended with BYEs after it */
  readonly cutByPolicy?: number
  readonly result: string
  readonly passed: boolean
  readonly problems: readonly Problem[]
  /** from the restart of an edge until every edge showed the server disabled again */
  readonly gapMs?: number | null
  readonly newCallsInGap?: number
  /** from the OK, the activate or the launch until every edge showed it active again */
  readonly triggerToActiveMs?: number | null
  readonly callsAfterActive?: number
}

export const leastCallsAtStart = 5
export const leastCallsAfterConfirmation = 20

/** What the referee needs to know of the world. */
export interface Records {
  readonly calls: readonly CallRecord[]
  readonly flagsOf: (uri: string) => readonly FlagChange[]
}

/**
 * Judges one scenario by what the lab itself saw: SIP at both ends, the edges' own lists, the simulator's
 * record.
 */
export function judge(evidence: Evidence, records: Records): ScenarioReport {
  return evidence.kind === 'drain' ? judgeDrain(evidence, records) : judgeLaunch(evidence, records)
}

type DrainFigures = ReturnType<typeof drainFigures>

function drainFigures(evidence: DrainEvidence, records: Records) {
  const { calls } = records
  const { server, edges, triggeredAt, action, restoreAt } = evidence
  const history = records.flagsOf(evidence.destination)
  const goneAt = evidence.deadline?.goneAt ?? action?.endedAt
  const endedAt = goneAt ?? restoreAt ?? evidence.watchedUntil
  const callsAtStart = callsUp(calls, server, triggeredAt)
  const disabledAt = disabledEverywhere(history, edges, triggeredAt)
  const confirmedAt = disabledAt !== undefined && disabledAt <= endedAt ? disabledAt : undefined
  const gap = evidence.restart && gapAfter(history, edges, evidence.restart)
  const inGap = gap && invitesBetween(calls, server, gap.from, Math.min(gap.until ?? endedAt, endedAt))
  const newCalls =
    confirmedAt === undefined ? null : invitesBetween(calls, server, confirmedAt, endedAt) - (inGap ?? 0)
  const placed = confirmedAt === undefined ? null : placedBetween(calls, confirmedAt, endedAt)
  const cut = calls.filter((call) => call.server === server && call.outcome === 'cut')
  const lastBye = lastByeOf(evidence, records)
  const lastByeToCompletedMs = goneAt === undefined || lastBye === undefined ? null : goneAt - lastBye
  const byPolicy = cut.filter((call) => isByPolicy(evidence, call))
  const others = cut.filter((call) => !byPolicy.includes(call))
  const active = activeAgain(evidence, records)
  return {
    ...{ endedAt, callsAtStart, confirmedAt, gap, inGap, newCalls, placed },
    ...{ cut, byPolicy, others, lastBye, lastByeToCompletedMs, active },
  }
}

function drainProblems(evidence: DrainEvidence, records: Records, figures: DrainFigures): Problem[] {
  const { server, action } = evidence
  const { endedAt, callsAtStart, confirmedAt, gap, newCalls, placed } = figures
  const { byPolicy, others, lastBye, lastByeToCompletedMs, active } = figures
  const problems: Problem[] = []
  const blame = (figure: string, text: string) => problems.push({ figure, text })
  if (callsAtStart < leastCallsAtStart)
    blame('callsAtStart', `only ${callsAtStart} calls were up when it began; ${leastCallsAtStart} are needed`)
  if (confirmedAt === undefined)
    blame('triggerToConfirmedMs', `never disabled on every edge: ${open(evidence, records, endedAt)}`)
  if (newCalls !== null && newCalls > 0)
    blame(
      'newCallsAfterConfirmation',
      `${newCalls} new calls reached ${server} after it was disabled everywhere`,
    )
  if (gap?.until !== undefined && gap.until > endedAt)
    blame('gapMs', `it was completed while the restarted edge still showed ${server} open`)
  if (placed !== null && placed < leastCallsAfterConfirmation)
    blame(
      'callsPlacedAfterConfirmation',
      `only ${placed} calls were placed after the confirmation; ${leastCallsAfterConfirmation} are needed`,
    )
  if (others.length > 0)
    blame('cut', `${others.length} calls were cut: ${[...new Set(others.map(({ why }) => why))].join('; ')}`)
  if (gap && gap.until === undefined)
    blame('gapMs', `after the restart of ${evidence.restart?.edge} it was never disabled again`)
  if (confirmedAt !== undefined && action !== undefined)
    problems.push(
      ...(evidence.deadline === undefined
        ? completionProblems(action, lastByeToCompletedMs)
        : deadlineProblems(evidence.deadline, action, lastBye, byPolicy.length)),
    )
  if (active) problems.push(...active.problems)
  problems.push(...evidence.problems)
  return problems
}

function judgeDrain(evidence: DrainEvidence, records: Records): ScenarioReport {
  const { triggeredAt, action } = evidence
  const figures = drainFigures(evidence, records)
  const { callsAtStart, confirmedAt, gap, inGap, active } = figures
  const problems = drainProblems(evidence, records, figures)
  return {
    name: evidence.scenario,
    kind: 'drain',
    machine: evidence.machine,
    destination: evidence.destination,
    callsAtStart,
    triggerToConfirmedMs: confirmedAt === undefined ? null : confirmedAt - triggeredAt,
    newCallsAfterConfirmation: figures.newCalls,
    callsPlacedAfterConfirmation: figures.placed,
    lastByeToCompletedMs: figures.lastByeToCompletedMs,
    cut: figures.cut.length,
    ...(evidence.deadline && { cutByPolicy: figures.byPolicy.length }),
    result: action ? resultOf(action) : restored(active?.at),
    passed: problems.length === 0,
    problems,
    ...(gap && {
      gapMs: gap.until === undefined ? null : gap.until - gap.from,
      newCallsInGap: inGap ?? 0,
    }),
    ...(active && {
      triggerToActiveMs: active.at === undefined ? null : active.at - active.since,
      callsAfterActive: active.calls,
    }),
  }
}

function restored(at: number | undefined): string {
  return at === undefined ? 'not restored' : 'restored'
}

function resultOf(action: { result?: string | undefined; cause?: string | undefined }): string {
  return action.result === undefined ? 'still waiting' : `${action.result} (${action.cause})`
}

function completionProblems(
  action: NonNullable<DrainEvidence['action']>,
  lastByeToCompletedMs: number | null,
): Problem[] {
  if (action.endedAt === undefined)
    return [{ figure: 'result', text: 'the lifecycle action was never completed' }]
  if (action.cause !== 'completed' || action.result !== 'CONTINUE')
    return [
      { figure: 'result', text: `the lifecycle action ended as ${resultOf(action)}, not by our CONTINUE` },
    ]
  if (lastByeToCompletedMs === null || lastByeToCompletedMs < 0)
    return [{ figure: 'lastByeToCompletedMs', text: 'CONTINUE came before the last BYE' }]
  return []
}

/** The last BYE that the server saw; undefined when one of its answered calls never got one. */
function lastByeOf({ server }: DrainEvidence, { calls }: Records): number | undefined {
  const answered = calls.filter((call) => call.server === server && call.answeredAt !== undefined)
  if (answered.length === 0 || answered.some(({ byeAtServerAt }) => byeAtServerAt === undefined))
    return undefined
  return Math.max(...answered.map(({ byeAtServerAt = 0 }) => byeAtServerAt))
}

function activeAgain(evidence: DrainEvidence, { calls, flagsOf }: Records) {
  const { restoreAt: since, edges, server, triggeredAt } = evidence
  if (since === undefined) return undefined
  const at = restoredEverywhere(flagsOf(evidence.destination), edges, since, triggeredAt)
  const got = at === undefined ? 0 : invitesBetween(calls, server, at, evidence.watchedUntil)
  return { since, at, calls: got, problems: activeProblems(at, got, 'the flags that it had before') }
}

function activeProblems(at: number | undefined, calls: number, what: string): Problem[] {
  if (at === undefined) return [{ figure: 'triggerToActiveMs', text: `not every edge came to show ${what}` }]
  if (calls === 0) return [{ figure: 'callsAfterActive', text: 'it got no call after it was active again' }]
  return []
}

/** Which edge showed what at that moment, in words. */
function open(evidence: Evidence, records: Records, at: number): string {
  return evidence.edges
    .map((edge) => {
      const flags = shownAt(records.flagsOf(evidence.destination), edge, at)
      const shown = flags && [...flags].map(([set, text]) => `${text} in set ${set}`).join(', ')
      return `${edge} shows ${shown ?? 'nothing'}`
    })
    .join('; ')
}

function judgeLaunch(evidence: LaunchEvidence, records: Records): ScenarioReport {
  const { server, edges, launchedAt, action } = evidence
  const history = records.flagsOf(evidence.destination)
  const retiredAt = disabledEverywhere(history, edges, launchedAt - reloadShowsMs)
  const retiredUntilLaunch = retiredAt !== undefined && retiredAt <= launchedAt
  const at = activeEverywhere(history, edges, launchedAt)
  const calls = at === undefined ? 0 : invitesBetween(records.calls, server, at, evidence.watchedUntil)
  const cut = records.calls.filter((call) => call.server === server && call.outcome === 'cut').length
  const problems: Problem[] = [
    ...(retiredUntilLaunch
      ? []
      : [{ figure: 'retired', text: `before the launch: ${open(evidence, records, launchedAt)}` }]),
    ...activeProblems(at, calls, 'it active'),
    ...(action.result === 'CONTINUE' && action.cause === 'completed'
      ? []
      : [{ figure: 'result', text: `the launch ended as ${resultOf(action)}, not by our CONTINUE` }]),
    ...(cut > 0 ? [{ figure: 'cut', text: `${cut} calls were cut` }] : []),
    ...evidence.problems,
  ]
  return {
    name: evidence.scenario,
    kind: 'launch',
    machine: evidence.machine,
    destination: evidence.destination,
    callsAtStart: null,
    triggerToConfirmedMs: null,
    newCallsAfterConfirmation: null,
    callsPlacedAfterConfirmation: null,
    lastByeToCompletedMs: null,
    cut,
    result: resultOf(action),
    passed: problems.length === 0,
    problems,
    triggerToActiveMs: at === undefined ? null : at - launchedAt,
    callsAfterActive: calls,
  }
}
