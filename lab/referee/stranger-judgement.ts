import { type EdgeWrite, isOurs } from '../sip/edge-writes.ts'
import type { FlagChange } from '../sip/flag-watch.ts'
import type { DrainEvidence, Evidence, Problem } from './evidence.ts'
import {
  activeEverywhere,
  disabledEverywhere,
  gapAfter,
  reloadShowsMs,
  restoredEverywhere,
} from './flag-history.ts'

interface Destination {
  /** its machine */
  readonly name: string
  readonly uri: string
}

/** What the lab saw of a whole run. Times are Unix ms. */
export interface EdgeRecords {
  readonly since: number
  /** all of the fleet */
  readonly destinations: readonly Destination[]
  readonly evidence: readonly Evidence[]
  readonly flagsOf: (uri: string) => readonly FlagChange[]
  readonly writes: readonly EdgeWrite[]
  /** of every command that was sent */
  readonly commandIds: ReadonlySet<string>
}

/** One destination under one drain. */
interface Hold {
  readonly asked: number
  /** when the lab saw it disabled everywhere */
  readonly confirmed: number
  /** when it was asked to be given back, or its successor came */
  readonly lifted: number
  /** when every edge had given it back */
  readonly over: number
}

/** An edge showed a destination disabled in a set, or not, and had shown the other before. */
interface StateChange {
  readonly edge: string
  readonly at: number
  readonly set: number
  readonly flags: string
}

const never = Number.POSITIVE_INFINITY

/**
 * The traces of a second writer: writes in an edge's log that name none of our reasons, and states that
 * nobody had asked us for. Each finds what the other can't: a name can be copied, the FIFO logs nothing, and
 * what is changed back at once is not seen.
 */
export function strangerProblems(records: EdgeRecords): readonly Problem[] {
  return [
    ...writeProblems(records),
    ...records.destinations.flatMap((destination) => stateProblems(records, destination)),
  ]
}

function writeProblems({ since, evidence, writes, commandIds }: EdgeRecords): readonly Problem[] {
  const edges = [...new Set(evidence.flatMap((part) => part.edges))]
  return edges.flatMap((edge) => {
    const logged = writes.filter((write) => write.edge === edge && write.at >= since)
    const strange = logged.filter((write) => !isOurs(write, commandIds))
    if (logged.length === 0)
      return [{ figure: 'edges.writes', text: `the log of ${edge} has no write: it can't show who wrote` }]
    if (strange.length === 0) return []
    const names = new Set(strange.map(({ madeFor }) => madeFor))
    const requests = strange.map(({ method, params }) => `${method} ${params}`)
    return [
      {
        figure: 'edges.writes',
        text: `${edge} got ${strange.length} writes that name no event, command or run of ours but "${[...names].join('", "')}": ${examples(requests)}`,
      },
    ]
  })
}

function stateProblems(records: EdgeRecords, { name, uri }: Destination): readonly Problem[] {
  const history = records.flagsOf(uri)
  const holds = holdsOf(uri, records)
  return [...new Set(history.map(({ edge }) => edge))].flatMap((edge) => {
    const changes = stateChangesOf(history, edge).filter(({ at }) => at >= records.since)
    const reopened = changes.filter(
      (change) =>
        !isD(change.flags) &&
        holds.some(({ confirmed, lifted }) => change.at > confirmed && change.at <= lifted) &&
        !isExplained(change, history, records),
    )
    const disabled = changes.filter(
      ({ flags, at }) => isD(flags) && !holds.some(({ asked, over }) => at >= asked && at <= over),
    )
    return [
      ...stateProblem('edges.reopened', `${edge} showed ${name} open while it was held`, reopened),
      ...stateProblem('edges.disabled', `${edge} showed ${name} disabled while nothing held it`, disabled),
    ]
  })
}

function stateProblem(figure: string, what: string, changes: readonly StateChange[]): readonly Problem[] {
  if (changes.length === 0) return []
  const shown = changes.map(({ flags, set }) => `${flags} in set ${set}`)
  const often = changes.length === 1 ? 'once' : `${changes.length} times`
  return [{ figure, text: `somebody else changed a state: ${what}, ${often}: ${examples(shown)}` }]
}

function holdsOf(uri: string, { evidence, flagsOf }: EdgeRecords): readonly Hold[] {
  const history = flagsOf(uri)
  const own = evidence.filter(({ destination }) => destination === uri)
  const launches = own.flatMap((part) => (part.kind === 'launch' ? [part.launchedAt] : []))
  const drains = own.filter((part): part is DrainEvidence => part.kind === 'drain')
  return drains.map(({ triggeredAt: asked, edges, restoreAt }) => {
    const confirmed = disabledEverywhere(history, edges, asked) ?? never
    const launchedAt = launches.find((at) => at > asked)
    if (restoreAt !== undefined) {
      const over = restoredEverywhere(history, edges, restoreAt, asked) ?? never
      return { asked, confirmed, lifted: restoreAt, over }
    }
    if (launchedAt === undefined) return { asked, confirmed, lifted: never, over: never }
    const over = activeEverywhere(history, edges, launchedAt) ?? never
    return { asked, confirmed, lifted: launchedAt, over }
  })
}

/**
 * While an edge can't be read it shows nothing: what it shows then is compared with what it had shown before.
 */
function stateChangesOf(history: readonly FlagChange[], edge: string): readonly StateChange[] {
  const before = new Map<number, string>()
  return history.flatMap((change) => {
    if (change.edge !== edge) return []
    return [...(change.flags ?? [])].flatMap(([set, flags]) => {
      const former = before.get(set)
      before.set(set, flags)
      return former === undefined || isD(former) === isD(flags) ? [] : [{ edge, at: change.at, set, flags }]
    })
  })
}

/** A restart and a reload show the edge's file, until what is held is disabled again. */
function isExplained(
  { edge, at }: StateChange,
  history: readonly FlagChange[],
  { evidence, writes, commandIds }: EdgeRecords,
): boolean {
  const restarted = evidence.some((part) => {
    if (part.kind !== 'drain' || part.restart?.edge !== edge) return false
    const gap = gapAfter(history, part.edges, part.restart)
    return at >= gap.from && at <= (gap.until ?? never)
  })
  const reloaded = writes.some(
    (write) =>
      write.edge === edge &&
      write.method === 'dispatcher.reload' &&
      isOurs(write, commandIds) &&
      write.at <= at &&
      at <= write.at + reloadShowsMs,
  )
  return restarted || reloaded
}

function isD(flags: string): boolean {
  return flags.startsWith('D')
}

/** The first three that differ. */
function examples(texts: readonly string[]): string {
  const different = [...new Set(texts)]
  const more = different.length - 3
  return `${different.slice(0, 3).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
