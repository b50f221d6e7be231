import type { CallRecord } from '../sip/call-record.ts'
import type { Problem } from './evidence.ts'
import { isTooSlow, type LostTime, lostTimeText } from './lost-time.ts'
import type { ScenarioReport } from './referee.ts'

/** `report.json` of a run. */
export interface Report {
  /** every promise held */
  readonly passed: boolean
  /** not passed, and nobody can tell whether for anything but want of time */
  readonly tooSlow: boolean
  readonly lostTime: LostTime
  readonly startedAt: string
  readonly seconds: number
  readonly sabotage: string | null
  readonly kamailioVersions: readonly string[]
  readonly edges: readonly string[]
  readonly failoverWindowMs: number
  readonly calls: {
    readonly placed: number
    readonly answered: number
    /** placed, and ended by anything but the script before they were answered */
    readonly failed: number
    /** answered, and ended by anything but the scripted BYE that both ends saw */
    readonly cut: number
  }
  readonly scenarios: readonly ScenarioReport[]
  /** what no single scenario is to blame for */
  readonly problems: readonly Problem[]
}

export interface ReportInput {
  readonly startedAt: number
  readonly endedAt: number
  readonly sabotage?: string | undefined
  /** edge → `kamailio 6.1.5 (x86_64/Linux)` */
  readonly kamailioVersions: Readonly<Record<string, string>>
  readonly failoverWindowMs: number
  /** the calls of this run only */
  readonly calls: readonly CallRecord[]
  readonly scenarios: readonly ScenarioReport[]
  /** scenarios that broke off, each with its error */
  readonly broken: readonly Problem[]
  /** what somebody other than our functions did to the edges */
  readonly strangers: readonly Problem[]
  readonly lostTime: LostTime
}

/**
 * Puts a run together. Nothing is passed over: a call that never ended and a scenario that broke off are
 * problems.
 */
export function makeReport(input: ReportInput): Report {
  const counted = (outcome: CallRecord['outcome']) =>
    input.calls.filter((call) => call.outcome === outcome).length
  const calls = {
    placed: input.calls.filter(({ placedAt }) => placedAt !== undefined).length,
    answered: input.calls.filter(({ answeredAt }) => answeredAt !== undefined).length,
    failed: counted('failed'),
    cut: counted('cut'),
  }
  const unfinished = counted('up') + counted('ringing')
  const reasons = (outcome: CallRecord['outcome']) => [
    ...new Set(input.calls.filter((call) => call.outcome === outcome).map(({ why }) => why)),
  ]
  const problems: Problem[] = [
    ...(calls.failed > 0
      ? [{ figure: 'calls.failed', text: `${calls.failed} calls failed: ${reasons('failed').join('; ')}` }]
      : []),
    ...(calls.cut > 0
      ? [{ figure: 'calls.cut', text: `${calls.cut} calls were cut: ${reasons('cut').join('; ')}` }]
      : []),
    ...(unfinished > 0
      ? [{ figure: 'calls', text: `${unfinished} calls had not ended when the run was over` }]
      : []),
    ...input.broken,
    ...input.strangers,
  ]
  const passed =
    problems.length === 0 &&
    input.scenarios.length > 0 &&
    input.scenarios.every((scenario) => scenario.passed)
  // Whatever the machine: nobody else writes to an edge, and no scenario throws.
  const isForTimeAlone = input.strangers.length + input.broken.length === 0
  const seconds = Math.round((input.endedAt - input.startedAt) / 100) / 10
  return {
    passed,
    tooSlow: !passed && isForTimeAlone && isTooSlow(input.lostTime, seconds),
    lostTime: input.lostTime,
    startedAt: new Date(input.startedAt).toISOString(),
    seconds,
    sabotage: input.sabotage ?? null,
    kamailioVersions: [...new Set(Object.values(input.kamailioVersions).map(versionNumber))],
    edges: Object.keys(input.kamailioVersions),
    failoverWindowMs: input.failoverWindowMs,
    calls,
    scenarios: input.scenarios,
    problems,
  }
}

function versionNumber(text: string): string {
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text.trim()
}

/** What held and what did not, in plain words, one line each. */
export function inWords(report: Report): string[] {
  const drains = report.scenarios.filter(({ kind }) => kind === 'drain')
  const broken = [
    ...report.problems.map(({ figure, text }) => `  not held  ${figure}: ${text}`),
    ...report.scenarios.flatMap(({ name, problems }) =>
      problems.map(({ figure, text }) => `  not held  ${name}: ${figure}: ${text}`),
    ),
  ]
  const held = report.scenarios
    .filter(({ passed }) => passed)
    .map((scenario) => `  held      ${sentence(scenario)}`)
  const { placed, answered, failed, cut } = report.calls
  return [
    ...held,
    ...broken,
    `${placed} calls placed, ${answered} answered, ${failed} failed, ${cut} cut; ${drains.length} drains on Kamailio ${report.kamailioVersions.join(', ')}.`,
    verdictOf(report),
  ]
}

/** 0: every promise held; 1: not every promise; 3: this machine was too slow to judge. */
export function exitCodeOf({ passed, tooSlow }: Pick<Report, 'passed' | 'tooSlow'>): number {
  if (passed) return 0
  return tooSlow ? 3 : 1
}

/** In a sentence. */
export function verdictOf({ passed, tooSlow, lostTime, seconds: ran }: Report): string {
  if (passed) return 'Every promise held.'
  if (!tooSlow) return 'Not every promise held.'
  return `This machine was too slow to judge: ${lostTimeText(lostTime, ran)}. Run it again when less goes on.`
}

function sentence(scenario: ScenarioReport): string {
  const { name, machine } = scenario
  const ms = (value: number | null | undefined) =>
    value === null || value === undefined ? '-' : seconds(value)
  if (scenario.kind === 'launch')
    return `${name}: ${machine} active again after ${ms(scenario.triggerToActiveMs)}, and it gets calls`
  const parts = [
    `${scenario.callsAtStart} calls up`,
    `disabled everywhere after ${ms(scenario.triggerToConfirmedMs)}`,
    `${scenario.newCallsAfterConfirmation} of ${scenario.callsPlacedAfterConfirmation} calls came to it after that`,
    ...(scenario.gapMs === undefined
      ? []
      : [`${scenario.newCallsInGap} in the ${ms(scenario.gapMs)} after the edge's restart, none cut`]),
    ...(scenario.lastByeToCompletedMs === null
      ? [`back after ${ms(scenario.triggerToActiveMs)}`]
      : [`CONTINUE ${ms(scenario.lastByeToCompletedMs)} after the last BYE`]),
  ]
  return `${name} (${machine}): ${parts.join('; ')}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
