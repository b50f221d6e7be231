import { type Choices, type HoldWritten, isOfOneServer, type Scope, type Shown, statesIn } from './choices.ts'
import type { FloorPlan } from './plan.ts'
import { clocksDifferMs } from './truth.ts'

/**
 * What floors and limit leave, by what each edge has listed: the referee's own. Whoever decides goes by lists
 * of the last two minutes, so there is a most generous and a strictest view.
 */

/** How old a list may be that is decided by; two clocks are off by 1 s each. */
const freshMs = 120_000
interface Room {
  readonly choices: Choices
  readonly floors: readonly FloorPlan[]
  /** places whose machine the group surely has, and those that it may have */
  readonly members: { readonly surely: readonly number[]; readonly maybe: readonly number[] }
}

/** One floor in one list, and what holds take of it. */
interface Part {
  readonly entries: Shown['entries']
  readonly held: readonly Scope[]
}

type Entry = Shown['entries'][number]

function covers(scope: Scope, { uri, server }: Entry): boolean {
  return scope.uris.includes(uri) || (server !== undefined && scope.servers.includes(server))
}

const hostOf = ({ server, uri }: Entry) => (server === undefined ? uri : String(server))
const hostsOf = (entries: readonly Entry[]) => new Set(entries.map(hostOf))

/** @returns whether the floor is kept in this part when `taking` is held, too, or nothing of it is taken */
function leavesEnough({ entries, held }: Part, floor: FloorPlan, taking: Scope): boolean {
  const heldHosts = hostsOf(entries.filter((entry) => held.some((hold) => covers(hold, entry))))
  const free = (its: readonly Entry[]) => [...hostsOf(its)].filter((host) => !heldHosts.has(host))
  const [active, selectable] = [
    free(entries.filter(({ isActive }) => isActive)),
    free(entries.filter(({ isSelectable }) => isSelectable)),
  ]
  const taken = hostsOf(entries.filter((entry) => entry.isSelectable && covers(taking, entry)))
  // One that gets no calls takes of all that would get some.
  const counted = active.some((host) => taken.has(host)) ? active : selectable
  const left = counted.filter((host) => !taken.has(host)).length
  if (left === counted.length) return true
  // A retired mark's server is gone.
  const lifting = held.filter(({ key }) => !key.startsWith('retired/'))
  const mayComeBack = hostsOf(entries.filter((entry) => lifting.some((hold) => covers(hold, entry))))
  const all = new Set([...counted, ...mayComeBack]).size
  const { count, percent } = floor
  if (count !== undefined) return left >= count
  // How many calls there are is judged by nobody here; one server is the least.
  return left >= (percent === undefined ? 1 : Math.ceil((all * percent) / 100))
}

/** The parts of a list that a floor is about. */
function partsOf(entries: readonly Entry[], floor: FloorPlan, members: readonly number[]): Entry[][] {
  const { set, group } = floor
  const its =
    group === undefined
      ? entries
      : entries.filter(({ server }) => server !== undefined && members.includes(server))
  if (group !== undefined && set === undefined) return [[...its]]
  return [...Map.groupBy(its, (entry) => entry.set)].flatMap(([name, own]) =>
    set === undefined || set === name ? [own] : [],
  )
}

function shownBetween({ choices }: Room, edge: number, from: number, to: number): readonly Shown[] {
  return (choices.shown[edge] ?? []).filter((shown) => shown.until >= from && shown.from <= to)
}

/** Edges whose list was fresh all the while, as it is stored. */
export function freshEdges({ choices }: Pick<Room, 'choices'>, from: number, to: number): number[] {
  const byEdge = Map.groupBy(choices.heads, ({ edge }) => edge)
  return [...byEdge].flatMap(([edge, heads]) => {
    const its = statesIn(heads, from, to)
    const isFresh = ({ askedAt }: (typeof heads)[number]) =>
      askedAt !== undefined && to - askedAt <= freshMs - clocksDifferMs
    const isKnown = its[0] !== undefined && its[0].at <= from
    return isKnown && its.every(isFresh) ? [edge] : []
  })
}

/** Of those edges whose list was fresh, the ones that could be read all the while. */
export function readableEdges({ choices }: Pick<Room, 'choices'>, from: number, to: number): number[] {
  return freshEdges({ choices }, from, to).filter((edge) => {
    const its = choices.heads.filter((head) => head.edge === edge)
    return statesIn(its, from, to).every(({ isUnreadable }) => !isUnreadable)
  })
}

