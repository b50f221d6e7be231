/**
 * ringing: placed, not decided; up: answered; ended: its scripted BYE was seen and answered by both ends;
 * failed: never answered; cut: answered, but it did not end by its scripted BYE, or one of its ends is gone.
 */
export type CallOutcome = 'ringing' | 'up' | 'ended' | 'failed' | 'cut'

/** One call as both of its ends saw it; times are Unix ms. */
export interface CallRecord {
  readonly callId: string
  readonly caller: string
  /** The edge that the caller sent it to; undefined for a call that went past the edges. */
  readonly edge: string | undefined
  /** Every media server that got its INVITE, in order; the last one has the call. */
  readonly invites: readonly { readonly server: string; readonly at: number }[]
  readonly server: string | undefined
  readonly placedAt: number | undefined
  readonly answeredAt: number | undefined
  readonly endedAt: number | undefined
  readonly byeAtServerAt: number | undefined
  /** The caller got a BYE that was not its own. */
  readonly hungUpAt?: number | undefined
  readonly outcome: CallOutcome
  /** Why it failed or was cut, in words. */
  readonly why: string | undefined
}

/** Answered calls that the server had at that moment. */
export function callsUp(calls: readonly CallRecord[], server: string, at: number): number {
  return calls.filter(
    (call) =>
      call.server === server &&
      call.answeredAt !== undefined &&
      call.answeredAt <= at &&
      (call.byeAtServerAt === undefined || call.byeAtServerAt > at),
  ).length
}

/** INVITEs that the server itself got after `from` and not after `until`. */
export function invitesBetween(
  calls: readonly CallRecord[],
  server: string,
  from: number,
  until: number,
): number {
  return calls
    .flatMap(({ invites }) => invites)
    .filter((invite) => invite.server === server && invite.at > from && invite.at <= until).length
}

/** Calls that any caller placed, through any edge. */
export function placedBetween(calls: readonly CallRecord[], from: number, until: number): number {
  return calls.filter(({ placedAt }) => placedAt !== undefined && placedAt > from && placedAt <= until).length
}
