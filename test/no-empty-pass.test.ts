import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const loop = 'of an empty list every expectation holds: loop over some(list)'
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
  ['expect(list[0]?.end).toBeUndefined()', part],
  ['expect(list.find((one) => one.is)?.end).toBe(undefined)', part],
  ['expect(list[0]?.end).not.toBe(1)', part],
  ['expect(list[0]?.end).toBe(1)', undefined],
  ['expect(list[0].end).toBeUndefined()', undefined],
  ['world.edges[0]?.callTo(list)', edge],
  ['const [a] = world.edges; expect(a).toBe(1)', edge],
  ['world.edge("edge-a").callTo(list)', undefined],
  ['if (list) expect(list).toBe(1)', condition],
]

test('what would let a test pass empty is refused', () => {
  const root = join(import.meta.dirname, '..')
  const copy = mkdtempSync(join(tmpdir(), 'no-empty-pass-'))
  try {
    for (const file of ['biome.json', 'no-ambient-effects.grit', 'no-empty-pass.grit', '.gitignore'])
      cpSync(join(root, file), join(copy, file))
    mkdirSync(join(copy, 'test'))
    const lines = planted.map(([line]) => `test('a', () => { ${line} })`)
    writeFileSync(join(copy, 'test/planted.test.ts'), `${lines.join('\n')}\n`)
    const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.']
    const run = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 30_000 })
    const diagnostics: readonly Diagnostic[] = JSON.parse(run.stdout).diagnostics
    const found = planted.map(([line], index) => [
      line,
      diagnostics.find(({ location }) => location.start.line === index + 1)?.message,
    ])
    expect(found).toEqual(planted)
  } finally {
    rmSync(copy, { recursive: true })
  }
})

interface Diagnostic {
  readonly message: string
  readonly location: { readonly start: { readonly line: number } }
}
