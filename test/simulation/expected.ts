import type { Rule, Violation } from './referee.ts'

/** A violation that is known, with why it is there still. Any other fails the run. */
export interface Expected {
  readonly rule: Rule
  /** what the violation's text must match as well */
  readonly what?: string
  readonly case: string
  readonly reason: string
}

export function expectedBy({ rule, what }: Violation, list: readonly Expected[]): Expected | undefined {
  return list.find((expected) => expected.rule === rule && new RegExp(expected.what ?? '').test(what))
}

/** What can only be mended when one writer makes the edges as they are wanted; that work empties this list. */
export const expectedViolations: readonly Expected[] = []
