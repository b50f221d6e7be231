import * as z from 'zod'
import { holdSources } from '../../functions/control/hold.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import type { Screen } from '../desk/desk.ts'
import { quotable, type Shown, wrapped } from '../desk/format.ts'
import { type Column, table } from '../desk/table.ts'
import { isoTime } from '../desk/times.ts'
import { whatLifts } from '../views/explain.ts'
import { callsForm, inOrder, type ListedNow, type PlanLine, planForm, planLines } from './show-plan.ts'
import { replacedForm, replacedWords } from './show-replaced.ts'

const entry = z.object({ set: z.int(), uri: z.string(), before: z.string(), after: z.string() })
const edge = z.object({
  edge: z.string(),
  outcome: z.string().optional(),
  detail: z.string().optional(),
  unreadable: z.string().optional(),
  entries: z.array(entry).optional(),
  /** of a reload: entries before and after; of its dry run: entries */
  listed: z.union([z.int(), z.object({ before: z.int(), after: z.int() })]).optional(),
  /** of a drain's or an activate's dry run */
  plan: planForm.optional(),
  calls: callsForm.optional(),
  /** of a reload's dry run */
  heldAgain: z.int().optional(),
  guarded: z.boolean().optional(),
  readAt: z.number().optional(),
})
const unread = z.object({ edge: z.string(), unreadable: z.string() })
const freeze = z.object({ who: z.string(), why: z.string(), until: z.number().optional() })
const waiting = z.object({
  ...{ drainId: z.string(), who: z.string(), why: z.string(), because: z.string().optional() },
})
const named = z.object({
  ...{ source: z.enum(holdSources), id: z.string() },
  ...{ who: z.string(), why: z.string(), endsAt: z.number().optional() },
})

/** The part of an outcome that people are shown; what a later release adds is let pass. */
const outcomeForm = z.object({
  id: z.string(),
  command: z.string(),
  result: z.string(),
  instance: z.string().optional(),
  destination: z.string().optional(),
  because: z.string().optional(),
  edge: z.string().optional(),
  destinations: z.array(z.string()).default([]),
  hold: z.string().optional(),
  replaces: replacedForm.optional(),
  edges: z.array(edge).default([]),
  lifted: z.array(named).default([]),
  wouldLift: z.array(named).default([]),
  dropped: z.array(named).default([]),
  stillHeld: z.array(named).default([]),
  /** of a command for many */
  members: z
    .array(
      z.object({
        ...{ target: z.string(), result: z.string(), because: z.string().optional() },
        hold: z.string().default(''),
        replaces: replacedForm.optional(),
      }),
    )
    .default([]),
  counts: z.record(z.string(), z.int()).default({}),
  unread: z.array(unread).default([]),
  /** of a drain's dry run */
  clearance: z.object({ begins: z.boolean(), because: z.string().optional() }).optional(),
  heldBy: z.array(named).default([]),
  /** of an activate's dry run */
  wouldDrop: z.array(named).default([]),
  /** of a release's dry run */
  drains: z.array(z.object({ drainId: z.string(), calls: z.int().optional() })).optional(),
  /** of a freeze and its end: their dry runs */
  frozen: freeze.optional(),
  waiting: z.array(waiting).default([]),
  wouldBegin: z.array(z.string()).optional(),
  /** of may-restart */
  findings: z
    .array(z.object({ means: z.string(), words: z.string(), drains: z.array(z.string()).default([]) }))
    .default([]),
})
export type Outcome = z.output<typeof outcomeForm>

/** @returns undefined of a refusal, and of what is no outcome that we know */
export function knownOutcome(row: CommandOutcomeRow): Outcome | undefined {
  return outcomeForm.safeParse(row).data
}

/** By edge; left out where nobody has looked. */
export type Listed = ReadonlyMap<string, ListedNow>

/** What takes a write back. */
export interface Undo {
  /** without `kdc`, one after the other; left out where none does */
  readonly commands?: readonly string[]
  /** what it does not take back, and what comes instead */
  readonly not?: readonly string[]
}

interface Around {
  /** as in {@link Deployed} */
  readonly kdc: string
  readonly undo?: Undo | undefined
  /** for a dry run: what each entry shows now is not in its answer */
  readonly listed?: Listed | undefined
}

