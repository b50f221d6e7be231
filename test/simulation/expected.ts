import type { Circumstance } from './circumstances.ts'
import type { Rule, Violation } from './referee.ts'

/** A violation that is known, with why it is there still. Any other fails the run. */
export interface Expected {
  readonly rules: readonly Rule[]
  /** what the history must have, one of each list, for it to be this one */
  readonly in?: readonly (readonly Circumstance[])[]
  /** what the violation's text must match as well */
  readonly what?: string
  readonly case: string
  readonly reason: string
}

/** @returns the first entry that explains a violation in a history of these circumstances */
export function expectedBy(
  { rule, what }: Violation,
  circumstances: readonly Circumstance[],
  list: readonly Expected[],
): Expected | undefined {
  return list.find(
    (expected) =>
      expected.rules.includes(rule) &&
      (expected.in ?? []).every((oneOf) => oneOf.some((each) => circumstances.includes(each))) &&
      new RegExp(expected.what ?? '').test(what),
  )
}

const shown: readonly Rule[] = [
  'free is given back',
  'former flags are exact',
  'the guard agrees',
  'no record outlives its reason',
  'nothing is opened that we did not close',
]

/** What is not mended yet, by cause. The work that mends a cause takes its entry away. */
export const expectedViolations: readonly Expected[] = [
  {
    case: 'a row that is lost',
    rules: ['no drain outlives its hold', 'every action ends', 'twice is once'],
    in: [['row lost']],
    reason: 'its heartbeats go on, and nothing but its message again ends it',
  },
  {
    case: 'a launch that EC2 shows late',
    rules: [...shown, 'held is disabled', 'no mark outlives its reason'],
    in: [['address recycled'], ['EC2 is late']],
    reason:
      'what EC2 does not show yet is not asked for again: its launch admits nothing, and its drain takes it for gone',
  },
  {
    case: 'a record stays of what left the list',
    rules: ['no record outlives its reason'],
    in: [['relisted', 'respelled']],
    reason: 'records go only with what is given back',
  },
  {
    case: 'two writers',
    rules: [...shown, 'held is disabled', 'no lifting stays undone'],
    in: [
      [
        'reload or restart',
        'edge trouble',
        'slow edge',
        'function fails',
        'AWS refuses',
        'disabled by the list',
        'hand',
        'fleet changes',
      ],
    ],
    reason:
      'every trigger writes to the edges by itself: one undoes what another does, or reads what it has half done',
  },
  {
    case: 'what is left at work',
    rules: ['nothing is written after its run'],
    in: [['function fails', 'AWS refuses', 'events refused']],
    reason:
      'a round that fails does not wait for what else it has begun: frozen, it goes on at the next call',
  },
  {
    case: 'two writers of a hold',
    rules: ['no drain outlives its hold'],
    in: [['alarm'], ['edge trouble', 'slow edge', 'reload or restart']],
    reason: 'an ALARM that is still at work places its hold again after its OK',
  },
]
