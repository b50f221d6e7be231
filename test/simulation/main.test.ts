import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { begun } from './ranges.ts'

test.each([
  ['a file that is no history', '--plan=package.json', 'error: package.json is no history: seed: '],
  ['a file that is not there', '--plan=none.json', "error: none.json can't be read"],
  [
    'a seed that a number can not hold',
    '--seed=99999999999999999999',
    'It must be 9007199254740991 or less.',
  ],
  ['a seed that is no number', '--seed=four', 'It is not a whole number.'],
  ['to shorten without a history', '--shrink', ofOne('--shrink')],
  ['to keep a history without one', '--keep=none.json', ofOne('--keep')],
  ['the rule to shorten for without a history', '--rule=call', ofOne('--rule')],
  [
    'a rule where nothing is shortened',
    '--seed=1 --rule=call',
    'error: --rule is what --shrink shortens for',
  ],
  ['progress that is none', '--resume=package.json', 'error: package.json is no progress of a run: from: '],
  [
    'a list of expected violations that is none',
    '--expected=package.json',
    'error: package.json is no list of expected violations: ',
  ],
])('%s is refused in one line, and nothing is run', (_, option, line) => expectRefused(option, line))

test.each(['--histories=1', '--from=1', '--workers=1', '--json', '--stop', '--resume=none.json'])(
  '%s with one history is refused in one line, and nothing is run',
  (option) => {
    const [name = option] = option.split('=')
    expectRefused(`--seed=1 ${option}`, `error: ${name} is of many histories: leave out --seed and --plan`)
  },
)

const known = { rules: ['no call is cut'], case: 'C1', reason: 'it is mended tomorrow' }

test.each([
  ['a rule that is none', { ...known, rules: ['no cal is cut'] }, ': 0: rules: 0: '],
  ['a field that nobody reads', { ...known, edge: 'edge-a' }, ': 0: Unrecognized key: "edge"'],
  ['a pattern that is none', { ...known, what: '(' }, ': 0: what: is no regular expression'],
])('an expected violation with %s is refused in one line, and nothing is run', (_, entry, line) => {
  const folder = mkdtempSync(join(tmpdir(), 'expected-'))
  try {
    const file = join(folder, 'expected.json')
    writeFileSync(file, JSON.stringify([entry]))
    expectRefused(`--expected=${file}`, `error: ${file} is no list of expected violations${line}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(['--from=8', '--histories=3'])('%s is refused where the progress is of another run', (option) => {
  const folder = mkdtempSync(join(tmpdir(), 'progress-'))
  try {
    const file = join(folder, 'progress.json')
    writeFileSync(file, JSON.stringify(begun(7, 2)))
    expectRefused(`--resume=${file} ${option}`, `error: ${file} is of --from=7 --histories=2: `)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function ofOne(option: string): string {
  return `error: ${option} is of one history: name it by --seed or --plan`
}

function expectRefused(options: string, line: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), ...options.split(' ')],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  )
  expect(stderr).toContain(line)
  expect({ status, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
    status: 1,
    stdout: '',
    lines: 1,
  })
}
