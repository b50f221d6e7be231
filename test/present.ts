/** What a test goes on with. It throws where that is missing, so that no expectation is skipped for it. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`)
  return value
}

/** What expectations are made of, one by one: of an empty list they would all hold. */
export function some<T>(items: Iterable<T>): readonly T[] {
  const list = [...items]
  if (list.length === 0) throw new Error('there is nothing to expect anything of')
  return list
}
