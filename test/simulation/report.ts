import { circumstancesOf } from './circumstances.ts'
import { type Expected, expectedBy } from './expected.ts'
import { type Rule, rules, type Violation } from './findings.ts'
import { generate } from './generate.ts'
import { runHistory } from './history.ts'
import { judge } from './referee.ts'

/** What many histories came to; two of them can be added. */
export interface Report {
  histories: number
  /** of processor time, in all threads */
  ms: number
  /** what happened and what went wrong, and in how many histories it did */
  hits: Record<string, number>
  /** in how many histories a rule was applied to something */
  applied: Partial<Record<Rule, number>>
  /** in how many histories somebody could not decide something */
  undecidable: Record<string, number>
  undecidableHistories: number
  violations: Record<string, Broken>
  /** the first history, by its seed, that breaks a rule which is not expected to be broken */
  firstUnexpected?: Unexpected | undefined
  neverCalm: number
}
export interface Unexpected {
  readonly seed: number
  readonly broken: readonly Violation[]
}
interface Broken {
  rule: Rule
  /** the entry of the expected list that says why; absent: it is a bug that nobody expects */
  expected?: string
  histories: number
  seeds: number[]
  first: string
}

const seedsKept = 12

export function emptyReport(): Report {
  return {
    ...{ histories: 0, ms: 0, hits: {}, applied: {}, undecidable: {}, undecidableHistories: 0 },
    ...{ violations: {}, neverCalm: 0 },
  }
}

/** What a run of many histories goes by. */
export interface Manner {
  readonly expected: readonly Expected[]
  /** it ends with the first history that breaks a rule which is not expected to be broken */
  readonly stop: boolean
}

/** Runs the histories of a range of seeds. */
export async function runRange(from: number, count: number, { expected, stop }: Manner): Promise<Report> {
  const report = emptyReport()
  const before = process.threadCpuUsage()
  for (let seed = from; seed < from + count; seed += 1) {
    await runSeed(seed, expected, report)
    if (stop && report.firstUnexpected) break
  }
  const { user, system } = process.threadCpuUsage(before)
  report.ms = (user + system) / 1000
  return report
}

async function runSeed(seed: number, expected: readonly Expected[], report: Report): Promise<void> {
  const plan = generate(seed)
  const circumstances = circumstancesOf(plan)
  const history = await runHistory(plan)
  const { violations, undecidable, applied } = judge(history)
  report.histories += 1
  if (history.calms.length === 0) report.neverCalm += 1
  for (const name of history.hits.keys()) report.hits[name] = (report.hits[name] ?? 0) + 1
  for (const rule of applied.keys()) report.applied[rule] = (report.applied[rule] ?? 0) + 1
  for (const kind of new Set(undecidable)) report.undecidable[kind] = (report.undecidable[kind] ?? 0) + 1
  if (undecidable.length > 0) report.undecidableHistories += 1
  const seen = new Set<string>()
  const unexpected = violations.filter((each) => !expectedBy(each, circumstances, expected))
  if (unexpected.length > 0) report.firstUnexpected ??= { seed, broken: unexpected }
  for (const violation of violations) {
    const reason = expectedBy(violation, circumstances, expected)
    const key = `${violation.rule}${reason ? ` (${reason.case})` : ''}`
    if (seen.has(key)) continue
    seen.add(key)
    const known = report.violations[key]
    const broken = known ?? {
      rule: violation.rule,
      ...(reason && { expected: reason.case }),
      histories: 0,
      seeds: [],
      first: violation.what,
    }
    report.violations[key] = broken
    broken.histories += 1
    if (broken.seeds.length < seedsKept) broken.seeds.push(seed)
  }
}

export function add(one: Report, other: Report): Report {
  const violations = { ...one.violations }
  for (const [key, broken] of Object.entries(other.violations)) {
    const known = violations[key]
    violations[key] = known ? together(known, broken) : broken
  }
  return {
    histories: one.histories + other.histories,
    ms: one.ms + other.ms,
    hits: sum(one.hits, other.hits),
    applied: sum(one.applied, other.applied),
    undecidable: sum(one.undecidable, other.undecidable),
    undecidableHistories: one.undecidableHistories + other.undecidableHistories,
    violations,
    firstUnexpected: earlier(one.firstUnexpected, other.firstUnexpected),
    neverCalm: one.neverCalm + other.neverCalm,
  }
}

/** The same whichever worker was first. */
function together(one: Broken, other: Broken): Broken {
  const [seed] = one.seeds
  const isFirst = seed !== undefined && other.seeds.every((each) => each >= seed)
  return {
    ...(isFirst ? one : other),
    histories: one.histories + other.histories,
    seeds: [...one.seeds, ...other.seeds].toSorted((a, b) => a - b).slice(0, seedsKept),
  }
}

function earlier(one: Unexpected | undefined, other: Unexpected | undefined): Unexpected | undefined {
  if (!one || !other) return one ?? other
  return other.seed < one.seed ? other : one
}

function sum<K extends string>(
  one: Partial<Record<K, number>>,
  other: Partial<Record<K, number>>,
): Record<K, number> {
  const all = { ...one } as Record<K, number>
  for (const [key, count] of Object.entries(other) as [K, number][]) all[key] = (all[key] ?? 0) + count
  return all
}

export function hasUnexpected({ firstUnexpected }: Report): boolean {
  return firstUnexpected !== undefined
}

/** Below this in 10,000 histories a fault or rule is too rare to prove anything. */
const leastPerTenThousand = 50

/** The report as text. */
export function written(report: Report, seconds: number): string {
  const { histories } = report
  const least = (leastPerTenThousand * histories) / 10_000
  const table = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      // By name where they are equal: several workers add them in any order.
      .sort(([one, a], [other, b]) => b - a || one.localeCompare(other))
      .map(([name, count]) => `  ${String(count).padStart(7)}  ${name}${count < least ? '  (rare)' : ''}`)
  const applied = Object.fromEntries(
    Object.keys(rules).map((rule) => [rule, report.applied[rule as Rule] ?? 0]),
  )
  const share = ((100 * report.undecidableHistories) / Math.max(1, histories)).toFixed(1)
  return [
    `${histories} histories in ${seconds.toFixed(1)} s, ${(report.ms / Math.max(1, histories)).toFixed(1)} ms of processor time each; ${report.neverCalm} never became calm`,
    'What happened and went wrong, in so many histories:',
    ...table(report.hits),
    'Rules applied, in so many histories:',
    ...table(applied),
    `Undecidable in part: ${report.undecidableHistories} (${share} %):`,
    ...table(report.undecidable).map((line) => line.replace('  (rare)', '')),
    'Broken rules:',
    ...Object.values(report.violations)
      .toSorted((one, other) => (one.seeds[0] ?? 0) - (other.seeds[0] ?? 0))
      .flatMap(({ rule, expected, histories: count, seeds, first }) => [
        `  ${rule}: ${count} histories${expected ? `, expected: ${expected}` : ', NOT EXPECTED'}; seeds ${seeds.join(' ')}`,
        `      ${first}`,
        `      npm run simulate -- --seed=${seeds[0]} --shrink`,
      ]),
    ...(Object.keys(report.violations).length === 0 ? ['  none'] : []),
  ].join('\n')
}
