import type { Circumstance } from './circumstances.ts'
import type { IncidentKind } from './incidents.ts'
import type { Rule, Violation } from './referee.ts'

/** A violation that is known, with why it is there still. Any other fails the run. */
export interface Expected {
  readonly rules: readonly Rule[]
  /** what must have happened to whom it is about, since it was right: one of each list */
  readonly after?: readonly (readonly IncidentKind[])[]
  /** what the whole history must have, one of each list */
  readonly in?: readonly (readonly Circumstance[])[]
  /** what the violation's text must match as well */
  readonly what?: string
  readonly case: string
  readonly reason: string
}

/** @returns the first entry that explains a violation in a history of these circumstances */
export function expectedBy(
  { rule, what, after }: Pick<Violation, 'rule' | 'what' | 'after'>,
  circumstances: readonly Circumstance[],
  list: readonly Expected[],
): Expected | undefined {
  return list.find(
    (expected) =>
      expected.rules.includes(rule) &&
      (expected.after ?? []).every((oneOf) => oneOf.some((each) => after.includes(each))) &&
      (expected.in ?? []).every((oneOf) => oneOf.some((each) => circumstances.includes(each))) &&
      new RegExp(expected.what ?? '').test(what),
  )
}

const shown: readonly Rule[] = [
  'free is given back',
  'former flags are exact',
  'the guard agrees',
  'no record outlives its reason',
]

/** What is not mended yet, by cause. The work that mends a cause takes its entry away. */
export const expectedViolations: readonly Expected[] = [
  {
    case: 'a row that is lost',
    rules: ['no drain outlives its hold', 'every action ends', 'twice is once'],
    after: [['row lost']],
    reason: 'its heartbeats go on, and nothing but its message again ends it',
  },
  {
    case: 'a record stays of what left the list',
    rules: ['no record outlives its reason'],
    after: [['relisted', 'edge comes or goes']],
    what: 'no longer listed there',
    reason: 'records go only with what is given back',
  },
  {
    case: 'R11: absent, and not looked at',
    rules: ['the guard agrees', 'no record outlives its reason'],
    after: [['relisted'], ['address recycled']],
    what: 'is in the guard|nothing holds it',
    reason: 'the end of an absent drain counts as restored, although an edge was written to meanwhile',
  },
  {
    case: 'R12: an edge that was released',
    rules: shown,
    after: [['edge released']],
    reason: 'what we did on a released edge stays on record, and liftings end without it',
  },
  {
    case: 'R3: no guard for what is disabled by others',
    rules: ['the guard agrees'],
    after: [
      ['disabled by the list', 'hand', 'written in trouble'],
      ['restart', 'relisted', 'edge comes or goes'],
    ],
    what: 'not in the guard',
    reason: 'an entry that shows D is nothing to correct, although the guard forgot it with the restart',
  },
  {
    case: 'R13: an old record beats a newer intention',
    rules: ['free is given back', 'former flags are exact', 'nothing is opened that we did not close'],
    after: [
      ['disabled by the list', 'hand'],
      ['reload', 'restart'],
    ],
    reason: 'a record speaks for whatever shows D, also for what a reload has disabled since',
  },
  {
    case: 'R1, R2: what others disabled is opened',
    rules: ['former flags are exact', 'nothing is opened that we did not close'],
    after: [
      ['disabled by the list', 'hand'],
      ['runs side by side somewhere', 'broken run', 'some edge is away'],
    ],
    reason: 'a lifting run drops the record, and another finds D without one and opens it',
  },
  {
    case: 'R4 to R8: two writers',
    rules: shown,
    after: [['runs side by side', 'broken run', 'written in trouble']],
    reason:
      'every trigger writes to the edges by itself: one undoes what another does, or reads what it has half done',
  },
  {
    case: 'R2, R6: two writers, and an edge that is away',
    rules: shown,
    after: [['runs side by side somewhere'], ['edge trouble', 'some edge is away']],
    reason:
      'what an edge missed is done by whoever comes next, beside another who does it for the other edges',
  },
  {
    case: 'R14',
    rules: ['an answer is true'],
    after: [['written in trouble', 'broken run']],
    what: '^the reload ',
    reason: 'what holding again after a reload came to is not in its answer',
  },
  {
    case: 'R6, R7: two writers of a hold',
    rules: ['no drain outlives its hold'],
    after: [['broken run', 'runs side by side', 'written in trouble']],
    what: '^alarm/',
    reason: 'an ALARM that is still at work places its hold again after its OK',
  },
  {
    case: 'R8: what is left at work',
    rules: ['nothing is written after its run'],
    reason:
      'a round that fails does not wait for what else it has begun: frozen, it goes on at the next call',
  },
  {
    case: 'a mark is lifted more than once',
    rules: ['no lifting stays undone'],
    after: [['address recycled'], ['broken run', 'runs side by side', 'written in trouble']],
    what: '^retired ',
    reason: 'a run that restores begins the lifting again after another has finished it',
  },
  {
    case: 'a drain waits for an edge that is gone',
    rules: ['no drain outlives its hold'],
    after: [['edge comes or goes']],
    reason: 'the drain of a lifted hold goes on for as long as an edge that it knew is off the list',
  },
  {
    case: 'a name is not told by its address',
    rules: ['no lifting stays undone', 'no drain outlives its hold'],
    in: [['DNS name']],
    after: [['relisted']],
    reason:
      'what else holds an entry is asked by its URI alone: a hold that has only the address is not found',
  },
]
