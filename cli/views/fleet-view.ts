import type { WaitingDrain } from '../../functions/control/clearance.ts'
import { type Hold, holdKey } from '../../functions/control/hold.ts'
import { activeHosts } from '../../functions/control/load-in-service.ts'
import { isDisabled } from '../../functions/control/plan.ts'
import type { EdgeReading } from '../../functions/control/reading.ts'
import { isoTime } from '../desk/times.ts'
import { type DrainView, drainView, onWhat } from './drain-view.ts'
import type { EdgeShelf, Stored } from './look-around.ts'
import { clockDoubt } from './own-clock.ts'

/** What people are shown of a fleet: plain data, and what `-o json` prints. Times are ISO 8601. */
export interface FleetView {
  readonly stack: string
  readonly at: string
  /** why no age may be right */
  readonly clock?: string
  readonly freeze?: FreezeView
  readonly edges: readonly EdgeView[]
  readonly drains: readonly DrainView[]
  readonly waiting: readonly HoldView[]
  readonly holds: readonly HoldView[]
  readonly unread: readonly string[]
}

/** The control plane has not ended it. */
export interface FreezeView {
  readonly who: string
  readonly why: string
  readonly since: string
  /** it may have passed: by the clock here, or less than a minute ago */
  readonly until?: string
}

export interface EdgeView {
  readonly edge: string
  readonly state: 'readable' | 'unreadable' | 'removed'
  /** why it is unreadable */
  readonly reason?: string
  /** its last reading was begun then */
  readonly readAt?: string
  readonly destinations?: number
  /** servers to which it may send new calls */
  readonly active?: number
  readonly disabled?: number
  /** of all that it carries; absent where it can't tell */
  readonly calls?: number
  readonly kamailio?: string
}

export interface HoldView {
  readonly hold: string
  readonly source: string
  /** the instance, or the URI, that it is placed on */
  readonly on: string
  readonly uris: readonly string[]
  readonly who: string
  /** AWS's own word on who that was */
  readonly sender?: string
  readonly why: string
  readonly force?: string
  readonly since: string
  /** of what waits: its window begins then */
  readonly begins?: string
  /** it is lifted by itself then */
  readonly endsAt?: string
}

export interface DestinationView {
  readonly destination: string
  readonly sets: readonly number[]
  /** flags on each edge, by set where these differ */
  readonly shown: Readonly<Record<string, string>>
}

export function fleetView(stored: Stored): FleetView {
  const { stack, at, freeze, holds, waiting, unread } = stored
  const clock = clockDoubt(stored)
  return {
    ...{ stack, at: isoTime(at), ...(clock !== undefined && { clock }) },
    ...(freeze && {
      freeze: {
        ...{ who: freeze.who, why: freeze.why, since: isoTime(freeze.at) },
        ...(freeze.until !== undefined && { until: isoTime(freeze.until) }),
      },
    }),
    edges: stored.edges.map((edge) => edgeView(edge, stored.readings.edges)),
    drains: stored.drains.flatMap((drain) => drainView(drain, stored) ?? []),
    waiting: waiting.map(waitingView),
    holds: holds.map(holdView),
    unread,
  }
}

function edgeView({ head, reading, listing }: EdgeShelf, read: readonly EdgeReading[]): EdgeView {
  const { edge } = head
  if (head.removedAt !== undefined) return { edge, state: 'removed' }
  const found = read.find((each) => each.edge === edge)
  const listed = listing?.listed
  const known = {
    ...(head.askedAt > 0 && { readAt: isoTime(head.askedAt) }),
    ...(listed && {
      destinations: new Set(listed.map(({ uri }) => uri)).size,
      active: activeHosts(listed).length,
      disabled: new Set(listed.filter(isDisabled).map(({ uri }) => uri)).size,
    }),
    ...(reading && { kamailio: reading.description.version }),
  }
  if (!found?.readable)
    return { edge, state: 'unreadable', reason: found?.reason ?? 'it was not read yet', ...known }
  const { calls } = found.load
  return { edge, state: 'readable', ...known, ...(calls !== undefined && { calls }) }
}

export function holdView(hold: Omit<Hold, 'until'>): HoldView {
  const { source, uris, who, sender, why, force, placedAt, endsAt } = hold
  return {
    ...{ hold: holdKey(hold), source, on: onWhat(hold), uris, who },
    ...(sender && { sender: sender.name ?? sender.id }),
    why,
    ...(force !== undefined && { force }),
    since: isoTime(placedAt),
    ...(endsAt !== undefined && { endsAt: isoTime(endsAt) }),
  }
}

/** Since when it waits is what counts for its place. */
export function waitingView({ hold, since, beginsAt }: WaitingDrain): HoldView {
  return {
    ...holdView({ ...hold, placedAt: since }),
    ...(beginsAt !== undefined && { begins: isoTime(beginsAt) }),
  }
}

/** 10.0.0.9 comes before 10.0.0.10. */
export const byNumbers = new Intl.Collator('en', { numeric: true }).compare

export function destinationViews({ edges }: Stored): DestinationView[] {
  const entries = edges.flatMap(({ head, listing }) =>
    head.removedAt === undefined ? (listing?.listed ?? []).map((entry) => ({ edge: head.edge, entry })) : [],
  )
  const byUri = Map.groupBy(entries, ({ entry }) => entry.uri)
  const views = [...byUri].map(([destination, its]) => ({
    destination,
    sets: [...new Set(its.map(({ entry }) => entry.set))].sort((a, b) => a - b),
    shown: Object.fromEntries(
      [...Map.groupBy(its, ({ edge }) => edge)].map(([edge, on]) => [
        edge,
        flagsIn(on.map(({ entry }) => entry)),
      ]),
    ),
  }))
  return views.sort((one, other) => byNumbers(one.destination, other.destination))
}

/** `AP`, or `1:AP 2:IP` where its sets show different flags. */
export function flagsIn(entries: readonly { readonly set: number; readonly flags: string }[]): string {
  const [first, ...others] = new Set(entries.map(({ flags }) => flags))
  if (others.length === 0) return first ?? '-'
  return entries.map(({ set, flags }) => `${set}:${flags}`).join(' ')
}
