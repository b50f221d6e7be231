import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Diagnostic, lintPlanted, lintTimeoutMs } from './planted.ts'

const rooms = ['functions/control', 'functions/aws', 'lib', 'cli', 'lab', 'bench', 'test']

const roomsWithoutTests = rooms.filter((room) => room !== 'test')

const tooLong = 'lint/complexity/noExcessiveLinesPerFunction'

const functionOf = (lines: number) => [
  'export function long(use: (line: number) => void): void {',
  ...Array.from({ length: lines }, (_, line) => `  use(${line})`),
  '}',
]

/** What can hold functions: how each begins and ends. */
const holders: Record<string, readonly [begin: string, end: string]> = {
  function: ['export function holder(use: (value: unknown) => void): void {', '}'],
  'function expression': ['export const holder = function own(use: (value: unknown) => void): void {', '}'],
  'arrow function': ['export const holder = (use: (value: unknown) => void): void => {', '}'],
  method: ['export class Holder { hold(use: (value: unknown) => void): void {', '} }'],
  'class constructor': ['export class Holder { constructor(use: (value: unknown) => void) {', '} }'],
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

/** What is hard to read, by the rule that refuses it. */
const unclear: Record<string, readonly string[]> = {
  'lint/style/noNestedTernary': ["export const size = (n: number) => (n > 9 ? 'l' : n > 3 ? 'm' : 's')"],
  'lint/style/useDefaultSwitchClause': [
    "export function act(on: 'a' | 'b', use: (word: string) => void): void {",
    "  switch (on) { case 'a': use('a') }",
    '}',
  ],
  [tooLong]: functionOf(71),
}

const root = join(import.meta.dirname, '..')
let diagnostics: readonly Diagnostic[] = []

beforeAll(() => {
  const planted = rooms.flatMap((room) =>
    Object.values(unclear).map((lines, index) => [`${room}/unclear-${index}.ts`, lines] as const),
  )
  diagnostics = lintPlanted([
    ...planted,
    ...roomsWithoutTests.flatMap((room) =>
      Object.values(holders).flatMap((holder, index) => [
        [`${room}/holder-${index}.ts`, holderOf(holder, 71)] as const,
        [`${room}/holder-${index}-long-enough.ts`, holderOf(holder, 70)] as const,
      ]),
    ),
    ['lib/long-enough.ts', functionOf(70)],
    ['test/suite.test.ts', functionOf(71)],
  ])
}, lintTimeoutMs)

const found = (path: string, category: string) =>
  diagnostics.filter((each) => each.location.path === path && each.category === category)

describe.each(rooms)('in %s', (room) => {
  it.each(Object.keys(unclear).map((rule, index) => [rule, index] as const))('%s holds', (rule, index) => {
    expect(found(`${room}/unclear-${index}.ts`, rule)).toHaveLength(1)
  })
})

it('a function may have 70 lines, and the `describe` of a file of tests more', () => {
  expect(found('lib/long-enough.ts', tooLong)).toEqual([])
  expect(found('test/suite.test.ts', tooLong)).toEqual([])
})

describe.each(roomsWithoutTests)('in %s the functions that it holds count too', (room) => {
  it.each(Object.keys(holders).map((form, index) => [form, index] as const))('of a %s', (_, index) => {
    expect(found(`${room}/holder-${index}.ts`, 'plugin')).toHaveLength(1)
    expect(found(`${room}/holder-${index}-long-enough.ts`, 'plugin')).toEqual([])
  })
})

describe('the tree', () => {
  const filesOf = (...patterns: readonly string[]) =>
    spawnSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' })
      .stdout.split('\n')
      .filter((path) => path !== '' && existsSync(join(root, path)))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const sources = filesOf('*.ts')

  it('has no test over 70 lines: the lint rule leaves files of tests out, for the sake of `describe`', () => {
    const tests = sources
      .filter(({ path }) => path.startsWith('test/'))
      .flatMap(({ path, text }) => testsIn(text).map((one) => ({ path, ...one })))
    expect(tests.length).toBeGreaterThan(500)
    expect(tests.filter(({ length }) => length > 70)).toEqual([])
  })

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
    const silenced =
      /biome-ignore\S* lint\/\S*(noNestedTernary|useDefaultSwitchClause|noExcessiveLines|plugin)/
    expect(sources.filter(({ text }) => silenced.test(text)).map(({ path }) => path)).toEqual([])
  })
})

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}

/** A test ends where a bracket is closed at the indentation at which it began, as the formatter has it. */
function testsIn(text: string): { readonly line: number; readonly length: number }[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const indentation = /^( *)(?:it|test)[.(]/.exec(line)?.[1]
    if (indentation === undefined) return []
    const closing = new RegExp(`^${indentation}[})]+(, [\\d_]+\\))?$`)
    const isOpen = /[({[]$/.test(line)
    const end = isOpen ? lines.findIndex((other, at) => at > index && closing.test(other)) : index
    return [{ line: index + 1, length: (end === -1 ? lines.length : end + 1) - index }]
  })
}
