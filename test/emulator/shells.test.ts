import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { debianRoot, shells } from '../../lab/programs/debian-root.ts'
import { loader } from '../../lab/programs/provision.ts'

const folder = mkdtempSync(join(tmpdir(), 'kdc-'))
const kdc = join(folder, 'kdc')
let root: string

beforeAll(async () => {
  root = await debianRoot(shells, console.log)
  const program = join(import.meta.dirname, '../../cli/kdc.ts')
  writeFileSync(kdc, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(kdc, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What such a shell prints that has taken its script. It finds no other kdc and no rc file. */
function inShell(shell: string, flags: readonly string[], words: (script: string) => string): string {
  const script = join(folder, `completion.${shell}`)
  writeFileSync(script, execFileSync(kdc, ['completion', shell]))
  const [program = '', ...before] = [...loader(root), join(root, 'usr/bin', shell), ...flags]
  const env = { PATH: [folder, process.env['PATH']].join(delimiter), HOME: folder, TERM: 'dumb' }
  return execFileSync(program, [...before, '-c', words(script)], { env, encoding: 'utf8' })
}

test('zsh takes its script, asks kdc, and gets what it has', () => {
  const words = (script: string) =>
    [
      `module_path=(${root}/usr/lib/*/zsh/*(/)) fpath=(${root}/usr/share/zsh/functions/*(/))`,
      `autoload -Uz compinit && compinit -u -D && . ${script} && print $_comps[kdc]`,
      // What the line editor hands a completion function, and takes from it.
      'compadd() { shift 2; print -l -- $@ }',
      'words=(kdc get dest) CURRENT=3 PREFIX=dest; _kdc',
      'words=(kdc hist) CURRENT=2 PREFIX=hist; _kdc',
    ].join('; ')
  expect(inShell('zsh', ['-f'], words)).toBe('_kdc\ndestinations\nhistory\n')
})

test('fish takes its script, asks kdc, and gets what it has', () => {
  const words = (script: string) => `source ${script}; complete -C 'kdc get dest'; complete -C 'kdc hist'`
  expect(inShell('fish', ['-N'], words)).toBe('destinations\nhistory\n')
})
