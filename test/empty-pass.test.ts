import { expect, it } from 'vitest'
import { lintPlanted, lintTimeoutMs } from './planted.ts'

const list = 'declare const list: readonly { readonly part?: { readonly n: number } }[]'
/** Each would pass, whatever the code does, as soon as its list is empty. */
const empty = [
  'for (const one of list) expect(one).toBe(1)',
  'for (const one of [...list]) expect(one).toBe(1)',
  'expect(list.every((one) => one.part)).toBe(true)',
  'expect(list[0]?.part).toBeUndefined()',
  'expect(list[0]?.part).not.toBe(1)',
  'if (list[0]) expect(list[0]).toBe(1)',
]
const full = [
  'for (const one of some(list)) expect(one).toBe(1)',
  "for (const one of ['a', 'b']) expect(one).toBe('a')",
  'expect(some(list).every((one) => one.part)).toBe(true)',
  "expect(present(list[0], 'first').part).toBeUndefined()",
]
const testOf = (line: string) => [
  "import { expect, it } from 'vitest'",
  "import { present, some } from './present.ts'",
  list,
  `it('a', () => { ${line} })`,
]

it(
  'what passes of an empty list is refused, and what throws then is not',
  () => {
    const path = (line: string) => `test/planted-${[...empty, ...full].indexOf(line)}.test.ts`
    const found = lintPlanted([...empty, ...full].map((line) => [path(line), testOf(line)] as const))
    const refused = (line: string) =>
      found.some(
        ({ location, category }) =>
          location.path === path(line) &&
          ['plugin', 'lint/suspicious/noConditionalExpect'].includes(category),
      )
    expect(empty.filter((line) => !refused(line))).toEqual([])
    expect(full.filter(refused)).toEqual([])
  },
  lintTimeoutMs,
)
