import { isInstanceId } from '../../functions/control/resolve.ts'
import type { Screen } from '../desk/desk.ts'
import { quotable, type Shown, wrapped } from '../desk/format.ts'
import { type Cell, type Column, table } from '../desk/table.ts'
import { fromNow, span } from '../desk/times.ts'
import type { DrainView } from '../views/drain-view.ts'
import { endsText } from '../views/ends.ts'
import type { DestinationView, EdgeView, FleetView, FreezeView, HoldView } from '../views/fleet-view.ts'

/** Tables of what a fleet is like. `now` is when it was read. */

const none = '-'

export function showStatus(fleet: FleetView): Shown {
  return { data: fleet, text: (screen) => statusText(quotable(fleet), screen) }
}

function statusText(fleet: FleetView, screen: Screen): string {
  const { stack, at, clock, freeze, edges, drains, waiting, holds, unread } = fleet
  const underWay = drains.filter(({ phase }) => phase !== 'held').length
  const sum = `${counted(edges.length, 'edge')}, ${counted(drains.length, 'drain')} (${underWay} not over), ${waiting.length} waiting, ${counted(holds.length, 'hold')}`
  const line = (text: string) => wrapped(text, screen.columns)
  return [
    `${stack}  ${at}`,
    sum,
    ...(clock === undefined ? [] : [line(clock)]),
    ...(freeze
      ? [line(`FROZEN by ${shortName(freeze.who)}, ${frozenUntil(freeze, at)}: ${freeze.why}`)]
      : []),
    ...unread.map((row) => line(`a row can't be read: ${row}`)),
    '',
    table(edgeColumns(Date.parse(at)), edges, screen),
    ...(drains.length > 0 ? ['', table(drainColumns(Date.parse(at)), drains, screen)] : []),
    ...(waiting.length > 0
      ? ['', 'waiting to begin', table(waitingColumns(Date.parse(at), waiting), waiting, screen)]
      : []),
    ...marks(fleet, screen),
  ].join('\n')
}

/** Times of one form are in order as text. */
function frozenUntil({ until }: FreezeView, at: string): string {
  if (until === undefined) return 'until unfreeze'
  return until > at
    ? `until ${until}`
    : `until ${until}, which has passed by this clock; the control plane has not ended it yet`
}

/** Holds that have no drain: retired marks, and for a moment what has just begun, or is just over. */
function marks({ holds, drains, at }: FleetView, screen: Screen): string[] {
  const known = new Set(drains.map(({ drain }) => drain))
  const retired = holds.filter(({ source }) => source === 'retired')
  const open = holds.filter(({ source, hold }) => source !== 'retired' && !known.has(hold))
  const part = (title: string, its: readonly HoldView[]) =>
    its.length === 0 ? [] : ['', title, table(holdColumns(Date.parse(at)), its, screen)]
  return [
    ...part("held, and no drain to show: it is beginning, just over, or can't be read", open),
    ...part('retired', retired),
  ]
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

export function showEdges({ edges, at }: FleetView): Shown {
  return listOf(edges, edgeColumns(Date.parse(at)), 'no edge is known')
}
export function showDrains({ drains, at }: FleetView): Shown {
  return listOf(drains, drainColumns(Date.parse(at)), 'no drain is under way')
}
export function showHolds({ holds, at }: FleetView): Shown {
  return listOf(holds, holdColumns(Date.parse(at)), 'nothing is held')
}
export function showDestinations(destinations: readonly DestinationView[]): Shown {
  const edges = [...new Set(destinations.flatMap(({ shown }) => Object.keys(shown)))].sort()
  const columns: Column<DestinationView>[] = [
    { title: 'DESTINATION', cell: ({ destination }) => destination, least: 16 },
    { title: 'SETS', cell: ({ sets }) => sets.join(',') },
    ...edges.map((edge) => ({
      title: edge.toUpperCase(),
      cell: ({ shown }: DestinationView) => flagCell(shown[edge] ?? none),
      optional: true as const,
    })),
  ]
  return listOf(destinations, columns, 'no destination is listed')
}

/** @param empty what people are told where there is none: titles alone look as if something failed */
function listOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): Shown {
  const text = (screen: Screen) => (rows.length === 0 ? empty : table(columns, rows, screen))
  return { data: rows, lines: rows, text }
}

function flagCell(flags: string): Cell {
  return /(^|:)D/.test(flags) ? { text: flags, style: 'yellow' } : { text: flags }
}

/** Of an ARN the role with its session, or the user. */
export function shortName(who: string): string {
  return who.replace(/^arn:[^:]*:(?:sts|iam)::\d*:(?:(?:assumed-role|user|federated-user)\/|(?=root$))/, '')
}

function numberOr(value: number | undefined): string {
  return value === undefined ? none : String(value)
}

/** One that was removed is no fault, and drains may wait for it. */
const stateStyles = { readable: 'green', unreadable: 'red', removed: 'yellow' } as const

