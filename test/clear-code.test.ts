import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Diagnostic, lintPlanted, lintTimeoutMs } from './planted.ts'

const rooms = ['functions/control', 'functions/aws', 'lib', 'cli', 'lab', 'bench', 'test']

/** What can hold functions: how each begins and ends. */
const holders: Record<string, readonly [begin: string, end: string]> = {
  function: ['export function holder(use: (value: unknown) => void): void {', '}'],
  'function expression': ['export const holder = function own(use: (value: unknown) => void): void {', '}'],
  'arrow function': ['export const holder = (use: (value: unknown) => void): void => {', '}'],
  method: ['export class Holder { hold(use: (value: unknown) => void): void {', '} }'],
  'class constructor': ['export class Holder { constructor(use: (value: unknown) => void) {', '} }'],
  getter: ['export class Holder { get held() { const use = (value: unknown) => value', '} }'],
  "object's getter": ['export const holder = { get held() { const use = (value: unknown) => value', '} }'],
  "object's method": ['export const holder = { hold(use: (value: unknown) => void): void {', '} }'],
}
/** Of so many lines, all but two of them in two functions that it holds. */
function holderOf([begin, end]: readonly [string, string], lines: number): readonly string[] {
  const held = (length: number) => [
    '  use(() => {',
    ...Array.from({ length: length - 2 }, (_, line) => `    use(${line})`),
    '  })',
  ]
  return [begin, ...held(30), ...held(lines - 32), end]
}

/** Files of tests: what holds tests is as long as they are, and each of them is a function like others. */
const suites: Record<string, readonly [begin: string, end: string]> = {
  test: ["test('', () => {", '})'],
  it: ["  it('', () => {", '  })'],
  'test.each': ["test.each([1])('', () => {", '})'],
  hook: ['beforeAll(() => {', '})'],
}
const suiteOf = ([begin, end]: readonly [string, string], lines: number): readonly string[] => [
  "describe('', () => {",
  ...Array.from({ length: 70 }, (_, line) => `  it('${line}', () => expect(${line}).toBe(${line}))`),
  begin,
  ...Array.from({ length: lines - 2 }, (_, line) => `  expect(${line}).toBe(${line})`),
  end,
  '})',
]

/** What is hard to read, by the rule that refuses it. */
const unclear: Record<string, readonly string[]> = {
  'lint/style/noNestedTernary': ["export const size = (n: number) => (n > 9 ? 'l' : n > 3 ? 'm' : 's')"],
  'lint/style/useDefaultSwitchClause': [
    "export function act(on: 'a' | 'b', use: (word: string) => void): void {",
    "  switch (on) { case 'a': use('a') }",
    '}',
  ],
}

const root = join(import.meta.dirname, '..')
let diagnostics: readonly Diagnostic[] = []

beforeAll(() => {
  const planted = rooms.flatMap((room) =>
    Object.values(unclear).map((lines, index) => [`${room}/unclear-${index}.ts`, lines] as const),
  )
  diagnostics = lintPlanted([
    ...planted,
    ...rooms.flatMap((room) =>
      Object.values(holders).flatMap((holder, index) => [
        [`${room}/holder-${index}.ts`, holderOf(holder, 71)] as const,
        [`${room}/holder-${index}-long-enough.ts`, holderOf(holder, 70)] as const,
      ]),
    ),
    ...Object.values(suites).flatMap((suite, index) => [
      [`test/suite-${index}.test.ts`, suiteOf(suite, 71)] as const,
      [`test/suite-${index}-long-enough.test.ts`, suiteOf(suite, 70)] as const,
    ]),
  ])
}, lintTimeoutMs)

const found = (path: string, category: string) =>
  diagnostics.filter((each) => each.location.path === path && each.category === category)

describe.each(rooms)('in %s', (room) => {
  it.each(Object.keys(unclear).map((rule, index) => [rule, index] as const))('%s holds', (rule, index) => {
    expect(found(`${room}/unclear-${index}.ts`, rule)).toHaveLength(1)
  })
})

describe.each(rooms)(
  'in %s a function has 70 lines at most, with those of the functions that it holds',
  (room) => {
    it.each(Object.keys(holders).map((form, index) => [form, index] as const))('as a %s', (_, index) => {
      expect(found(`${room}/holder-${index}.ts`, 'plugin')).toHaveLength(1)
      expect(found(`${room}/holder-${index}-long-enough.ts`, 'plugin')).toEqual([])
    })
  },
)

describe('a `describe` has as many lines as its tests', () => {
  it.each(Object.keys(suites).map((form, index) => [form, index] as const))(
    'and each %s in it 70 at most',
    (_, index) => {
      expect(found(`test/suite-${index}.test.ts`, 'plugin')).toMatchObject([
        { location: { start: { line: 72 } } },
      ])
      expect(found(`test/suite-${index}-long-enough.test.ts`, 'plugin')).toEqual([])
    },
  )
})

describe('the tree', () => {
  const filesOf = (...patterns: readonly string[]) =>
    spawnSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' })
      .stdout.split('\n')
      .filter((path) => path !== '' && existsSync(join(root, path)))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const sources = filesOf('*.ts')

  it('lets no switch of the deployed code leave out a case: its default takes what is never', () => {
    const deployed = sources.filter(({ path }) => /^(functions|lib|cli)\//.test(path))
    const openSwitches = ({ text }: { readonly text: string }) =>
      count(text, /\bswitch \(/g) - count(text, /default:\s+return .+ satisfies never\n/g)
    expect(deployed.reduce((total, { text }) => total + count(text, /\bswitch \(/g), 0)).toBeGreaterThan(0)
    expect(deployed.filter((source) => openSwitches(source) !== 0).map(({ path }) => path)).toEqual([])
  })

  it('has no comment beyond column 110, but for samples, tables and addresses', () => {
    const others = filesOf('*.cfg', '*.lua', '*.py', '*.xml', '.ci/run')
    expect(others.map(({ path }) => path)).toContain('.ci/run')
    // In XML and in Python a line of a comment begins with a letter.
    const comment = /^\s*(\/\/|\/?\*|# |--|"""|[A-Z][a-z`']+ [a-z`])/
    const sample = /^\s*(\/\/|\/?\*{1,2}|#|--)?\s*`?([|"]|\{[^@])|https?:/
    const long = [...sources, ...others].flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => line.length > 110 && comment.test(line) && !sample.test(line))
        .map((line) => `${path}: ${line}`),
    )
    expect(long).toEqual([])
  })

  it('silences none of these rules', () => {
    const silenced = /biome-ignore\S* lint\/\S*(noNestedTernary|useDefaultSwitchClause|plugin)/
    expect(sources.filter(({ text }) => silenced.test(text)).map(({ path }) => path)).toEqual([])
  })
})

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}
