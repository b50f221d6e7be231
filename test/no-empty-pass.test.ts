import { describe, expect, it, test } from 'vitest'
import { lintPlanted, lintTimeoutMs } from './planted.ts'

const loop = 'of an empty list every expectation holds: loop over some(list)'
const every = 'every one of none is as expected: take some(list)'
const none = 'none of none is so: take some(list)'
const part = 'what is missing has no such part either: take it with present()'
const edge = 'nothing is done to an edge that is missing: take world.edge(id)'
const condition = 'Unexpected conditional expect() call.'

/** What is refused, and next to it what is not. Each is a test of its own. */
const planted: readonly (readonly [line: string, message: string | undefined])[] = [
  ['for (const one of list) expect(one).toBe(1)', loop],
  ['for (const one of list.filter(Boolean)) { expect(one, "one").toBe(1) }', loop],
  ['for (const one of some(list)) expect(one).toBe(1)', undefined],
  ['for (const one of [1, 2] as const) expect(one).toBe(1)', undefined],
  ['for (const one of list) one.go()', undefined],
  ['for (const one of [...list]) expect(one).toBe(1)', loop],
  ['list.forEach((one) => { expect(one).toBe(1) })', loop],
  ['list.slice(1).forEach((one, n) => { expect(one, `${n}`).toBe(1) })', loop],
  ['[...list].forEach((one) => { expect(one).toBe(1) })', loop],
  ['some(list).forEach((one) => { expect(one).toBe(1) })', undefined],
  ['list.forEach((one) => { one.go() })', undefined],
  ['expect(list.every((one) => one.end)).toBe(true)', every],
  ['expect(list.every((one) => one.end)).toEqual(true)', every],
  ['expect(list.every((one) => one.end)).toBeTruthy()', every],
  ['expect(some(list).every((one) => one.end)).toBe(true)', undefined],
  ['expect(list.some((one) => one.end)).toBe(false)', none],
  ['expect(list.some((one) => one.end)).toEqual(false)', none],
  ['expect(list.some((one) => one.end)).toBeFalsy()', none],
  ['expect(some(list).some((one) => one.end)).toBe(false)', undefined],
  ['expect(list.some((one) => one.end)).toBe(true)', undefined],
  ['expect(list[0]?.end).toBeUndefined()', part],
  ['expect(list.find((one) => one.is)?.end).toBe(undefined)', part],
  ['expect(list[0]?.end).toEqual(undefined)', part],
  ['expect(list[0]?.end).toBeFalsy()', part],
  ['expect(list[0]?.end).not.toBe(1)', part],
  ['expect(list[0]?.end).toBe(1)', undefined],
  ['expect(list[0].end).toBeUndefined()', undefined],
  ["expect(present(list[0], 'first').end).toBeUndefined()", undefined],
  ['world.edges[0]?.callTo(list)', edge],
  ['world.edges.at(0)?.callTo(list)', edge],
  ['const [a] = world.edges; expect(a).toBe(1)', edge],
  ['const { edges } = world; edges[0]?.callTo(list)', edge],
  ['const { memory, edges: all } = world; all[0]?.callTo(list)', edge],
  ['const { memory } = world; memory.go()', undefined],
  ['world.edge("edge-a").callTo(list)', undefined],
  ['if (list) expect(list).toBe(1)', condition],
]

test(
  'what would let a test pass empty is refused',
  () => {
    const lines = planted.map(([line]) => `test('a', () => { ${line} })`)
    const diagnostics = lintPlanted([['test/planted.test.ts', lines]])
    const found = planted.map(([line], index) => [
      line,
      diagnostics.find(({ location }) => location.start.line === index + 1)?.message,
    ])
    expect(found).toEqual(planted)
  },
  lintTimeoutMs,
)

test.for([
  ['test.each', test.each],
  ['it.each', it.each],
  ['describe.each', describe.each],
] as const)('%s of nothing is refused', ([, each]) => {
  const nothing: readonly number[] = []
  expect(() => each(nothing)).toThrow('there is nothing to test each of')
})