function edgeColumns(now: number): Column<EdgeView>[] {
  return [
    { title: 'EDGE', cell: ({ edge }) => edge, least: 10 },
    {
      title: 'STATE',
      cell: ({ edge, state, reason }) => ({
        text: reason === undefined ? state : `${state}: ${reason.replace(`edge ${edge}: `, '')}`,
        style: stateStyles[state],
      }),
      least: 10,
    },
    { title: 'READ', cell: ({ readAt }) => (readAt === undefined ? none : fromNow(Date.parse(readAt), now)) },
    { title: 'CALLS', cell: ({ calls }) => numberOr(calls) },
    { title: 'ACTIVE', cell: ({ active }) => numberOr(active) },
    { title: 'DISABLED', cell: ({ disabled }) => numberOr(disabled) },
    { title: 'LISTED', cell: ({ destinations }) => numberOr(destinations) },
    { title: 'KAMAILIO', cell: ({ kamailio = none }) => kamailio, optional: true },
  ]
}

function drainColumns(now: number): Column<DrainView>[] {
  return [
    { title: 'DRAIN OF', cell: serverName, least: 19 },
    { title: 'PHASE', cell: phaseCell },
    { title: 'CALLS', cell: ({ callsLeft, unknown }) => callsText(callsLeft, unknown) },
    { title: 'OVER IN', cell: ({ ends }) => endsText(ends, now) },
    { title: 'DEADLINE', cell: (drain) => deadlineText(drain, now) },
    { title: 'WHO', cell: ({ who }) => shortName(who), least: 6 },
    { title: 'WHY', cell: ({ why }) => why, least: 6 },
    { title: 'ON EDGES', cell: edgesCell, optional: true },
    { title: 'AGE', cell: ({ since }) => span(now - Date.parse(since)), optional: true },
    { title: 'TREND', cell: ({ trend }) => (trend === 'unknown' ? none : trend), optional: true },
    { title: 'INSTANCE', cell: instanceCell, optional: true },
  ]
}

/** People know a server by its destination, also where its instance is held. */
export function serverName({ on, uris }: Pick<HoldView, 'on' | 'uris'>): string {
  const [first = on, ...others] = uris
  return others.length > 0 ? `${first} and ${others.length} more` : first
}

function instanceCell({ on }: Pick<HoldView, 'on'>): string {
  return isInstanceId(on) ? on : none
}

/** What has no call left has no deadline any more. */
function deadlineText({ phase, deadline }: DrainView, now: number): string {
  return phase === 'held' || phase === 'completing' ? none : fromNow(Date.parse(deadline), now)
}

/** More may be left where something is unknown. */
export function callsText(callsLeft: number, unknown: readonly string[]): string {
  if (unknown.length === 0) return String(callsLeft)
  return callsLeft === 0 ? 'unknown' : `${callsLeft}+`
}

export function phaseText({ phase, verdict, overdue, confirmed }: DrainView): string {
  if (phase === 'held') return verdict
  if (phase !== 'draining') return phase
  if (overdue) return 'overdue'
  return confirmed ? 'draining' : 'disabling'
}

function phaseCell(drain: DrainView): Cell {
  if (drain.phase === 'held') return { text: phaseText(drain), style: 'green' }
  return drain.overdue ? { text: phaseText(drain), style: 'red' } : { text: phaseText(drain) }
}

function edgesCell({ edges }: DrainView): string {
  return edges
    .map(({ edge, shows, calls, most }) => `${edge}:${progressText(calls, most) ?? shows}`)
    .join(' ')
}

/** `3/12`: what is left of the most that it had. */
export function progressText(calls: number | undefined, most: number | undefined): string | undefined {
  if (calls === undefined || most === undefined) return undefined
  return most === 0 ? '0' : `${calls}/${most}`
}

/** Nothing holds it yet. When its window begins comes before who asked for it, where any has one. */
function waitingColumns(now: number, waiting: readonly HoldView[]): Column<HoldView>[] {
  const columns = holdColumns(now).with(0, { title: 'DRAIN OF', cell: serverName, least: 19 })
  if (waiting.every(({ begins }) => begins === undefined)) return columns
  const cell = ({ begins }: HoldView) => (begins === undefined ? none : fromNow(Date.parse(begins), now))
  return columns.toSpliced(2, 0, { title: 'BEGINS', cell })
}

/** A window that is still to begin has no age: its place among those that wait is its beginning. */
function ageText({ since, begins }: HoldView, now: number): string {
  const at = Date.parse(since)
  return begins !== undefined && at > now ? none : span(now - at)
}

function holdColumns(now: number): Column<HoldView>[] {
  return [
    { title: 'HELD', cell: serverName, least: 19 },
    { title: 'SOURCE', cell: ({ source }) => source },
    { title: 'AGE', cell: (hold) => ageText(hold, now) },
    { title: 'WHO', cell: ({ who }) => shortName(who), least: 8 },
    { title: 'WHY', cell: ({ why }) => why, least: 8 },
    {
      title: 'ENDS',
      cell: ({ endsAt }) => (endsAt === undefined ? none : fromNow(Date.parse(endsAt), now)),
      optional: true,
    },
    { title: 'SENDER', cell: ({ sender = none }) => sender, optional: true },
    { title: 'INSTANCE', cell: instanceCell, optional: true },
    { title: 'ID', cell: ({ hold }) => hold, optional: true },
  ]
}
