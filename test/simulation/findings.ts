import { type About, type IncidentKind, leadingTo } from './incidents.ts'
import type { History } from './observed.ts'

/** What a history broke, by the name of the rule. */
export interface Violation {
  readonly rule: Rule
  readonly what: string
  readonly about: About
  /** what happened to whom it is about, since it was right */
  readonly after: readonly IncidentKind[]
}

/**
 * Whom a rule is applied to: seen at a time, and right since another, unless that is when it was last seen
 * right.
 */
export type Subject = Omit<About, 'since'> & { readonly since?: number; readonly name?: string }
export interface Judgement {
  readonly violations: readonly Violation[]
  /** what nobody can decide in this history, by its kind */
  readonly undecidable: readonly string[]
  /** how often each rule was applied to something */
  readonly applied: ReadonlyMap<Rule, number>
}

export const rules = {
  'no call is cut': 'no CONTINUE and no termination while a call is up, before the deadline',
  'no call is ended': 'no BYE of ours but by the policy',
  'every action ends':
    'a lifecycle action whose message came is completed, by the deadline where the policy decides',
  'an empty drain ends soon':
    'an action whose machine has no calls any more is completed within minutes, where nothing goes wrong',
  'nothing is missed':
    'what waits at our hooks, is retained, or has lost its reason is seen to within minutes, without its message or execution',
  'heartbeats come in time': 'no lifecycle action whose message came expires',
  'held is disabled': 'after two minutes of calm nothing is open that a hold is for',
  'free is given back': 'after two minutes of calm nothing is disabled without a hold',
  'former flags are exact': 'what is given back shows what it would have shown had we never touched it',
  'nothing is opened that we did not close': 'no write of ours enables what the list or a hand disabled',
  'nothing is written after its run': 'no function that has ended writes to an edge, also when it is thawed',
  'the guard agrees': "after two minutes of calm the guard's table has what is held and nothing else",
  'no record outlives its reason': 'no record of former flags stays of what nothing holds',
  'no mark outlives its reason':
    'no hold stays of a machine that is gone and listed nowhere, or whose address another has',
  'no lifting stays undone': 'no lifted hold waits for its restoring after two minutes of calm',
  'no drain outlives its hold':
    'no drain goes on for a hold that was lifted, and none is claimed and never begun',
  'twice is once': 'a drain has one running execution, and an action is completed once',
  'a history stays short': "an execution's history has at most 20,000 events",
  'an answer is true':
    'a command that was answered without a word of a problem shows on its edges what the answer says',
  'the floors are kept':
    'no drain by choice begins that takes more than floors and limit leave, by whatever list of two minutes',
  'a freeze is kept':
    'from its answer on no drain by choice begins, and nothing is lifted but by an operator',
  'what waits begins in order':
    'of two drains by choice that take the same the later one does not begin first',
  'what waits begins by itself': 'after two minutes of calm nothing waits that nothing keeps from beginning',
  'a hold keeps to its time':
    'no hold comes before its window begins, or is lifted before its end by itself; none stays for minutes after it',
  'many are each seen to':
    "each member of a command for many is held, waits or is refused; an activate lifts the caller's own alone",
  'a sender keeps to its limit':
    'no sender has more holds than the settings let it, and an unknown one has none',
  'no message is lost': 'a message that can be done is done, and not rejected',
} as const
export type Rule = keyof typeof rules

/** Collects what one history comes to. */
export class Findings implements Judgement {
  readonly violations: Violation[] = []
  readonly undecidable: string[] = []
  readonly applied = new Map<Rule, number>()

  private readonly history: Pick<History, 'startedAt' | 'incidents'>
  private readonly rightAt = new Map<string, number>()

  constructor(history: Pick<History, 'startedAt' | 'incidents'>) {
    this.history = history
  }

  /** The rule is applied to something. */
  check(rule: Rule, holds: boolean, { name, since, ...of }: Subject, what: () => string): void {
    this.applied.set(rule, (this.applied.get(rule) ?? 0) + 1)
    const key = `${rule} ${of.edge} ${of.server} ${name}`
    if (holds) {
      this.rightAt.set(key, of.at)
      return
    }
    const { startedAt, incidents } = this.history
    const about = { ...of, since: since ?? this.rightAt.get(key) ?? startedAt }
    this.violations.push({ rule, what: what(), about, after: leadingTo(about, incidents()) })
  }
}

export function since({ startedAt }: History, at: number): string {
  return `${Math.round((at - startedAt) / 100) / 10} s`
}
