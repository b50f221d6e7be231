import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/** Says one line of progress. */
export type Log = (line: string) => void

/** What the lab keeps from run to run; not in git. */
export const cacheDir = resolve(import.meta.dirname, '../../.lab')

interface Placed {
  /** whether what is at `home` is what is wanted */
  readonly isComplete: () => boolean
  readonly fill: (dir: string) => Promise<void>
}

/**
 * Makes a folder of the cache all or nothing, unless it is there: `fill` works in a folder of its own, which
 * is renamed to `home` when it is done. Two runs at once both do the work; the first to finish wins, since
 * what is in use by then is not taken away, and the other's folder is dropped.
 * @returns `home`
 */
export async function place(home: string, { isComplete, fill }: Placed): Promise<string> {
  if (isComplete()) return home
  mkdirSync(cacheDir, { recursive: true })
  removeAbandoned()
  const partial = join(cacheDir, `partial-${process.pid}-${basename(home)}`)
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial)
  try {
    await fill(partial)
    if (!isComplete()) replace(home, partial)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return home
}

/** An outdated folder at `home` is moved away first: rename() replaces empty folders only. */
function replace(home: string, partial: string): void {
  const outdated = `${partial}-outdated`
  if (existsSync(home)) renameSync(home, outdated)
  try {
    renameSync(partial, home)
  } catch (error) {
    if (!existsSync(home)) throw error
  }
  rmSync(outdated, { recursive: true, force: true })
}

function removeAbandoned(): void {
  for (const entry of readdirSync(cacheDir)) {
    const pid = /^partial-(\d+)-/.exec(entry)?.[1]
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(cacheDir, entry), { recursive: true, force: true })
  }
}

/** Signal 0 only asks; a program of somebody else's (EPERM) runs too. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
