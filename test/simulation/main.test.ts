import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each([
  ['a file that is no history', '--plan=package.json', 'error: package.json is no history: seed: '],
  ['a file that is not there', '--plan=none.json', "error: none.json can't be read"],
  [
    'a seed that a number can not hold',
    '--seed=99999999999999999999',
    'It must be 9007199254740991 or less.',
  ],
  ['a seed that is no number', '--seed=four', 'It is not a whole number.'],
  [
    'to shorten without a history',
    '--shrink',
    'error: --shrink is of one history: name it by --seed or --plan',
  ],
])('%s is refused in one line, and nothing is run', (_, option, line) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), option],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  )
  expect(stderr).toContain(line)
  expect({ status, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
    status: 1,
    stdout: '',
    lines: 1,
  })
})
