import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Diagnostic {
  readonly category: string
  readonly message: string
  readonly location: { readonly path: string; readonly start: { readonly line: number } }
}

/** A busy machine takes many times as long as an idle one, which needs about 5 s. */
const longestLintMs = 120_000
/** For the test or hook that lints: its own timeout would hide the reason. */
export const lintTimeoutMs = longestLintMs + 10_000

/**
 * What the project's lint finds in these files, each a path and its lines. They are planted in a copy that
 * holds only the rules.
 * @throws if the lint did not come to its end
 */
export function lintPlanted(
  files: Iterable<readonly [string, readonly string[]]>,
  withinMs = longestLintMs,
): readonly Diagnostic[] {
  const root = join(import.meta.dirname, '..')
  const copy = mkdtempSync(join(tmpdir(), 'planted-'))
  try {
    for (const file of ['biome.json', '.gitignore', ...globSync('*.grit', { cwd: root })])
      cpSync(join(root, file), join(copy, file))
    for (const [path, lines] of files) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      writeFileSync(join(copy, path), `${lines.join('\n')}\n`)
    }
    const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.']
    const run = spawnSync(process.execPath, args, {
      cwd: copy,
      encoding: 'utf8',
      timeout: withinMs,
      maxBuffer: 2 ** 26,
    })
    if (run.error || run.status === null)
      throw new Error(
        `biome lint did not end, with ${withinMs} ms to do it in: run this file alone, on a machine that is less busy`,
        { cause: run.error },
      )
    return JSON.parse(run.stdout).diagnostics
  } finally {
    rmSync(copy, { recursive: true })
  }
}
