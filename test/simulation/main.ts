import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import type * as z from 'zod'
import { circumstancesOf } from './circumstances.ts'
import { type Expected, expectedBy, expectedViolations } from './expected.ts'
import { rules, type Violation } from './findings.ts'
import { generate } from './generate.ts'
import { runHistory } from './history.ts'
import type { Plan } from './plan.ts'
import { begun, type Progress, runAll } from './ranges.ts'
import { judge } from './referee.ts'
import { hasUnexpected, written } from './report.ts'
import { expectedShape, historyShape, progressShape } from './shapes.ts'
import { shrink } from './shrink.ts'

interface Options {
  readonly histories: number
  readonly from?: number
  readonly seed?: number
  readonly plan?: string
  readonly rule?: string
  readonly keep?: string
  readonly workers: number
  readonly json: boolean
  readonly shrink: boolean
  readonly stop: boolean
  readonly resume?: string
  readonly expected?: string
}

const program = new Command('simulate')
  .description(
    'Runs random histories of the whole control plane in virtual time, and judges each by what is true.',
  )
  .option('--histories <n>', 'how many', atLeastOne, 1000)
  .option('--from <seed>', 'the first seed; fresh ones unless given', whole)
  .option('--seed <seed>', 'run the history of this seed alone and show it', whole)
  .option('--plan <file>', 'run the history in this file alone and show it')
  .option('--rule <text>', 'shorten for rules with this text only')
  .option('--keep <file>', 'write the history that was run alone, or its shortest, to this file')
  .option('--workers <n>', 'threads', atLeastOne, availableParallelism())
  .option('--json', 'print the report as JSON', false)
  .option('--shrink', 'of one history: make it as short as it can be and still break each rule', false)
  .option('--stop', 'stop at the first history that breaks a rule which is not expected', false)
  .option('--resume <file>', 'write the progress to this file, and go on from what it says')
  .option(
    '--expected <file>',
    'a list of expected violations as JSON, in the place of the one in expected.ts',
  )
  .addHelpText(
    'after',
    '\nIt ends with 1 where a rule is broken that is not in the list of expected violations.',
  )

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  const number = Number(text)
  if (!Number.isSafeInteger(number))
    throw new InvalidArgumentError(`It must be ${Number.MAX_SAFE_INTEGER} or less.`)
  return number
}

function atLeastOne(text: string): number {
  const number = whole(text)
  if (number === 0) throw new InvalidArgumentError('It must be 1 or more.')
  return number
}

/** @returns what is in the file, where it has this shape; it ends in one line where it has not */
function contentOf<Content>(file: string, kind: string, shape: z.ZodType): Content {
  const content = jsonIn<Content>(file)
  const unlike = shape.safeParse(content).error?.issues.at(0)
  if (unlike !== undefined)
    program.error(`error: ${file} is no ${kind}: ${[...unlike.path, unlike.message].join(': ')}`)
  return content
}

function jsonIn<Content>(file: string): Content {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return program.error(`error: ${file} can't be read as JSON: ${String(error)}`)
  }
}

/** What would do nothing where many are run, and where one is. */
const ofOneHistory = ['shrink', 'keep', 'rule'] as const
const ofMany = ['histories', 'from', 'workers', 'json', 'stop', 'resume'] as const

function isGiven(name: keyof Options): boolean {
  return program.getOptionValueSource(name) === 'cli'
}

function refuseIdle(options: Options): void {
  if (options.plan !== undefined || options.seed !== undefined) {
    const idle = ofMany.find(isGiven)
    if (idle !== undefined)
      program.error(`error: --${idle} is of many histories: leave out --seed and --plan`)
    if (isGiven('rule') && !options.shrink)
      program.error('error: --rule is what --shrink shortens for: name --shrink, too')
    return
  }
  const idle = ofOneHistory.find(isGiven)
  if (idle !== undefined) program.error(`error: --${idle} is of one history: name it by --seed or --plan`)
}

/** @returns what the file tells of such a run; it ends in one line where it is of another */
function progressIn(file: string, { from, histories }: Options): Progress {
  const progress = contentOf<Progress>(file, 'progress of a run', progressShape)
  const isOther =
    (from ?? progress.from) !== progress.from || (isGiven('histories') && histories !== progress.histories)
  if (isOther)
    program.error(
      `error: ${file} is of --from=${progress.from} --histories=${progress.histories}: name these, or another file`,
    )
  return progress
}

async function main(options: Options): Promise<boolean> {
  refuseIdle(options)
  const expected: readonly Expected[] =
    options.expected === undefined
      ? expectedViolations
      : contentOf(options.expected, 'list of expected violations', expectedShape)
  if (options.plan !== undefined)
    return one(contentOf(options.plan, 'history', historyShape), options, expected)
  if (options.seed !== undefined) return one(generate(options.seed), options, expected)
  return many(options, expected)
}

async function many(options: Options, expected: readonly Expected[]): Promise<boolean> {
  const { histories, from, workers, resume, json, stop } = options
  const startedAt = performance.now()
  const progress: Progress =
    resume !== undefined && existsSync(resume)
      ? progressIn(resume, options)
      : begun(from ?? Math.floor(Date.now() / 1000) * 1000, histories)
  console.error(`seeds ${progress.from} to ${progress.from + progress.histories - 1}`)
  let saidAt = startedAt
  await runAll(progress, workers, { expected, stop }, resume, ({ report }) => {
    if (performance.now() < saidAt + 10_000) return
    saidAt = performance.now()
    console.error(`${report.histories} of ${progress.histories}`)
  })
  const seconds = (performance.now() - startedAt) / 1000
  console.log(
    json
      ? JSON.stringify({ from: progress.from, seconds, ...progress.report })
      : written(progress.report, seconds),
  )
  return !hasUnexpected(progress.report)
}

async function one(plan: Plan, options: Options, expected: readonly Expected[]): Promise<boolean> {
  const history = await runHistory(plan)
  const { violations, undecidable } = judge(history)
  if (!options.shrink) print(plan, violations, undecidable, options)
  const broken = violations.map(({ rule }) => rule).filter((rule) => rule.includes(options.rule ?? ''))
  if (options.shrink && broken.length === 0)
    console.log(
      options.rule === undefined
        ? 'it breaks no rule: there is nothing to shorten'
        : `it breaks no rule with "${options.rule}"; the rules are:\n  ${Object.keys(rules).join('\n  ')}`,
    )
  for (const rule of options.shrink ? new Set(broken) : []) {
    const shortest = await shrink(plan, rule)
    print(shortest.plan, shortest.violation ? [shortest.violation] : [], [], options)
  }
  const circumstances = circumstancesOf(plan)
  return violations.every((violation) => expectedBy(violation, circumstances, expected) !== undefined)
}

function print(
  plan: Plan,
  violations: readonly Violation[],
  undecidable: readonly string[],
  { keep }: Options,
): void {
  if (keep !== undefined) writeFileSync(keep, `${JSON.stringify(plan, undefined, 2)}\n`)
  const { happenings, faults, ...world } = plan
  const lines = violations.map(({ rule, what }) => `BROKEN ${rule}: ${what}`)
  for (const line of new Set(lines)) console.log(line)
  if (lines.length === 0) console.log('it breaks no rule')
  for (const kind of new Set(undecidable)) console.log(`undecidable: ${kind}`)
  console.log(JSON.stringify(world))
  for (const happening of happenings) console.log(`  ${JSON.stringify(happening)}`)
  for (const fault of faults) console.log(`  fault ${JSON.stringify(fault)}`)
}

process.exitCode = (await main(program.parse().opts<Options>())) ? 0 : 1
