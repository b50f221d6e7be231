import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { Command, InvalidArgumentError } from 'commander'
import type { Report, Unexpected } from './report.ts'

const root = resolve(import.meta.dirname, '../..')

interface Options {
  readonly histories: number
  readonly workers: number
  readonly patches: string
  readonly apply: boolean
}

const program: Command = new Command('simulate:put-back')
  .description(
    'Puts faults that are mended back into a copy of the code, one by one, and runs histories from seed 1 on until one breaks the rule that each patch names, whatever else it breaks.',
  )
  .argument('[cases...]', 'names of patches, such as C1; all of them unless given')
  .option('--histories <n>', 'within how many a fault must be found', atLeastOne, 2000)
  .option('--workers <n>', 'threads', atLeastOne, availableParallelism())
  .option('--patches <folder>', 'where the patches are', join(import.meta.dirname, 'put-back'))
  .option('--apply', 'only see that they apply', false)
  .addHelpText(
    'after',
    '\nIt ends with 1 where a patch does not apply, its copy does not compile or run, or its fault is not found.\nHow to write or renew a patch: test/simulation/README.md.',
  )

function atLeastOne(given: string): number {
  if (!/^[1-9]\d*$/.test(given)) throw new InvalidArgumentError('It must be 1 or more.')
  return Number(given)
}

/** Why a fault that was put back was not found as it should be. */
class NotFound extends Error {}

/** A file that puts one fault back: words on what it is, the rule that it breaks, and a unified diff. */
interface Patch {
  readonly name: string
  readonly file: string
  readonly rule: string
}

function patchesIn(folder: string): Patch[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.patch'))
  return files.map((file) => {
    const path = resolve(folder, file)
    const rule = /^Broken rule: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
    if (rule === undefined) program.error(`error: ${path} has no line "Broken rule: …" above its diff`)
    return { name: file.replace('.patch', ''), file: path, rule }
  })
}

/** What is at work and what is to be taken away, however this ends. */
const children = new Set<ChildProcess>()
const copies = new Set<string>()
process.on('exit', () => {
  for (const child of children) child.kill()
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  said: (line: string) => void = () => undefined,
): Promise<Ended> {
  // A copy below a work tree would be taken for a part of it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: resolve(cwd, '..') }
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.stderr.on('data', (data) => said(String(data)))
  const code = new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), code])
  children.delete(child)
  return { code: await code, stdout, stderr }
}

/** What the simulator needs, in a folder of its own. */
function copied(): string {
  const copy = mkdtempSync(join(tmpdir(), 'put-back-'))
  copies.add(copy)
  for (const part of ['functions', 'events', 'package.json', 'tsconfig.json', 'test'])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (from) => !from.startsWith(join(root, 'test/recordings')),
    })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  const files = ['test/simulation/main.ts', 'test/simulation/worker.ts']
  // A patch that takes a call away may leave what it called.
  const settings = { extends: './tsconfig.json', compilerOptions, include: [], files }
  writeFileSync(join(copy, 'tsconfig.put-back.json'), JSON.stringify(settings))
  return copy
}

/** @throws NotFound, with why and what to do */
async function applied({ file }: Patch, folder: string, options: readonly string[] = []): Promise<void> {
  const { code, stderr } = await run('git', ['apply', '--verbose', ...options, file], folder)
  if (code !== 0)
    throw new NotFound(
      `it does not apply, since what it changes was changed.\n${stderr.trim()}\nTo renew it, put the fault back by hand, write "git diff -U1 -- functions" below its first lines, and take the change back.`,
    )
}

/** @throws NotFound, with why and what to do */
async function find(patch: Patch, { histories, workers, apply }: Options): Promise<Unexpected | undefined> {
  if (apply) {
    await applied(patch, root, ['--check'])
    return undefined
  }
  const copy = copied()
  try {
    await applied(patch, copy)
    const node = process.execPath
    const compiled = await run(
      node,
      ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.put-back.json'],
      copy,
    )
    if (compiled.code !== 0) throw new NotFound(`the copy does not compile.\n${compiled.stdout.trim()}`)
    return await firstOf(patch, { histories, workers }, copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
    copies.delete(copy)
  }
}

/** A fault may break other rules as well: it is found when it breaks the one that its patch names. */
async function firstOf(
  { name, rule }: Patch,
  { histories, workers }: Pick<Options, 'histories' | 'workers'>,
  copy: string,
): Promise<Unexpected> {
  let other = ''
  for (let from = 1; from <= histories; ) {
    const args = [`--from=${from}`, `--histories=${histories - from + 1}`, `--workers=${workers}`]
    const ran = await run(
      process.execPath,
      ['test/simulation/main.ts', '--stop', '--json', ...args],
      copy,
      (said) => process.stderr.write(`${name}: ${said}`),
    )
    const found = foundIn(ran)
    if (!found) break
    const broken = found.broken.filter((each) => each.rule === rule)
    if (broken.length > 0) return { ...found, broken }
    const [first] = found.broken
    other ||= `; seed ${found.seed} is the first that breaks another: ${first?.rule}: ${first?.what}`
    from = found.seed + 1
  }
  throw new NotFound(`no history of ${histories} breaks "${rule}"${other}`)
}

function foundIn({ stdout, stderr }: Ended): Unexpected | undefined {
  let report: Report
  try {
    report = JSON.parse(stdout)
  } catch {
    throw new NotFound(`the simulator did not run.\n${stderr.trim()}`)
  }
  return report.firstUnexpected
}

function saidOf({ seed, broken: [first] }: Unexpected): string {
  return `found after ${seed} histories, seed ${seed}: ${first?.rule}: ${first?.what}`
}

async function main(names: readonly string[], options: Options): Promise<boolean> {
  const patches = patchesIn(options.patches)
  const unknown = names.filter((name) => !patches.some((patch) => patch.name === name))
  if (unknown.length > 0) program.error(`error: ${options.patches} has no patch ${unknown.join(', ')}`)
  const wanted = patches.filter(({ name }) => names.length === 0 || names.includes(name))
  let all = true
  for (const patch of wanted) {
    const startedAt = performance.now()
    const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
    try {
      const found = await find(patch, options)
      console.log(`${patch.name.padEnd(4)} ${found ? saidOf(found) : 'applies'}, ${seconds()}`)
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
      all = false
      console.log(`${patch.name.padEnd(4)} NOT FOUND, ${seconds()}: ${error.message}`)
    }
  }
  return all
}

program.parse()
process.exitCode = (await main(program.args, program.opts<Options>())) ? 0 : 1
