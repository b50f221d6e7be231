import * as z from 'zod'
import { byNumbers } from '../views/fleet-view.ts'

const entry = { set: z.int(), uri: z.string(), duid: z.string().optional() }

/** What a dry run would do on one edge. */
export const planForm = z.object({
  writes: z.array(z.object({ ...entry, state: z.string() })),
  guards: z.array(z.object({ uri: z.string(), held: z.boolean() })).default([]),
  refused: z.array(z.object(entry)),
  /** of a drain */
  already: z
    .array(z.object({ ...entry, flags: z.string(), heldBy: z.array(z.string()).default([]) }))
    .default([]),
  givesBack: z
    .array(z.object({ ...entry, shows: z.string().optional(), stays: z.string().optional() }))
    .default([]),
})
type Plan = z.output<typeof planForm>
type Entry = Pick<Plan['writes'][number], 'set' | 'uri' | 'duid'>
type GivenBack = Plan['givesBack'][number]

export const callsForm = z.union([
  z.object({ counted: z.int() }),
  z.object({ notCounted: z.string(), ofEdge: z.int().optional() }),
])

/** A line of the table of edges, without the edge. */
export interface PlanLine {
  readonly what: string
  readonly entry: string
  readonly change: string
}

/** What an edge lists by now. */
export type ListedNow = readonly (Entry & { readonly flags: string })[]

const written = 'would write'

/** Each entry has one line, by its set and URI, with what it shows now, and once it is given back. */
export function planLines(
  plan: Plan,
  calls: z.output<typeof callsForm> | undefined,
  listed: ListedNow = [],
): PlanLine[] {
  const all = entryLines(plan, listed)
  const isTwin = (of: Entry) => all.filter((each) => inOrder(each.of, of) === 0).length > 1
  const lines = all
    .toSorted((one, other) => inOrder(one.of, other.of))
    .map(({ of, what, change }) => ({ what, entry: nameOf(of, what === written || isTwin(of)), change }))
  return [
    ...(lines.length > 0 ? lines : [{ what: 'nothing to write', entry: '-', change: '-' }]),
    ...guardLines(plan),
    ...(calls ? [{ what: 'calls at stake', entry: '-', change: atStake(calls) }] : []),
  ]
}

function entryLines({ writes, already, refused, givesBack }: Plan, listed: ListedNow) {
  const backOf = (of: Entry) => givesBack.find((each) => isSame(each, of))
  const shown = (of: Entry) => listed.find((each) => isSame(each, of))?.flags
  const others = givesBack.filter(
    (given) => ![...writes, ...already, ...refused].some((each) => isSame(each, given)),
  )
  return [
    ...writes.map((of) => {
      const state = of.state.toUpperCase()
      const now = shown(of)
      const change = `${now === undefined ? '' : `${now} `}→ ${state}${back(backOf(of), state)}`
      return { of, what: written, change }
    }),
    ...already.map((of) => ({
      ...{ of, what: 'already' },
      change: `${of.flags}${back(backOf(of), of.flags)}${heldBy(of.heldBy)}`,
    })),
    ...refused.map((of) => ({
      of,
      what: 'refused: listed more than once in its set',
      change: shown(of) ?? '-',
    })),
    ...others.map((of) => {
      const now = of.shows ?? shown(of)
      const stays = of.stays === undefined ? [] : [`stays: ${of.stays}`]
      return { of, what: 'no write', change: [...(now === undefined ? [] : [now]), ...stays].join(', ') }
    }),
  ]
}

export function inOrder(one: Entry, other: Entry): number {
  return one.set - other.set || byNumbers(one.uri, other.uri)
}

/** A write has a duid only where its set lists the URI more than once. */
function isSame(one: Entry, other: Entry): boolean {
  const isOther = one.duid !== undefined && other.duid !== undefined && one.duid !== other.duid
  return one.set === other.set && one.uri === other.uri && !isOther
}

/** A duid is told where it tells two entries apart: there is too little room for what tells nothing. */
function nameOf({ set, uri, duid }: Entry, isApart: boolean): string {
  return `${set} ${uri}${isApart && duid !== undefined ? ` (${duid})` : ''}`
}

function heldBy(holds: readonly string[]): string {
  return holds.length === 0 ? '' : `, held by ${holds.join(', ')}`
}

/** @param shows what it shows until then */
function back(given: GivenBack | undefined, shows: string): string {
  if (given?.stays !== undefined) return `, stays: ${given.stays}`
  return given?.shows === undefined || given.shows === shows ? '' : `, gives back ${given.shows}`
}

function guardLines({ guards }: Plan): PlanLine[] {
  const uris = (held: boolean) => guards.filter((guard) => guard.held === held).map(({ uri }) => uri)
  const line = (what: string, of: readonly string[]) =>
    of.length === 0 ? [] : [{ what, entry: of.join(', '), change: '-' }]
  return [...line('would guard', uris(true)), ...line('would end guard', uris(false))]
}

/** The figure first: a narrow terminal cuts the end. No bound: a restarted edge may have forgotten some. */
function atStake(calls: z.output<typeof callsForm>): string {
  if ('counted' in calls) return String(calls.counted)
  const onEdge = calls.ofEdge === undefined ? '' : `${calls.ofEdge} on the whole edge; `
  return `${onEdge}not counted: ${calls.notCounted}`
}
