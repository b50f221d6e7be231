import { describe, test } from 'vitest'

/** `test.each` of an empty list is no test at all, which no report shows: here it ends the file. */
for (const suite of [describe, test]) {
  const { each } = suite
  Object.defineProperty(suite, 'each', {
    value(cases: unknown, ...values: unknown[]) {
      if (Array.isArray(cases) && cases.length === 0) throw new Error('there is nothing to test each of')
      return Reflect.apply(each, this, [cases, ...values])
    },
  })
}
