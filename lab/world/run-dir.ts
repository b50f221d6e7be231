import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from '../programs/lab-cache.ts'

const kept = 3

/**
 * A folder of its own for one run's files and logs, under `.lab/runs`; the last three of runs that are over
 * stay.
 */
export function makeRunDir(runs = join(cacheDir, 'runs')): string {
  mkdirSync(runs, { recursive: true })
  const over = readdirSync(runs)
    .filter((name) => !existsSync(`/proc/${/-(\d+)(?:-\d+)?$/.exec(name)?.[1] ?? 'none'}`))
    .sort()
  for (const name of over.slice(0, -kept)) rmSync(join(runs, name), { recursive: true, force: true })
  const stamp = new Date().toISOString().replace(/[:.]/g, '-')
  const dir = join(runs, `${stamp}-${process.pid}`)
  mkdirSync(dir)
  return dir
}
