import type { CallRecord } from './call-ledger.ts'
import type { FlagChange } from './flag-watch.ts'

/** One thing that did not hold: the figure of the report that shows it, and the words for people. */
export interface Problem {
  readonly figure: string
  readonly text: string
}

/** How the lifecycle action of a drain ended, by the simulator. */
export interface ActionEvidence {
  readonly endedAt: number | undefined
  readonly result: 'CONTINUE' | 'ABANDON' | undefined
  /** `completed` is our function's doing; anything else is not */
  readonly cause: string | undefined
}

/** A deadline that calls outlasted. All times are Unix ms. */
export interface DeadlineEvidence {
  readonly at: number
  readonly choice: 'retain' | 'end-calls' | 'terminate'
  /** when the machine of a retained instance was gone */
  readonly goneAt?: number | undefined
}

/** What the lab itself saw of one drain. All times are Unix ms. */
export interface DrainEvidence {
  readonly kind: 'drain'
  readonly scenario: string
  readonly destination: string
  /** the machine, e.g. `ms-1` */
  readonly machine: string
  /** its SIP server in the ledger */
  readonly server: string
  readonly edges: readonly string[]
  readonly triggeredAt: number
  /** the lifecycle action; undefined for an operator's or alarm's drain */
  readonly action?: ActionEvidence
  /** when the OK or the activate was sent, that gives the server back */
  readonly restoreAt?: number
  /** an edge that was restarted after the confirmation, and when that began */
  readonly restart?: { readonly edge: string; readonly at: number }
  /** what its group's policy has to decide on, as calls outlast the deadline */
  readonly deadline?: DeadlineEvidence
  /** until when the scenario was watched */
  readonly watchedUntil: number
  /** what the scenario found besides the calls */
  readonly problems: readonly Problem[]
}

/** What the lab saw of one launch on the address of a machine that was drained before. */
export interface LaunchEvidence {
  readonly kind: 'launch'
  readonly scenario: string
  readonly destination: string
  readonly machine: string
  readonly server: string
  readonly edges: readonly string[]
  readonly launchedAt: number
  readonly action: ActionEvidence
  readonly watchedUntil: number
  readonly problems: readonly Problem[]
}

export type Evidence = DrainEvidence | LaunchEvidence

/** One scenario in the report. A figure is null where it does not apply, or could not be reached: `problems` then says so. */
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

/** So long a reload may show an edge's file instead of its states; the drain guard keeps calls away meanwhile. */
export const reloadShowsMs = 2000

/** What the referee needs to know of the world to judge. */
export interface Records {
  readonly calls: readonly CallRecord[]
  readonly flagsOf: (uri: string) => readonly FlagChange[]
}

type Flags = ReadonlyMap<number, string> | undefined

export function isDisabled(flags: Flags): boolean {
  return flags !== undefined && flags.size > 0 && [...flags.values()].every((text) => text.startsWith('D'))
}

function isActive(flags: Flags): boolean {
  return flags !== undefined && flags.size > 0 && [...flags.values()].every((text) => text.startsWith('A'))
}

/** @returns the first moment at or after `since` at which what every edge showed last fulfils `holds`. */
export function firstEverywhere(
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

/** @returns the first moment at or after `since` at which every edge shows it disabled in every group that lists it. */
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
    return [...flags].every(([group, text]) => before.get(group) === text)
  })
}

/** @returns the first moment at or after `since` at which every edge shows it active in every group that lists it. */
export function activeEverywhere(history: readonly FlagChange[], edges: readonly string[], since: number) {
  return firstEverywhere(history, edges, since, isActive)
}

/** What an edge showed last at that moment. */
export function shownAt(history: readonly FlagChange[], edge: string, at: number): Flags {
  return history.findLast((change) => change.edge === edge && change.at <= at)?.flags
}

/** Answered calls that the server had at that moment. */
export function callsUp(calls: readonly CallRecord[], server: string, at: number): number {
  return calls.filter(
    (call) =>
      call.server === server &&
      call.answeredAt !== undefined &&
      call.answeredAt <= at &&
      (call.byeAtServerAt === undefined || call.byeAtServerAt > at),
  ).length
}

/** INVITEs that the server itself got after `from` and not after `until`. */
export function invitesBetween(
  calls: readonly CallRecord[],
  server: string,
  from: number,
  until: number,
): number {
  return calls
    .flatMap(({ invites }) => invites)
    .filter((invite) => invite.server === server && invite.at > from && invite.at <= until).length
}

/** Calls that any caller placed, through any edge. */
export function placedBetween(calls: readonly CallRecord[], from: number, until: number): number {
  return calls.filter(({ placedAt }) => placedAt !== undefined && placedAt > from && placedAt <= until).length
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
