import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, type Log, place } from './lab-cache.ts'
import { runToEnd } from './leash.ts'

const ministackRequirements = join(import.meta.dirname, 'ministack-requirements.txt')

/** No Python on this machine can make an environment. */
export class NoPython extends Error {
  override readonly name = 'NoPython'
  constructor(tried: readonly string[]) {
    super(
      `Python programs need Python 3.10 or newer with venv and pip (on Debian: the packages python3 and python3-venv). ` +
        `Looked at: ${tried.join(', ')}.`,
    )
  }
}

/** @returns a Python that has MiniStack; see {@link pythonWith}. */
export function ministackPython(log: Log): Promise<string> {
  return pythonWith('ministack', ministackRequirements, log)
}

/**
 * A Python environment with a program exactly as pinned, every file checked against its hash. Cached.
 * @param name of its folder in the cache
 * @param requirements the file that pins the program and all that it needs
 * @returns the environment's python
 * @throws NoPython, ChildExited (pip's own words)
 */
export async function pythonWith(name: string, requirements: string, log: Log): Promise<string> {
  const home = join(cacheDir, name)
  const python = join(home, 'bin/python')
  const wanted = readFileSync(requirements, 'utf8')
  const manifest = join(home, 'requirements.txt')
  const isComplete = () =>
    existsSync(manifest) && existsSync(python) && readFileSync(manifest, 'utf8') === wanted
  const fill = async (dir: string) => {
    const started = Date.now()
    const say = (text: string) => log(`${name}: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`)
    const run = (step: string, argv: readonly string[]) =>
      runToEnd({ name: step, argv, runDir: join(dir, 'logs') }, 300_000)
    const base = await findPython(run)
    say(`making a Python environment with ${base}`)
    await run('venv', [base, '-m', 'venv', dir])
    say('downloading it and what it needs')
    const pip = [join(dir, 'bin/python'), '-m', 'pip', 'install', '--quiet', '--require-hashes']
    await run('pip', [...pip, '--report', join(dir, 'manifest.json'), '-r', requirements])
    writeFileSync(join(dir, 'requirements.txt'), wanted)
    say('ready')
  }
  await place(home, { isComplete, fill })
  return python
}

async function findPython(run: (name: string, argv: readonly string[]) => Promise<string>): Promise<string> {
  const candidates = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']
  const check = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'
  for (const candidate of candidates) {
    const works = await run(`find-${candidate}`, [candidate, '-c', check]).then(
      () => true,
      () => false,
    )
    if (works) return candidate
  }
  throw new NoPython(candidates)
}
