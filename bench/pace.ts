import { Command } from 'commander'
import { type By, type Case, drains, type Seen } from './paced-drain.ts'

/**
 * How often a drain is looked at, and how long after its last call's end it is over: by its age alone, as it was, and woken by settle. `node bench/pace.ts [--json] [--drains 2000]`; the same numbers each time.
 */

const minutes = 60
const interval = { short: 100, long: 1000 } as const
const usual: Case = {
  lasting: 'lognormal',
  meanSeconds: 4 * minutes,
  calls: 20,
  heartbeatSeconds: interval.long,
}

/** Each is measured with calls of 4 and of 10 minutes. */
const kinds: Partial<Case>[] = [
  {},
  { heartbeatSeconds: interval.short },
  { lasting: 'lognormal, under way' },
  { lasting: 'lognormal, under way', heartbeatSeconds: interval.short },
  { calls: 1 },
  { calls: 2 },
  { calls: 200 },
  { calls: 200, heartbeatSeconds: interval.short },
  { lasting: 'exponential' },
  { lasting: 'fixed, under way' },
  { lasting: 'fixed' },
  { lasting: 'together' },
]
const cases: Case[] = kinds.flatMap((kind) =>
  [4, 10].map((mean) => ({ ...usual, ...kind, meanSeconds: mean * minutes })),
)

interface Row extends Case {
  readonly byAge: Numbers
  readonly byWaking: Numbers
  readonly looksShare: number
}
type Numbers = Pick<Seen, 'looks' | 'p50' | 'p95'>

function numbers(one: Case, by: By, howMany: number): Numbers {
  const { looks, p50, p95 } = drains(one, by, howMany)
  return { looks: rounded(looks, 1), p50: rounded(p50, 0), p95: rounded(p95, 0) }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function row(one: Case, howMany: number): Row {
  const byAge = numbers(one, 'age', howMany)
  const byWaking = numbers(one, 'waking', howMany)
  return { ...one, byAge, byWaking, looksShare: rounded(byWaking.looks / byAge.looks, 2) }
}

const because = [
  'No end has to be foretold: settle reads each edge with calls of what is held every 20 s, and wakes the drain whose last one is over.',
  'What it finds is counted by the edge, with its boot; a look judges it, and only a reading of every edge after that ends the drain.',
  'A drain whose waking is lost looks after the longest wait (120 s, or the heartbeat interval).',
]

export interface Report {
  readonly drains: number
  readonly rows: readonly Row[]
  readonly because: readonly string[]
}

export function report(howMany: number): Report {
  return {
    drains: howMany,
    rows: cases.map((one) => row(one, howMany)),
    because,
  }
}

function text({ drains: howMany, rows }: Report): string {
  const named = (cells: Numbers) => `${cells.looks} looks, ${cells.p50} / ${cells.p95} s`
  const cell = (value: unknown, width: number) => String(value).padEnd(width)
  const lines = [
    `${howMany} drains each; from the last BYE to CONTINUE: p50 / p95`,
    `${cell('calls', 29)}${cell('mean', 8)}${cell('heartbeat', 11)}${cell('by age alone', 28)}${cell('woken', 28)}looks`,
    ...rows.map(
      (r) =>
        `${cell(`${r.calls} ${r.lasting}`, 29)}${cell(`${r.meanSeconds / minutes} min`, 8)}${cell(`${r.heartbeatSeconds} s`, 11)}${cell(named(r.byAge), 28)}${cell(named(r.byWaking), 28)}${Math.round(r.looksShare * 100)} %`,
    ),
    '',
    'Why it is trusted',
    ...because,
  ]
  return `${lines.join('\n')}\n`
}

if (import.meta.main) {
  const { json, drains: howMany } = new Command()
    .option('--json', 'print JSON')
    .option('--drains <count>', 'drains of each kind', Number, 2000)
    .parse()
    .opts<{ json?: boolean; drains: number }>()
  const made = report(howMany)
  process.stdout.write(json ? `${JSON.stringify(made, null, 1)}\n` : text(made))
}