export function showOutcome(
  row: CommandOutcomeRow,
  { kdc, undo: { commands, not = [] } = {}, listed = new Map() }: Around,
): Shown {
  const outcome = knownOutcome(quotable(row))
  const undo = commands?.map((command) => `${kdc} ${command}`).join('; ')
  const more = otherLines(row)
  return {
    data: { ...row, ...(undo !== undefined && { undo }), ...(not.length > 0 && { noUndo: not }) },
    text: (screen) =>
      outcome
        ? [
            ...linesOf(outcome, { kdc, more, listed }, screen),
            ...(undo === undefined ? [] : [`undo: ${undo}`]),
            ...not.map((words) => wrapped(`no undo: ${quotable(words)}`, screen.columns)),
          ].join('\n')
        : refusal(row),
  }
}

function refusal(row: CommandOutcomeRow): string {
  const { refused, ...rest } = row
  return typeof refused === 'string' ? `refused: ${refused}` : JSON.stringify(rest, undefined, 2)
}

/** What the command named is not repeated. */
const request = ['version', 'requestedBy', 'sender', 'reason', 'group', 'set', 'zone']
const times: Readonly<Record<string, string>> = {
  removedAt: 'configured no more since',
  unreadableSince: 'unreadable since',
  readAt: 'read last at',
  beginsAt: 'its window begins at',
  endsAt: 'its hold ends at',
  until: 'until',
}

/** What has no line of its own, so that a dry run hides nothing. */
function otherLines(row: CommandOutcomeRow): string[] {
  return Object.entries(row).flatMap(([key, value]) => {
    const isShown = key in outcomeForm.shape || request.includes(key)
    if (isShown || value === undefined || (Array.isArray(value) && value.length === 0)) return []
    const words = times[key]
    return words !== undefined && typeof value === 'number'
      ? [`${words} ${isoTime(value)}`]
      : [`${key}: ${JSON.stringify(value)}`]
  })
}

interface Besides {
  readonly more: readonly string[]
  readonly listed: Listed
  readonly kdc: string
}

function linesOf(outcome: Outcome, { kdc, more, listed }: Besides, screen: Screen): string[] {
  const { id, command, result, because, destinations, edge: one, edges, members } = outcome
  const on = destinations.length > 0 ? destinations.join(', ') : one
  const about = on === undefined ? '' : ` ${on}`
  const lines = edges.flatMap((each) => edgeLines(each, listed.get(each.edge)))
  const told = [
    `${command}${about}: ${result}${because === undefined ? '' : `: ${because}`}  (${id})`,
    ...more,
    ...Object.entries(outcome.counts).map(([came, count]) => `${count} ${came}`),
    ...outcome.unread.map(({ edge: name, unreadable }) => `${name} could not be read: ${unreadable}`),
    ...outcome.findings.flatMap(({ means, words, drains }) => [
      `${means}: ${words}`,
      ...drains.map((drainId) => `  ${drainId}`),
    ]),
    ...(outcome.clearance?.begins === false ? [`it would wait: ${outcome.clearance.because}`] : []),
    ...(outcome.replaces ? [replacedWords(outcome.replaces)] : []),
    ...holdLines('held by', outcome.heldBy),
    ...holdLines('lifted', outcome.lifted),
    ...holdLines('would lift', outcome.wouldLift),
    ...holdLines('would drop', outcome.wouldDrop),
    ...holdLines('dropped', outcome.dropped),
    ...stillHeldLines(outcome, kdc),
    ...releaseLines(outcome),
    ...freezeLines(outcome),
  ]
  return [
    ...told.map((line) => (line.startsWith('  ') ? line : wrapped(line, screen.columns))),
    ...(members.length > 0 ? [table(memberColumns, members, screen)] : []),
    ...(lines.length > 0 ? [`${members.length > 0 ? '\n' : ''}${table(columns, lines, screen)}`] : []),
  ]
}

function holdLines(what: string, holds: Outcome['lifted']): string[] {
  return holds.map(({ source, id, who, why }) => `${what} ${source}/${id}: ${who}: ${why}`)
}

