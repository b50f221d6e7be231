const targetKeys = ['destination', 'instance', 'edge', 'group', 'set', 'zone'] as const
export type TargetKey = (typeof targetKeys)[number]

/** What came of a command, in a line. */
export interface CommandInShort {
  readonly id: string
  /** epoch ms: when it was answered */
  readonly at: number
  readonly command: string
  /** `refused`, or what its outcome has */
  readonly result: string
  readonly who: string
  /** what it named: a destination, an instance, an edge, or many */
  readonly on?: string
  /** the key that has it; absent of what was answered before that was kept */
  readonly key?: TargetKey
  readonly because?: string
}

const longest = 300

/** @returns why a command was refused; undefined: it was not */
export function refusalIn({ refused }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof refused === 'string' ? refused : undefined
}

/** @param outcome as it is kept: of what was refused only what could be read is there */
export function commandInShort(
  id: string,
  at: number,
  outcome: Readonly<Record<string, unknown>>,
): CommandInShort {
  const refused = refusalIn(outcome)
  const { command, requestedBy, result, because = refused } = outcome
  const text = (value: unknown) =>
    String(value ?? 'unknown')
      .slice(0, longest)
      .toWellFormed()
  const key = targetKeys.find((each) => (outcome[each] ?? undefined) !== undefined)
  return {
    ...{ id, at, command: text(command), who: text(requestedBy) },
    result: refused === undefined ? text(result) : 'refused',
    ...(key && { on: text(outcome[key]), key }),
    ...(because !== undefined && { because: text(because) }),
  }
}
