import { Command } from 'commander'
import { type By, type Case, drains, type Guess, type Seen } from './paced-drain.ts'

/**
 * How often a drain is looked at, and how long after its last call's end it is over: by its age alone, as it was, and by what is seen of
 * its calls. `node bench/pace.ts [--json] [--drains 2000]`; the same numbers each time.
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
  readonly bySeen: Numbers
  readonly looksShare: number
}
type Numbers = Pick<Seen, 'looks' | 'p50' | 'p95'>

interface Trust extends Pick<Case, 'lasting' | 'meanSeconds'> {
  /** what came, as a multiple of what was expected, by how many calls were left at the look */
  readonly cameOfExpected: Readonly<Record<string, number>>
  readonly ifHalved: Numbers
  readonly ifDoubled: Numbers
}

function numbers(one: Case, by: By, howMany: number): Numbers {
  const { looks, p50, p95 } = drains(one, by, howMany)
  return { looks: rounded(looks, 1), p50: rounded(p50, 0), p95: rounded(p95, 0) }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function row(one: Case, howMany: number): Row {
  const byAge = numbers(one, 'age', howMany)
  const bySeen = numbers(one, 1, howMany)
  return { ...one, byAge, bySeen, looksShare: rounded(bySeen.looks / byAge.looks, 2) }
}

const ranges: readonly (readonly [string, number, number])[] = [
  ['1', 1, 1],
  ['2', 2, 2],
  ['3-5', 3, 5],
  ['6-10', 6, 10],
]

function trust(one: Case, howMany: number): Trust {
  const { guesses } = drains(one, 1, howMany)
  return {
    lasting: one.lasting,
    meanSeconds: one.meanSeconds,
    cameOfExpected: Object.fromEntries(
      ranges.map(([name, from, to]) => [
        name,
        ratio(guesses.filter(({ left }) => left >= from && left <= to)),
      ]),
    ),
    ifHalved: numbers(one, 0.5, howMany),
    ifDoubled: numbers(one, 2, howMany),
  }
}

function ratio(guesses: readonly Guess[]): number {
  const sum = (of: (guess: Guess) => number) => guesses.reduce((total, guess) => total + of(guess), 0)
  return rounded(sum(({ came }) => came) / sum(({ expected }) => expected), 2)
}

const because = [
  'Calls that were seen end at a rate that was seen: ends by the time calls were up, the estimate of most likelihood for exponential calls.',
  'Of those the last one ends when expected (1.1 to 1.2 times the estimate, as 3.5 ends are presumed besides those seen).',
  'Lognormal ones end later than expected, and an estimate that is too low costs looks, not time.',
  'Calls of one length end sooner than expected: late by a sixth of an estimate that is too high.',
  'What no count foretells (all end together) is bounded: no wait is above twice the age, 120 s or the heartbeat interval.',
]

export interface Report {
  readonly drains: number
  readonly rows: readonly Row[]
  readonly trust: readonly Trust[]
  readonly because: readonly string[]
}

export function report(howMany: number): Report {
  const trusted = cases.filter(
    ({ calls, heartbeatSeconds, lasting }) =>
      calls === 20 && heartbeatSeconds === interval.long && lasting !== 'fixed' && lasting !== 'together',
  )
  return {
    drains: howMany,
    rows: cases.map((one) => row(one, howMany)),
    trust: trusted.map((one) => trust(one, howMany)),
    because,
  }
}

function text({ drains: howMany, rows, trust: trusted }: Report): string {
  const named = (cells: Numbers) => `${cells.looks} looks, ${cells.p50} / ${cells.p95} s`
  const cell = (value: unknown, width: number) => String(value).padEnd(width)
  const lines = [
    `${howMany} drains each; from the last BYE to CONTINUE: p50 / p95`,
    `${cell('calls', 29)}${cell('mean', 8)}${cell('heartbeat', 11)}${cell('by age alone', 28)}${cell('by what is seen', 28)}looks`,
    ...rows.map(
      (r) =>
        `${cell(`${r.calls} ${r.lasting}`, 29)}${cell(`${r.meanSeconds / minutes} min`, 8)}${cell(`${r.heartbeatSeconds} s`, 11)}${cell(named(r.byAge), 28)}${cell(named(r.bySeen), 28)}${Math.round(r.looksShare * 100)} %`,
    ),
    '',
    'Why the estimate is trusted',
    ...because,
    '',
    `${cell('20 calls', 29)}${cell('mean', 8)}${cell('came / expected, by calls left', 44)}${cell('estimate halved', 28)}doubled`,
    ...trusted.map((t) => {
      const came = Object.entries(t.cameOfExpected).map(([left, value]) => `${left}: ${value}`)
      return `${cell(t.lasting, 29)}${cell(`${t.meanSeconds / minutes} min`, 8)}${cell(came.join('  '), 44)}${cell(named(t.ifHalved), 28)}${named(t.ifDoubled)}`
    }),
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
