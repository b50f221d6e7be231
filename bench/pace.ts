import { Command, InvalidArgumentError } from 'commander'
import { byAge, type Case, type Seen, woken } from './paced-drain.ts'

/**
 * How often a drain is looked at, and how long after its last call's end it is over: by its age alone, as it
 * was, which is a model of looks; and woken by settle, which is the deployed workflow in memory. The same
 * numbers each time.
 */

const minutes = 60
const usual: Case = { lasting: 'lognormal', meanSeconds: 4 * minutes, calls: 20 }

/** Each is measured with calls of 4 and of 10 minutes. */
const kinds: Partial<Case>[] = [
  {},
  { lasting: 'lognormal, under way' },
  { calls: 1 },
  { calls: 2 },
  { calls: 200 },
  { lasting: 'exponential' },
  { lasting: 'fixed, under way' },
  { lasting: 'fixed' },
  { lasting: 'together' },
]
const cases: Case[] = kinds.flatMap((kind) =>
  [4, 10].map((mean) => ({ ...usual, ...kind, meanSeconds: mean * minutes })),
)

interface Row extends Case {
  readonly byAge: Seen
  readonly woken: Seen
  readonly looksShare: number
}

function numbers({ looks, p50, p95 }: Seen): Seen {
  return { looks: rounded(looks, 1), p50: rounded(p50, 0), p95: rounded(p95, 0) }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

async function row(one: Case, howMany: number): Promise<Row> {
  const before = numbers(byAge(one, howMany))
  const now = numbers(await woken(one, howMany))
  return { ...one, byAge: before, woken: now, looksShare: rounded(now.looks / before.looks, 2) }
}

const because = [
  'No end has to be foretold: settle reads each edge with calls of what is held every 20 s, and wakes the drain whose last one is over.',
  'The look that is woken judges what is stored, and takes it for a first zero at the most. The one after the fail-over window has every edge read.',
  'A drain whose waking is lost looks after the longest wait (120 s, or the heartbeat interval).',
]

function headOf(howMany: number): string {
  return `${howMany} drains each; from the last BYE to CONTINUE: p50 / p95
${cell('calls', 29)}${cell('mean', 8)}${cell('by age alone', 28)}${cell('woken', 28)}looks\n`
}

function lineOf({ calls, lasting, meanSeconds, looksShare, ...seen }: Row): string {
  const named = ({ looks, p50, p95 }: Seen) => cell(`${looks} looks, ${p50} / ${p95} s`, 28)
  return `${cell(`${calls} ${lasting}`, 29)}${cell(`${meanSeconds / minutes} min`, 8)}${named(seen.byAge)}${named(seen.woken)}${Math.round(looksShare * 100)} %\n`
}

function cell(value: string, width: number): string {
  return value.padEnd(width)
}

function count(given: string): number {
  if (!/^[1-9]\d*$/.test(given)) throw new InvalidArgumentError('It must be 1 or more.')
  return Number(given)
}

async function main(): Promise<void> {
  const { json, drains } = new Command('bench/pace')
    .description(
      'Prints how often drains are looked at, and how late they are over: by age alone, and woken by settle.',
    )
    .option('--json', 'print JSON')
    .option('--drains <count>', 'drains of each kind', count, 100)
    .parse()
    .opts<{ json?: boolean; drains: number }>()
  const rows: Row[] = []
  if (!json) process.stdout.write(headOf(drains))
  for (const one of cases) {
    const made = await row(one, drains)
    rows.push(made)
    if (!json) process.stdout.write(lineOf(made))
  }
  if (json) process.stdout.write(`${JSON.stringify({ drains, rows, because }, null, 1)}\n`)
  else process.stdout.write(`\nWhy it is trusted\n${because.join('\n')}\n`)
}

if (import.meta.main) await main()
