import type { DestinationUri, ListedDestination } from './destination.ts'
import { canonicalHost, sameDestination, sipUri } from './destination.ts'
import type { Sender } from './sender.ts'

/**
 * Whose calls are meant: one life of one EC2 machine (an id may start again with another address), or a bare
 * URI. `launchedAt` is 0 until EC2 has shown the machine.
 */
export type Subject =
  | { readonly kind: 'instance'; readonly instanceId: string; readonly launchedAt: number }
  | { readonly kind: 'uri'; readonly uri: DestinationUri }

/** A launch time that EC2 has not shown yet tells no life from another. */
export function isSameSubject(one: Subject, other: Subject): boolean {
  if (one.kind === 'uri') return other.kind === 'uri' && one.uri === other.uri
  if (other.kind === 'uri' || one.instanceId !== other.instanceId) return false
  return one.launchedAt === other.launchedAt || one.launchedAt === 0 || other.launchedAt === 0
}

/**
 * `retired` is the mark that a lifecycle drain leaves behind: like a hold it keeps the destination disabled.
 */
export const holdSources = ['lifecycle', 'alarm', 'operator', 'retired'] as const
export type HoldSource = (typeof holdSources)[number]

const choices = { lifecycle: false, alarm: true, operator: true, retired: false } as const satisfies Record<
  HoldSource,
  boolean
>
/** Of a drain by choice, which clearance may have wait. */
export type ChosenSource = {
  [S in HoldSource]: (typeof choices)[S] extends true ? S : never
}[HoldSource]

/**
 * A recorded reason for destinations to take no new calls. All times are epoch milliseconds. A lifted hold
 * stays as a tombstone (`lifted`), so that an older message that comes late can't place it again.
 */
export interface Hold {
  readonly source: HoldSource
  /**
   * lifecycle and retired: instance id/hook; alarm: name (and series); operator: destination or instance as
   * resolved
   */
  readonly id: string
  readonly subject: Subject
  /**
   * the listed URIs it keeps disabled, verbatim, over all edges; a lifecycle hold's are filled in by settle,
   * as are its addresses and group
   */
  readonly uris: readonly DestinationUri[]
  /**
   * what any edge had listed of it before it was held, by address, duid or tag: a call is counted under the
   * URI that it began with, also on an edge that never listed that
   */
  readonly formerUris?: readonly DestinationUri[]
  /** addresses the subject places calls from, for the `src` profile */
  readonly addresses: readonly string[]
  /** true: whatever else an edge lists for the instance is held too; false: exactly `uris` */
  readonly wholeInstance: boolean
  /**
   * epoch ms: EC2 was asked of its machine after this, when the hold was placed already, and it covers all
   * that EC2 showed
   */
  readonly shownAt?: number
  /** Auto Scaling group, which knows how to ask the media server itself for its calls */
  readonly group?: string
  /** an operator's as the command claims it */
  readonly who: string
  /** a command's or alarm's; a release before 0.2 kept none */
  readonly sender?: Sender
  readonly why: string
  /** why it was begun whatever the floors, the limit or a freeze ask for */
  readonly force?: string
  readonly placedAt: number
  /** when its drain is due, which ends no hold */
  readonly until?: number
  /** when it is lifted by itself */
  readonly endsAt?: number
  /** what its command named, where that was for many: it may be listed no more when that is activated */
  readonly of?: Many
  /** what it took the place of: a newer request of the same operator has its own end, or none */
  readonly replaces?: ReplacedHold
  /** what orders messages about this hold, compared as text: the later one wins */
  readonly order: string
  readonly lifted?: {
    readonly at: number
    readonly by: string
    readonly sender?: Sender
    readonly why?: string
  }
}

/** One's own hold in force that a newer request takes the place of. `since`: epoch ms. */
export interface ReplacedHold {
  readonly why: string
  readonly since: number
  readonly endsAt?: number
}

/** @param former the hold of the same name and subject, where there is one */
export function replacing(former: Hold | undefined): ReplacedHold | undefined {
  if (former?.source !== 'operator' || former.lifted) return undefined
  const { why, placedAt, endsAt } = former
  return { why, since: placedAt, ...(endsAt !== undefined && { endsAt }) }
}

/** What a command names that is for many servers. */
export type Many = { readonly group: string } | { readonly set: number } | { readonly zone: string }

/** What a request about a hold wants: that it be there, or that it be lifted. */
export type RequestIntent = 'hold' | 'lift'

/** The newest request that was seen about a hold. */
export interface SeenRequest {
  readonly order: string
  readonly intent: RequestIntent
}

/**
 * Of a machine that EC2 has shown no address of yet, nobody knows what it covers, but for entries with its id
 * as duid.
 */
export function isResolved({ subject, addresses }: Pick<Hold, 'subject' | 'addresses'>): boolean {
  return subject.kind === 'uri' || addresses.length > 0
}

/** Whether EC2 may show more that it covers. */
export function mayShowMore({ source, subject, wholeInstance }: Hold): boolean {
  return source !== 'retired' && subject.kind === 'instance' && wholeInstance
}

export type HoldName = Pick<Hold, 'source' | 'id'>

/** Whose calls an edge can be asked for, under the name of a hold. */
export type Countable = HoldName &
  Pick<Hold, 'subject' | 'uris' | 'formerUris' | 'addresses' | 'wholeInstance'>

/** An alarm's or operator's. */
export function isByChoice<H extends Pick<Hold, 'source'>>(hold: H): hold is H & { source: ChosenSource } {
  return choices[hold.source]
}

/** Whether the end that it was given has come. */
export function hasEnded({ endsAt }: Pick<Hold, 'endsAt'>, now: number): boolean {
  return endsAt !== undefined && now >= endsAt
}

/** Names a hold: its source and id are unique over the fleet. Readings count calls under this key. */
export function holdKey(hold: HoldName): string {
  return `${hold.source}/${hold.id}`
}

/** A hold as outcomes name it. */
export function named({ source, id, who, sender, why, endsAt }: Hold) {
  return { source, id, who, sender, why, endsAt }
}

/**
 * Orders messages about one hold as text: time (epoch ms) first, then whatever orders messages of the same
 * time.
 */
export function orderOf(time: number, tieBreak = ''): string {
  return `${String(Math.trunc(time)).padStart(15, '0')}${tieBreak && `#${tieBreak}`}`
}

/** What tells one listed entry from another. */
export type ListedName = Pick<ListedDestination, 'uri' | 'duid' | 'address'>

/** What a hold or a drain speaks of. */
export type Scope = Pick<Hold, 'uris' | 'addresses' | 'wholeInstance'> & { readonly subject?: Subject }

/** Whether a listed entry is one of those that a hold or a drain speaks of. */
export function belongsTo({ uri, address, duid }: ListedName, scope: Scope): boolean {
  if (coversUri(uri, scope)) return true
  if (!scope.wholeInstance) return false
  if (hasAddress(scope, address)) return true
  return scope.subject?.kind === 'instance' && duid === scope.subject.instanceId
}

/** Whether a hold or a drain speaks of a URI by itself, which no list need show. */
export function coversUri(uri: DestinationUri, scope: Scope): boolean {
  if (scope.uris.some((own) => sameDestination(own, uri))) return true
  return scope.wholeInstance && hasAddress(scope, sipUri(uri)?.host)
}

function hasAddress({ addresses }: Scope, host: string | undefined): boolean {
  return host !== undefined && addresses.some((address) => (canonicalHost(address) ?? address) === host)
}