/** Of many, what each hold is on is not in the answer. What is indented may be pasted: it stays one line. */
function stillHeldLines({ stillHeld, instance, destination }: Outcome, kdc: string): string[] {
  const target = instance ?? destination
  const lines = stillHeld.flatMap((hold) => [
    ...holdLines('still held by', [hold]),
    ...(target === undefined
      ? []
      : [`  ${hold.source === 'operator' ? 'lifted by: ' : ''}${whatLifts(hold, target, kdc)}`]),
  ])
  const isOfMany = target === undefined && lines.length > 0
  return isOfMany
    ? [...lines, `  ${kdc} get holds shows on what, and ${kdc} explain TARGET what lifts it`]
    : lines
}

/** The calls that are cut if they are up all the same. */
function releaseLines({ drains }: Outcome): string[] {
  if (drains?.length === 0) return ['no drain waits for it']
  return (drains ?? []).map(
    ({ drainId, calls }) =>
      `would go on without it: ${drainId}: calls counted there last: ${calls ?? 'unknown'}`,
  )
}

function freezeLines({ frozen, waiting: drains, wouldBegin }: Outcome): string[] {
  const end = frozen?.until === undefined ? '' : `, until ${isoTime(frozen.until)}`
  return [
    ...(frozen ? [`frozen by ${frozen.who}: ${frozen.why}${end}`] : []),
    ...(wouldBegin && !frozen ? ['no freeze is in force'] : []),
    ...drains.map(
      ({ drainId, who, why, because = 'it begins within a minute' }) =>
        `waits: ${drainId}: ${who}: ${why}: ${because}`,
    ),
    ...(wouldBegin ?? []).map((drainId) => `would begin without a freeze: ${drainId}`),
  ]
}

interface Line extends PlanLine {
  readonly edge: string
}

const columns: readonly Column<Line>[] = [
  { title: 'EDGE', cell: (line) => line.edge, least: 8 },
  {
    title: 'OUTCOME',
    // An edge that lists none of it (`unlisted`) is no fault.
    cell: ({ what }) => ({
      text: what,
      ...(/^(refused|failed|unreachable)\b/.test(what) && { style: 'red' as const }),
    }),
    least: 12,
  },
  { title: 'SET DESTINATION', cell: (line) => line.entry, least: 16 },
  { title: 'BEFORE → AFTER', cell: ({ change }) => change, least: 16 },
]

function memberWords({ because, replaces }: Outcome['members'][number]): string {
  const words = [...(because === undefined ? [] : [because]), ...(replaces ? [replacedWords(replaces)] : [])]
  return words.join('; ') || '-'
}

const memberColumns: readonly Column<Outcome['members'][number]>[] = [
  { title: 'TARGET', cell: ({ target }) => target, least: 19 },
  {
    title: 'RESULT',
    cell: ({ result }) => ({ text: result, ...(result === 'refused' && { style: 'red' as const }) }),
  },
  { title: 'BECAUSE', cell: memberWords, least: 20 },
]

type EdgeOutcome = Outcome['edges'][number]

/** One for each entry, or one for the edge where it has none. */
function edgeLines(of: EdgeOutcome, shown: ListedNow | undefined): Line[] {
  const { edge: name, outcome, detail, unreadable, entries, listed } = of
  const isNamed = detail?.startsWith(`${outcome}: `) ?? false
  const what =
    detail === undefined || isNamed ? (detail ?? outcome ?? unreadable ?? '-') : `${outcome}: ${detail}`
  const line = (entry: string, change: string): Line => ({ edge: name, what, entry, change })
  if (of.plan) return planLines(of.plan, of.calls, shown).map((each) => ({ edge: name, ...each }))
  if (listed !== undefined) {
    const change = typeof listed === 'number' ? String(listed) : `${listed.before} → ${listed.after}`
    return [line('entries listed', change), ...reloadLines(of, line)]
  }
  if (entries === undefined || entries.length === 0) return [line('-', '-')]
  return entries
    .toSorted(inOrder)
    .map(({ set, uri, before, after }) => line(`${set} ${uri}`, `${before} → ${after}`))
}

/** Of its dry run. */
function reloadLines(
  { heldAgain, guarded, readAt }: EdgeOutcome,
  line: (entry: string, change: string) => Line,
): Line[] {
  return [
    ...(heldAgain === undefined ? [] : [line('to be held again', String(heldAgain))]),
    ...(guarded === undefined ? [] : [line('guarded until then', guarded ? 'yes' : 'no')]),
    ...(readAt === undefined ? [] : [line('read at', isoTime(readAt))]),
  ]
}
