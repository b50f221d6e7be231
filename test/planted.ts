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

/**
 * What the project's lint finds in these files, each a path and its lines. They are planted in a copy that
 * holds only the rules.
 */
export function lintPlanted(files: Iterable<readonly [string, readonly string[]]>): readonly Diagnostic[] {
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
    const run = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 30_000 })
    return JSON.parse(run.stdout).diagnostics
  } finally {
    rmSync(copy, { recursive: true })
  }
}
