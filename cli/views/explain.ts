import type { ClearanceRules } from '../../functions/control/clearance.ts'
import type { ListedDestination } from '../../functions/control/destination.ts'
import type { ChosenHold } from '../../functions/control/drain.ts'
import { entryKey } from '../../functions/control/entry-record.ts'
import { DispatcherControlError } from '../../functions/control/errors.ts'
import { type Hold, holdKey, type Scope } from '../../functions/control/hold.ts'
import { speaksOf } from '../../functions/control/plan.ts'
import { instanceDestinations, isInstanceId, namedDestination } from '../../functions/control/resolve.ts'
import { Stop } from '../desk/exit-codes.ts'
import { inShell } from '../desk/shell-word.ts'
import { isoTime } from '../desk/times.ts'
import { foreseen } from './clearance.ts'
import { drainAgain, wholeInstanceOf } from './drain-again.ts'
import { type DrainView, drainView } from './drain-view.ts'
import { type HoldView, holdView, waitingView } from './fleet-view.ts'
import type { EdgeShelf, Records, Stored } from './look-around.ts'
import { whatItWaitsFor, whatNext } from './what-next.ts'

/** Why a server gets no calls, or gets them. */
export interface Explanation {
  readonly target: string
  readonly uris: readonly string[]
  readonly holds: readonly (HoldView & { readonly undo: string })[]
  /** asked for, and not begun */
  readonly waiting: readonly (HoldView & { readonly undo: string; readonly next: readonly string[] })[]
  readonly edges: readonly EdgeEntriesView[]
  readonly drains: readonly DrainExplanation[]
}

export interface DrainExplanation extends DrainView {
  readonly notOver: readonly string[]
  /** what happens next, and when */
  readonly next: readonly string[]
}

export interface EdgeEntriesView {
  readonly edge: string
  readonly entries: readonly EntryView[]
  /** what it showed before is on record, and can't be read */
  readonly recordsUnreadable?: true
  /** it has shown all of it disabled since */
  readonly disabledSince?: string
  readonly readAt?: string
  /** what it shows is as it was read last, too long ago to be believed, or is not known at all */
  readonly isUnread?: true
}

export interface EntryView {
  readonly set: number
  readonly uri: string
  readonly flags: string
  /** before we disabled it, which is what it gets back; absent where nothing is on record */
  readonly showed?: string
}

/**
 * @param rules what has drains wait; without them that is told in general
 * @throws Stop where the name means nothing that is listed or held, or several destinations
 */
export function explain(name: string, stored: Stored, records: Records, rules?: ClearanceRules): Explanation {
  const target = targetNamed(name, stored)
  const isOnTarget = speaksOf(target, listedIn(stored))
  const holds = stored.holds.filter(isOnTarget)
  const waiting = stored.waiting.filter(({ hold }) => isOnTarget(hold))
  const decided = rules && waiting.length > 0 ? foreseen(stored, rules) : undefined
  const own = new Set(holds.map(({ source, id }) => `${source}/${id}`))
  return {
    target: name,
    uris: target.uris,
    holds: holds.map((hold) => ({ ...holdView(hold), undo: whatLifts(hold, name, stored.kdc) })),
    waiting: waiting.map((each) => ({
      ...waitingView(each),
      undo: whatDrops(each.hold, holds, name, stored.kdc),
      next: whatItWaitsFor(each, stored, decided?.get(each)),
    })),
    edges: stored.edges
      .filter(({ head }) => head.removedAt === undefined)
      .map((edge) => entriesOn(edge, target, { records, readings: stored.readings })),
    drains: stored.drains.flatMap((drain) => {
      const view = drainView(drain, stored)
      if (!view || !own.has(view.drain)) return []
      return [{ ...view, notOver: whyNotOver(view), next: whatNext(drain, view, stored) }]
    }),
  }
}

/** A hold, or what waits to become one. */
export type Request = Pick<Hold, 'source' | 'id' | 'who' | 'why'>

/** What an activate of this name could lift or drop. @throws Stop */
export function requestsOf(name: string, stored: Stored): Request[] {
  return requestsIn(stored).filter(speaksOf(targetNamed(name, stored), listedIn(stored)))
}

function requestsIn({ holds, waiting }: Stored): (Request & Required<Scope>)[] {
  return [...holds, ...waiting.map(({ hold }) => hold)]
}

export function targetNamed(name: string, stored: Stored): Scope {
  const listed = listedIn(stored)
  const known = requestsIn(stored).flatMap(({ uris }) => uris)
  try {
    if (!isInstanceId(name))
      return { uris: namedDestination(name, listed, known), addresses: [], wholeInstance: false }
  } catch (error) {
    if (!(error instanceof DispatcherControlError)) throw error
    const unread = stored.edges.flatMap(({ head, listing }) => (listing ? [] : [head.edge]))
    const mayList = unread.length === 0 ? '' : `; ${unread.join(', ')} could not be read, and may list it`
    throw new Stop(`${error.message}${mayList}; ${stored.kdc} get destinations lists them`, undefined, {
      cause: error,
    })
  }
  const facts = stored.instances.find(({ instanceId }) => instanceId === name)
  const requested = requestsIn(stored).filter(
    ({ subject }) => subject.kind === 'instance' && subject.instanceId === name,
  )
  if (!facts && requested.length === 0)
    throw new Stop(`no instance ${name} is in the groups of ${stored.stack}, and none is held under that id`)
  const listedOf = facts ? instanceDestinations(facts, listed, known) : []
  const uris = [...listedOf, ...requested.flatMap((hold) => hold.uris)]
  return {
    ...{ uris: [...new Set(uris)], addresses: facts?.addresses ?? [], wholeInstance: true },
    subject: { kind: 'instance', instanceId: name, launchedAt: 0 },
  }
}

