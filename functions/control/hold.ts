import type { DestinationUri, Flags } from './destination.ts'

/** Whose calls are meant: one life of one EC2 machine (an id may start again with another address), or a bare URI. */
export type Subject =
  | { readonly kind: 'instance'; readonly instanceId: string; readonly launchedAt: number }
  | { readonly kind: 'uri'; readonly uri: DestinationUri }

/** `retired` is the mark that a lifecycle drain leaves behind: like a hold it keeps the destination disabled. */
export type HoldSource = 'lifecycle' | 'alarm' | 'operator' | 'retired'

/**
 * A recorded reason for destinations to take no new calls. All times are epoch milliseconds. A lifted hold stays as a
 * tombstone (`lifted`), so that an older message that comes late can't place it again.
 */
export interface Hold {
  readonly source: HoldSource
  /** lifecycle and retired: instance id/hook; alarm: name (and series); operator: destination or instance as resolved */
  readonly id: string
  readonly subject: Subject
  /** every listed URI of the subject, verbatim, over all edges */
  readonly uris: readonly DestinationUri[]
  /** addresses the subject places calls from, for the `src` profile */
  readonly addresses: readonly string[]
  readonly who: string
  readonly why: string
  readonly placedAt: number
  /** when its drain is due; a hold never ends by itself */
  readonly until?: number
  /** what orders messages about this hold, compared as text: the later one wins */
  readonly order: string
  readonly lifted?: { readonly at: number; readonly by: string }
}

/** What an edge showed for one entry when its first hold came. Kept until the entry reads back restored. */
export interface FormerFlags {
  readonly edge: string
  readonly group: number
  readonly uri: DestinationUri
  readonly duid?: string
  readonly flags: Flags
  readonly recordedAt: number
}

/** Stable text form of a subject, the key under which rounds count its calls. */
export function subjectKey(subject: Subject): string {
  return subject.kind === 'instance' ? `${subject.instanceId}@${subject.launchedAt}` : subject.uri
}

/** @returns the holds that keep this destination disabled now. */
export function holdsOn(uri: DestinationUri, holds: readonly Hold[]): Hold[] {
  return holds.filter((hold) => !hold.lifted && hold.uris.includes(uri))
}
