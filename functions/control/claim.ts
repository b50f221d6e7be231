import type { DrainRecord } from './drain-record.ts'
import { isSameSubject } from './hold.ts'

/** What a trigger asks for: a drain record before its first attempt. */
export type DrainRequest = Pick<
  DrainRecord,
  | 'id'
  | 'source'
  | 'holdId'
  | 'who'
  | 'why'
  | 'order'
  | 'requestedAt'
  | 'deadlineAt'
  | 'instanceId'
  | 'subject'
  | 'uris'
  | 'addresses'
  | 'wholeInstance'
  | 'group'
  | 'lifecycle'
>

export type Claim =
  /** write this record (its version decides who wins), then start its attempt */
  | { readonly kind: 'new' | 'refresh'; readonly record: DrainRecord }
  /** the same request again: make sure that its attempt runs, unless it has ended */
  | { readonly kind: 'duplicate'; readonly record: DrainRecord }
  /** older than what is on record: drop it */
  | { readonly kind: 'stale'; readonly record: DrainRecord }

/**
 * Decides what a request means next to the record of the same id. A lifecycle action is told by its token: the same token
 * is the same action, whatever its event's time. Of an operator's or alarm's drain, a newer request while it runs renews
 * who, why and deadline, and what was concluded is concluded anew, since its hold may have been lifted in between; after its
 * end, or of another machine or URI, it is a new attempt.
 */
export function claim(existing: DrainRecord | undefined, request: DrainRequest): Claim {
  if (!existing) return { kind: 'new', record: fresh(request, 1, 1) }
  const token = request.lifecycle?.token
  const same = token !== undefined ? token === existing.lifecycle?.token : request.order === existing.order
  if (same) return { kind: 'duplicate', record: existing }
  if (request.order < existing.order) return { kind: 'stale', record: existing }
  const runs = existing.state !== 'ended' && existing.result !== 'lifted'
  const isOfTheSame =
    existing.subject !== undefined &&
    request.subject !== undefined &&
    isSameSubject(existing.subject, request.subject)
  if (runs && isOfTheSame && !request.lifecycle)
    return { kind: 'refresh', record: renewed(existing, request) }
  return { kind: 'new', record: fresh(request, existing.attempt + 1, existing.version + 1) }
}

function fresh(request: DrainRequest, attempt: number, version: number): DrainRecord {
  return { ...request, attempt, version, state: 'claimed', edges: {}, completionTries: 0, steps: 0 }
}

function renewed(existing: DrainRecord, request: DrainRequest): DrainRecord {
  const { order, who, why, requestedAt, deadlineAt } = request
  const kept = { ...concludedAnew(existing), version: existing.version + 1 }
  return { ...kept, ...{ order, who, why, requestedAt, deadlineAt } }
}

/** @returns the record without what was concluded: its servers may have taken calls in between */
export function concludedAnew(existing: DrainRecord): DrainRecord {
  const { confirmedAt, overdueSaid, result, ...kept } = existing
  const edges = Object.entries(existing.edges).map(
    ([edge, { everListed }]) => [edge, { everListed }] as const,
  )
  const state = existing.state === 'drained' ? 'draining' : existing.state
  return { ...kept, state, edges: Object.fromEntries(edges) }
}