function listedIn(stored: Stored): ListedDestination[] {
  return stored.edges.flatMap(({ listing }) => listing?.listed ?? [])
}

function entriesOn(
  { head, listing, reading }: EdgeShelf,
  { uris }: Scope,
  { records, readings }: Pick<Stored, 'readings'> & { readonly records: Records },
): EdgeEntriesView {
  const its = records.get(head.edge)
  const showed = new Map(
    its?.flatMap((record) => (record.kind === 'entry' ? [[entryKey(record), record.flags] as const] : [])),
  )
  const entries = (listing?.listed ?? []).filter(({ uri }) => uris.includes(uri))
  const settled = (reading?.entries ?? []).filter(({ uri }) => uris.includes(uri))
  const since = settled.flatMap((entry) => entry.since ?? [])
  const isUnread = !listing || !readings.edges.find(({ edge }) => edge === head.edge)?.readable
  const isDisabled = entries.length > 0 && entries.every(({ flags }) => flags.startsWith('D'))
  return {
    edge: head.edge,
    entries: entries.map((entry) => {
      const { set, uri, flags } = entry
      const before = showed.get(entryKey(entry))
      return { set, uri, flags, ...(before !== undefined && { showed: before }) }
    }),
    ...(records.has(head.edge) && its === undefined && { recordsUnreadable: true as const }),
    ...(isDisabled && since.length > 0 && { disabledSince: isoTime(Math.max(...since)) }),
    ...(head.askedAt > 0 && { readAt: isoTime(head.askedAt) }),
    ...(isUnread && { isUnread: true as const }),
  }
}

/** What a person does, or waits for, to have it lifted. */
export function whatLifts({ source, id }: Pick<Hold, 'source' | 'id'>, name: string, kdc: string): string {
  const command = `${kdc} activate ${inShell(name)} --hold ${inShell(`${source}/${id}`)}`
  switch (source) {
    case 'lifecycle':
      return 'no command lifts it: its end is the end of the lifecycle action'
    case 'alarm':
      return `it is lifted when its alarm is OK; sooner: ${command}`
    case 'retired':
      return `it ends when a new instance has the address, or no edge lists it; sooner: ${command}`
    case 'operator':
      return command
    default:
      return source satisfies never
  }
}

/** An activate lifts a hold in force of the same name too: its owner's newer drain drops what waits alone. */
function whatDrops(waiting: ChosenHold, holds: readonly Hold[], name: string, kdc: string): string {
  const placed = holds.find((hold) => holdKey(hold) === holdKey(waiting))
  if (placed?.source !== 'operator') return whatLifts(waiting, name, kdc)
  const words = inShell(wholeInstanceOf(placed) ?? placed.uris[0] ?? name)
  return `its owner's drain in force, sent anew: ${kdc} ${drainAgain(words, [placed])}`
}

function whyNotOver({
  phase,
  callsLeft,
  unknown,
  edges,
  zeroPending,
  overdue,
  deadline,
}: DrainView): string[] {
  if (phase === 'completing') return ['its calls are judged: Auto Scaling is being answered']
  const open = edges.filter(({ shows }) => shows === 'open').map(({ edge }) => edge)
  const isHeld = phase === 'held'
  if (isHeld && open.length === 0 && callsLeft === 0 && unknown.length === 0)
    return ['no call is left: its hold stays until somebody lifts it']
  const counted = edges.filter(({ calls = 0 }) => calls > 0).map(({ edge, calls }) => `${calls} on ${edge}`)
  const lines: (string | false)[] = [
    isHeld && 'no call was left when it was found drained; since then:',
    open.length > 0 && `${open.join(', ')} may still send it new calls`,
    callsLeft > 0 && `calls are left: ${counted.length > 0 ? counted.join(', ') : callsLeft}`,
    ...unknown.map((reason) => `unknown: ${reason}`),
    zeroPending && 'every edge shows no call: a second reading has to confirm it',
    phase === 'ending-calls' && 'its deadline has passed: its calls are being ended, a few at a time',
    phase === 'retained' &&
      'its deadline has passed: Auto Scaling keeps the instance until its calls are over',
    overdue && `its deadline was ${deadline}`,
  ]
  const found = lines.filter((line) => typeof line === 'string')
  if (found.length > 0) return found
  const isShown = edges.length > 0 && edges.every(({ shows }) => shows !== 'open' && shows !== 'unknown')
  return isShown
    ? ['every edge shows it disabled once; a second reading has to confirm it']
    : ['it has just begun: the edges were not read since']
}
