import {
  type ChosenHold,
  type Drain,
  type HoldDrain,
  type LifecycleHold,
  type LifecycleTarget,
  nextAttempt,
} from './drain.ts'
import { isSameSubject } from './hold.ts'
import { looking } from './phases.ts'

/** What a trigger asks for: the hold, and the lifecycle action that is to be completed. */
export type DrainRequest =
  | { readonly hold: LifecycleHold; readonly action: LifecycleTarget }
  | { readonly hold: ChosenHold; readonly action?: never }

export type Claim =
  /** write this drain (its version decides who wins), then start its attempt */
  | { readonly kind: 'new' | 'refresh'; readonly drain: Drain }
  /** the same request again: make sure that its attempt runs, unless it has ended */
  | { readonly kind: 'duplicate'; readonly drain: Drain }
  /** older than what is on record: drop it */
  | { readonly kind: 'stale'; readonly drain: Drain }

/**
 * Decides what a request means next to the drain of the same id. A lifecycle action is told by its token: the
 * same token is the same action, whatever its event's time; one that a sweep found has none, and joins what
 * is under way. Of an operator's or alarm's drain, a newer request while it runs renews who, why and
 * deadline, and what was concluded is concluded anew, since its hold may have been lifted in between. It is
 * looked at by its next attempt at once: the wait of the one before may go beyond the new deadline. After its
 * end, or of another machine or URI, it is a new attempt.
 */
export function claim(existing: Drain | undefined, request: DrainRequest): Claim {
  if (!existing) return { kind: 'new', drain: fresh(request, 1, 1) }
  const token = request.action?.token
  const isFound = request.action !== undefined && token === undefined && existing.phase.name !== 'ended'
  const same =
    token !== undefined ? token === existing.action?.token : request.hold.order === existing.hold.order
  if (same || isFound) return { kind: 'duplicate', drain: existing }
  if (request.hold.order < existing.hold.order) return { kind: 'stale', drain: existing }
  const isOfTheSame = isSameSubject(existing.hold.subject, request.hold.subject)
  if (existing.phase.name !== 'ended' && isOfTheSame && !request.action && !existing.action)
    return { kind: 'refresh', drain: renewed(existing, request) }
  return { kind: 'new', drain: fresh(request, existing.attempt + 1, existing.version + 1, existing.events) }
}

function fresh(request: DrainRequest, attempt: number, version: number, events: Drain['events'] = []): Drain {
  const begun = { attempt, version, events, steps: 0, phase: { name: 'claimed' } } as const
  return request.action
    ? { ...begun, hold: request.hold, action: request.action, completionTries: 0 }
    : { ...begun, hold: request.hold }
}

function renewed(existing: HoldDrain, { hold }: DrainRequest): Drain {
  const { order, who, sender, why, force, placedAt, until, endsAt } = hold
  const { lookedAt: _lookedAt, ...kept } = concludedAnew(existing)
  const { sender: _sender, force: _force, endsAt: _endsAt, ...scope } = kept.hold
  const asked = {
    ...{ order, who, ...(sender && { sender }), why, placedAt, until },
    ...(force !== undefined && { force }),
    ...(endsAt !== undefined && { endsAt }),
  }
  const next = { ...kept, version: existing.version + 1, hold: { ...scope, ...asked } }
  return existing.phase.name === 'claimed' ? next : nextAttempt(next)
}

/** @returns the drain without what was concluded: its servers may have taken calls in between */
export function concludedAnew(existing: HoldDrain): HoldDrain
export function concludedAnew(existing: Drain): Drain
export function concludedAnew(existing: Drain): Drain {
  if (existing.phase.name === 'claimed' || existing.phase.name === 'ended') return existing
  const { edges } = looking(existing).memory
  const listed = Object.entries(edges).map(([edge, { everListed }]) => [edge, { everListed }] as const)
  const memory = { edges: Object.fromEntries(listed) }
  return existing.action
    ? { ...existing, phase: { ...looking(existing), memory } }
    : { ...existing, phase: { name: 'draining', memory } }
}
