import * as z from 'zod'
import type { CommandOutcomeRow } from '../functions/ports/store.ts'
import type { Screen } from './desk.ts'
import type { Shown } from './format.ts'
import { type Column, table } from './table.ts'

const entry = z.object({ set: z.int(), uri: z.string(), before: z.string(), after: z.string() })
const write = z.object({ set: z.int(), uri: z.string(), state: z.string() })
const edge = z.object({
  edge: z.string(),
  outcome: z.string().optional(),
  detail: z.string().optional(),
  unreadable: z.string().optional(),
  entries: z.array(entry).optional(),
  /** of a reload: entries before and after; of its dry run: entries */
  listed: z.union([z.int(), z.object({ before: z.int(), after: z.int() })]).optional(),
  /** of a drain's dry run */
  plan: z.object({ writes: z.array(write), refused: z.array(z.object({ uri: z.string() })) }).optional(),
})
const named = z.object({ source: z.string(), id: z.string(), who: z.string(), why: z.string() })

/** The part of an outcome that people are shown; what a later release adds is let pass. */
const outcomeForm = z.object({
  id: z.string(),
  command: z.string(),
  result: z.string(),
  because: z.string().optional(),
  destinations: z.array(z.string()).default([]),
  hold: z.string().optional(),
  edges: z.array(edge).default([]),
  lifted: z.array(named).default([]),
  wouldLift: z.array(named).default([]),
  dropped: z.array(named).default([]),
  stillHeld: z.array(named).default([]),
  /** of a command for many */
  members: z
    .array(z.object({ target: z.string(), result: z.string(), because: z.string().optional() }))
    .default([]),
  counts: z.record(z.string(), z.int()).default({}),
  /** of a drain's dry run */
  clearance: z.object({ begins: z.boolean(), because: z.string().optional() }).optional(),
  heldBy: z.array(named).default([]),
  /** of may-restart */
  findings: z.array(z.object({ means: z.string(), words: z.string() })).default([]),
})
export type Outcome = z.output<typeof outcomeForm>

/** @returns undefined of a refusal, and of what is no outcome that we know */
export function knownOutcome(row: CommandOutcomeRow): Outcome | undefined {
  return outcomeForm.safeParse(row).data
}

/** @param undo the command that takes it back */
export function showOutcome(row: CommandOutcomeRow, undo?: string): Shown {
  const outcome = knownOutcome(row)
  return {
    data: { ...row, ...(undo !== undefined && { undo }) },
    text: (screen) =>
      outcome
        ? [...linesOf(outcome, screen), ...(undo === undefined ? [] : [`undo: ${undo}`])].join('\n')
        : refusal(row),
  }
}

function refusal(row: CommandOutcomeRow): string {
  const { refused, ...rest } = row
  return typeof refused === 'string' ? `refused: ${refused}` : JSON.stringify(rest, undefined, 2)
}

function linesOf(outcome: Outcome, screen: Screen): string[] {
  const { id, command, result, because, destinations, edges } = outcome
  const about = destinations.length > 0 ? ` ${destinations.join(', ')}` : ''
  const lines = edges.flatMap(edgeLines)
  return [
    `${command}${about}: ${result}${because === undefined ? '' : `: ${because}`}  (${id})`,
    ...Object.entries(outcome.counts).map(([came, count]) => `${count} ${came}`),
    ...outcome.findings.map(({ means, words }) => `${means}: ${words}`),
    ...(outcome.clearance?.begins === false ? [`it would wait: ${outcome.clearance.because}`] : []),
    ...holdLines('held by', outcome.heldBy),
    ...holdLines('lifted', outcome.lifted),
    ...holdLines('would lift', outcome.wouldLift),
    ...holdLines('dropped', outcome.dropped),
    ...holdLines('still held by', outcome.stillHeld),
    ...(outcome.members.length > 0 ? [table(memberColumns, outcome.members, screen)] : []),
    ...(lines.length > 0 ? [table(columns, lines, screen)] : []),
  ]
}

function holdLines(what: string, holds: Outcome['lifted']): string[] {
  return holds.map(({ source, id, who, why }) => `${what} ${source}/${id}: ${who}: ${why}`)
}

interface Line {
  readonly edge: string
  readonly what: string
  readonly entry: string
  readonly change: string
}

const columns: readonly Column<Line>[] = [
  { title: 'EDGE', cell: (line) => line.edge, least: 8 },
  {
    title: 'OUTCOME',
    cell: ({ what }) => ({ text: what, ...(/^(refused|failed|un)/.test(what) && { style: 'red' as const }) }),
    least: 12,
  },
  { title: 'SET DESTINATION', cell: (line) => line.entry, least: 16 },
  { title: 'BEFORE → AFTER', cell: ({ change }) => change },
]

const memberColumns: readonly Column<Outcome['members'][number]>[] = [
  { title: 'TARGET', cell: ({ target }) => target, least: 19 },
  {
    title: 'RESULT',
    cell: ({ result }) => ({ text: result, ...(result === 'refused' && { style: 'red' as const }) }),
  },
  { title: 'BECAUSE', cell: ({ because = '-' }) => because, least: 20 },
]

/** One for each entry, or one for the edge where it has none. */
function edgeLines({
  edge: name,
  outcome,
  detail,
  unreadable,
  entries,
  listed,
  plan,
}: Outcome['edges'][number]): Line[] {
  const what = detail === undefined ? (outcome ?? unreadable ?? '-') : `${outcome}: ${detail}`
  const line = (of: string, change: string, its = what): Line => ({
    edge: name,
    what: its,
    entry: of,
    change,
  })
  if (plan)
    return [
      ...plan.writes.map(({ set, uri, state }) =>
        line(`${set} ${uri}`, `→ ${state.toUpperCase()}`, 'would write'),
      ),
      ...plan.refused.map(({ uri }) => line(uri, '-', 'refused: listed more than once in its set')),
      ...(plan.writes.length + plan.refused.length === 0 ? [line('-', '-', 'nothing to write')] : []),
    ]
  if (listed !== undefined) {
    const change = typeof listed === 'number' ? String(listed) : `${listed.before} → ${listed.after}`
    return [line('entries listed', change)]
  }
  if (entries === undefined || entries.length === 0) return [line('-', '-')]
  return entries.map(({ set, uri, before, after }) => line(`${set} ${uri}`, `${before} → ${after}`))
}
