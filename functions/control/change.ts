import type { WaitingDrain } from './clearance.ts'
import type { EdgeRelease } from './edge-release.ts'
import type { EdgeResult } from './edge-result.ts'
import type { Freeze } from './freeze.ts'
import { type Hold, hasEnded, isByChoice, orderOf } from './hold.ts'
import type { Sender } from './sender.ts'

/** What edges showed of a change: those that showed the same are named together. */
export interface Shown extends Omit<EdgeResult, 'edge' | 'outcome'> {
  readonly edges: readonly string[]
  /** the last three: of a reload */
  readonly outcome: EdgeResult['outcome'] | Reloaded['outcome']
  readonly listed?: Reloaded['listed']
}

/** What a reload came to on one edge, with how many entries it listed. */
export interface Reloaded {
  readonly edge: string
  readonly outcome: 'reloaded' | 'failed' | 'not-tried'
  readonly detail?: string
  readonly listed?: { readonly before: number; readonly after: number }
}

/** For what, and for whose message, a request that waited was dropped; at epoch ms. */
export interface Superseded {
  readonly at: number
  readonly by: string
  readonly sender?: Sender
  readonly why?: string
  /** the message's */
  readonly order?: string
}

/** A reload by command. */
export interface Reload {
  /** the command's */
  readonly id: string
  readonly who: string
  readonly sender?: Sender
  readonly why?: string
}

export type ChangeOf =
  | { readonly kind: 'placed' | 'lifted' | 'retired'; readonly hold: Hold }
  | { readonly kind: 'superseded'; readonly hold: Hold; readonly superseded: Superseded }
  | { readonly kind: 'frozen' | 'freeze-ended'; readonly freeze: Freeze }
  | { readonly kind: 'released' | 'release-ended'; readonly release: EdgeRelease }
  | { readonly kind: 'reloaded'; readonly reload: Reload }

/** A change that is not filed for good yet: edges may be missing that have not been read since. */
export type Change = ChangeOf & {
  /** the same for the same message again; begins with when, epoch ms */
  readonly id: string
  readonly shown: readonly Shown[]
  /** epoch ms: since when it is on file, without some edges */
  readonly filedAt?: number
}

/** When it was asked for, or came about, epoch ms. */
export function timeOf({ id }: Pick<Change, 'id'>): number {
  return Number.parseInt(id, 10)
}

function changeOf(when: string, name: string, of: ChangeOf, shown: readonly Shown[] = []): Change {
  return { id: `${when}#${of.kind}#${name}`, shown, ...of }
}

function nameOf({ source, id, subject }: Hold): string {
  return `${source}/${id}/${subject.kind === 'uri' ? subject.uri : subject.instanceId}`
}

/**
 * Of a hold that is placed, a mark among them, or lifted.
 * @param beganAt epoch ms, of one that had to wait
 */
export function holdChange(hold: Hold, beganAt?: number): Change {
  if (hold.source === 'retired' && !hold.lifted)
    return changeOf(hold.order, nameOf(hold), { kind: 'retired', hold })
  const when = beganAt === undefined ? whenOf(hold) : orderOf(beganAt)
  return changeOf(when, nameOf(hold), { kind: hold.lifted ? 'lifted' : 'placed', hold })
}

function whenOf(hold: Hold): string {
  const { lifted, order, endsAt } = hold
  if (!lifted) return order
  // A drain's end lifts its action's hold in the order of that hold, once.
  if (!isByChoice(hold)) return orderOf(lifted.at)
  // Its own end lifts it in the order in which it was asked for, which may be weeks before.
  const isItsEnd = endsAt !== undefined && hasEnded(hold, lifted.at) && order < orderOf(endsAt)
  return isItsEnd ? orderOf(endsAt) : order
}

export function supersededChange({ hold }: WaitingDrain, superseded: Superseded): Change {
  return changeOf(orderOf(superseded.at), nameOf(hold), { kind: 'superseded', hold, superseded })
}

export function freezeChange(freeze: Freeze): Change {
  const { ended, until, order, who } = freeze
  if (!ended) return changeOf(order, who, { kind: 'frozen', freeze })
  // One that ends by itself does so in its own order, however late somebody finds it.
  const isOver = until !== undefined && ended.at >= until
  return changeOf(isOver ? orderOf(until) : order, who, { kind: 'freeze-ended', freeze })
}

export function releaseChange(release: EdgeRelease): Change {
  const { ended, order, edge } = release
  if (!ended) return changeOf(order, edge, { kind: 'released', release })
  return changeOf(orderOf(ended.at), edge, { kind: 'release-ended', release })
}

/** @param order the command's */
export function reloadChange(order: string, reload: Reload, reloaded: readonly Reloaded[]): Change {
  const results = reloaded.map((result) => ({ ...result, entries: [] }))
  return changeOf(order, reload.id, { kind: 'reloaded', reload }, alike([], results))
}

type OnEdge = Omit<Shown, 'edges'> & { readonly edge: string }

/** @returns what was shown, and what these show, each edge once: what was shown first counts */
export function alike(shown: readonly Shown[], more: readonly OnEdge[]): Shown[] {
  const groups = new Map<string, Shown>()
  const known = new Set<string>()
  const add = (edge: string, { outcome, detail, guarded, entries, more, listed }: OnEdge) => {
    if (known.has(edge)) return
    known.add(edge)
    const same = {
      outcome,
      ...(detail !== undefined && { detail }),
      ...(guarded !== undefined && { guarded }),
      entries,
      ...(more !== undefined && { more }),
      ...(listed && { listed }),
    }
    const key = JSON.stringify(same)
    groups.set(key, { edges: [...(groups.get(key)?.edges ?? []), edge], ...same })
  }
  for (const { edges, ...same } of shown) for (const edge of edges) add(edge, { edge, ...same })
  for (const one of more) add(one.edge, one)
  return [...groups.values()]
}
