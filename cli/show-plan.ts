import * as z from 'zod'

const entry = { set: z.int(), uri: z.string(), duid: z.string().optional() }

/** What a dry run would do on one edge. */
export const planForm = z.object({
  writes: z.array(z.object({ ...entry, state: z.string() })),
  guards: z.array(z.object({ uri: z.string(), held: z.boolean() })).default([]),
  refused: z.array(z.object({ uri: z.string() })),
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

/** Each entry has one line, with what it shows once it is given back. */
export function planLines(plan: Plan, calls: z.output<typeof callsForm> | undefined): PlanLine[] {
  const { writes, already, refused, givesBack } = plan
  const backOf = (of: Entry) => givesBack.find((each) => isSame(each, of))
  const others = givesBack.filter((given) => ![...writes, ...already].some((each) => isSame(each, given)))
  const lines = [
    ...writes.map((write) => {
      const state = write.state.toUpperCase()
      return { what: 'would write', entry: nameOf(write), change: `→ ${state}${back(backOf(write), state)}` }
    }),
    ...already.map((found) => ({
      ...{ what: 'already', entry: nameOf(found) },
      change: `${found.flags}${back(backOf(found), found.flags)}${heldBy(found.heldBy)}`,
    })),
    ...refused.map(({ uri }) => ({
      ...{ what: 'refused: listed more than once in its set', entry: uri, change: '-' },
    })),
    ...others
      .filter(({ uri }) => !refused.some((each) => each.uri === uri))
      .map((back) => ({
        what: 'no write',
        entry: nameOf(back),
        change: back.shows ?? `stays: ${back.stays}`,
      })),
  ]
  return [
    ...(lines.length > 0 ? lines : [{ what: 'nothing to write', entry: '-', change: '-' }]),
    ...guardLines(plan),
    ...(calls ? [{ what: 'calls at stake', entry: '-', change: atStake(calls) }] : []),
  ]
}

function isSame(one: Entry, other: Entry): boolean {
  return one.set === other.set && one.uri === other.uri && one.duid === other.duid
}

function nameOf({ set, uri, duid }: Entry): string {
  return `${set} ${uri}${duid === undefined ? '' : ` (${duid})`}`
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

function atStake(calls: z.output<typeof callsForm>): string {
  if ('counted' in calls) return String(calls.counted)
  const most = calls.ofEdge === undefined ? '' : `; ${calls.ofEdge} of all media servers there`
  return `not counted: ${calls.notCounted}${most}`
}
