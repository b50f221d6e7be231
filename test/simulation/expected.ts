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
    case: 'R16, R17, R18: forgotten payload, row or group',
    rules: [
      'heartbeats come in time',
      'no drain outlives its hold',
      'no mark outlives its reason',
      'every action ends',
      'twice is once',
      'no message is lost',
    ],
    after: [['newer payload', 'row lost', 'group deleted']],
    reason: 'a step that does not know its payload, row or group sends no heartbeat and never ends',
  },
  {
    case: 'R15: events first',
    rules: [
      'every action ends',
      'no drain outlives its hold',
      'no message is lost',
      'heartbeats come in time',
    ],
    after: [['events refused']],
    reason: 'an event that is refused stops what it tells of',
  },
  {
    case: 'a completion that is given up',
    rules: ['heartbeats come in time'],
    after: [['completions refused']],
    reason:
      'ten refused completions, a minute and a half, end the heartbeats: the default result of the hook decides',
  },
  {
    case: 'M4: a launch that EC2 does not show yet',
    rules: [...shown, 'no mark outlives its reason', 'no lifting stays undone', 'held is disabled'],
    after: [['address recycled'], ['launch not shown']],
    reason: 'what EC2 does not know yet is taken for gone, or for listed nowhere: its launch ends no mark',
  },
  {
    case: 'a launch that is told late ends the mark of its own machine',
    rules: ['held is disabled', 'the guard agrees', 'no record outlives its reason', 'an answer is true'],
    after: [['launch told late']],
    reason: 'admitting a launch lifts every mark of the address, also one that is younger than the launch',
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
    case: 'R6, R7, R10: two writers of a hold',
    rules: ['no drain outlives its hold'],
    after: [['broken run', 'runs side by side', 'written in trouble']],
    what: '^alarm/',
    reason:
      'an ALARM that is still at work places its hold again after its OK; a start that fails leaves a record behind',
  },
  {
    case: 'a mark is lifted more than once',
    rules: ['no lifting stays undone'],
    after: [['address recycled'], ['broken run', 'runs side by side', 'written in trouble']],
    what: '^retired ',
    reason: 'a run that restores begins the lifting again after another has finished it',
  },
  {
    case: "an operator's or alarm's hold of what is gone",
    rules: ['no mark outlives its reason'],
    what: '^(operator|alarm) ',
    reason: 'only retired marks are ended with their machine; a drain that ended before leaves its hold',
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
