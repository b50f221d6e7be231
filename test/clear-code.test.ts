import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const rooms = ['functions/control', 'functions/aws', 'lib', 'lab', 'bench', 'test']

const tooLong = 'lint/complexity/noExcessiveLinesPerFunction'

const functionOf = (lines: number) => [
  'export function long(use: (line: number) => void): void {',
  ...Array.from({ length: lines }, (_, line) => `  use(${line})`),
  '}',
]

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

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string }
}

const root = join(import.meta.dirname, '..')
let diagnostics: Diagnostic[] = []
let copy = ''

/** One run over a copy of the layout: nothing is left in the project. */
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'clear-code-'))
  for (const file of ['biome.json', 'no-ambient-effects.grit', 'no-empty-pass.grit', '.gitignore'])
    cpSync(join(root, file), join(copy, file))
  const plant = (path: string, lines: readonly string[]) => {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), `${lines.join('\n')}\n`)
  }
  for (const room of rooms)
    for (const [index, lines] of Object.values(unclear).entries()) plant(`${room}/unclear-${index}.ts`, lines)
  plant('lib/long-enough.ts', functionOf(70))
  plant('test/suite.test.ts', functionOf(71))
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const run = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 30_000,
  })
  diagnostics = JSON.parse(run.stdout).diagnostics
}, 40_000)
afterAll(() => rmSync(copy, { recursive: true, force: true }))

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

describe('the tree', () => {
  const sources = spawnSync('git', ['ls-files', '*.ts'], { cwd: root, encoding: 'utf8' })
    .stdout.split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

  it('has no test over 70 lines: the lint rule leaves files of tests out, for the sake of `describe`', () => {
    const tests = sources
      .filter(({ path }) => path.startsWith('test/'))
      .flatMap(({ path, text }) => testsIn(text).map((one) => ({ path, ...one })))
    expect(tests.length).toBeGreaterThan(500)
    expect(tests.filter(({ length }) => length > 70)).toEqual([])
  })

  it('lets no switch of the deployed code leave out a case: its default takes what is never', () => {
    const deployed = sources.filter(({ path }) => /^(functions|lib)\//.test(path))
    const openSwitches = ({ text }: { readonly text: string }) =>
      count(text, /\bswitch \(/g) - count(text, /default:\s+return .+ satisfies never\n/g)
    expect(deployed.reduce((total, { text }) => total + count(text, /\bswitch \(/g), 0)).toBeGreaterThan(0)
    expect(deployed.filter((source) => openSwitches(source) !== 0).map(({ path }) => path)).toEqual([])
  })

  it('silences none of these rules', () => {
    const silenced = /biome-ignore\S* lint\/\S*(noNestedTernary|useDefaultSwitchClause|noExcessiveLines)/
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