/** Whether any edge's list can have been fresh at some time between the two. */
export function isAnyFresh({ choices }: Pick<Room, 'choices'>, from: number, to: number): boolean {
  const byEdge = Map.groupBy(choices.heads, ({ edge }) => edge)
  return [...byEdge.values()].some((heads) =>
    statesIn(heads, from, to).some(
      ({ askedAt }) => askedAt !== undefined && from - askedAt <= freshMs + clocksDifferMs,
    ),
  )
}

/**
 * @returns the first floor that no view allows to take this: on a fresh edge each list of the last two
 * minutes forbids it, with none but those held that were surely held
 */
export function forbiddenByAll(room: Room, taking: Scope, from: number, to: number): FloorPlan | undefined {
  const held = room.choices.surelyHeld(from, to).filter((hold) => !isSame(hold, taking))
  const edges = freshEdges(room, from, to)
  // Who may or may not be of the group counts where that leaves more: of one that is gone only the URIs are
  // left, which are nobody's.
  const membersIn = (entries: readonly Entry[]) =>
    room.members.maybe.filter(
      (server) =>
        room.members.surely.includes(server) ||
        entries.some((one) => one.server === server && one.isSelectable),
    )
  return room.floors.find((floor) =>
    edges.some((edge) => {
      const views = shownBetween(room, edge, from - freshMs - clocksDifferMs, to)
      return (
        views.length > 0 &&
        views.every(({ entries }) =>
          [room.members.surely, membersIn(entries)].every((members) =>
            partsOf(entries, floor, members).some(
              (part) => !leavesEnough({ entries: part, held }, floor, taking),
            ),
          ),
        )
      )
    }),
  )
}

/** Whether some view may keep it from beginning, which takes all that may have been held then as held. */
export function mayBeForbidden(room: Room, taking: Scope, from: number, to: number): boolean {
  const held = room.choices.everHeld(from, to).filter((hold) => !isSame(hold, taking))
  return room.floors.some(
    (floor) =>
      floor.callsPerServer !== undefined ||
      room.choices.shown.some((_, edge) =>
        shownBetween(room, edge, from - freshMs - clocksDifferMs, to).some(({ entries }) =>
          [room.members.surely, room.members.maybe].some((members) =>
            partsOf(entries, floor, members).some(
              (part) => !leavesEnough({ entries: part, held }, floor, taking),
            ),
          ),
        ),
      ),
  )
}

function isSame(hold: HoldWritten, { key, subject }: Scope): boolean {
  return hold.key === key && hold.subject === subject
}

/**
 * Servers whose drains by choice of others were not over at any time between the two, by their records. What
 * may have been held by something else besides counts for nobody.
 */
export function surelyUnderWay(choices: Choices, key: string, from: number, to: number): number {
  const held = choices.surelyHeld(from, to).filter((hold) => hold.isByChoice && hold.key !== key)
  const its = [...new Map(held.map((hold) => [hold.key, hold])).values()].filter((hold) =>
    statesIn(of(choices, hold.key), from, to).every((state) => !isOver(state, hold.order)),
  )
  const keys = new Set(its.map((hold) => hold.key))
  const counted: Scope[] = choices
    .everHeld(from, to)
    .filter((hold) => hold.key !== key && !keys.has(hold.key))
  const others = counted.length
  for (const hold of its) if (!counted.some((other) => isOfOneServer(hold, other))) counted.push(hold)
  return counted.length - others
}

/** Those that may have been under way at some time between the two. */
export function maybeUnderWay(choices: Choices, key: string, from: number, to: number): number {
  const held = choices.everHeld(from, to).filter((hold) => hold.isByChoice && hold.key !== key)
  return keysOf(held).filter(([its, order]) => {
    const states = statesIn(of(choices, its), from, to)
    return states.length === 0 || states.some((state) => !isOver(state, order))
  }).length
}

function keysOf(holds: readonly HoldWritten[]): [string, string][] {
  return [...new Map(holds.map(({ key, order }) => [key, order]))]
}

function of({ drains }: Choices, key: string): Choices['drains'] {
  return drains.filter((drain) => drain.key === key)
}

/** A record of an older request says nothing of this one. */
function isOver({ phase, order }: Choices['drains'][number], since: string): boolean {
  return phase === 'held' || (phase === 'ended' && order >= since)
}
