import type { Circumstance } from './circumstances.ts'
import type { Rule, Violation } from './findings.ts'
import type { IncidentKind } from './incidents.ts'

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

/** What is not mended yet, by cause. The work that mends a cause takes its entry away. */
export const expectedViolations: readonly Expected[] = []
