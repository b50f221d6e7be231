import { CommandRefused } from './errors.ts'

/**
 * Judged by when the command was sent (epoch ms), so that it means the same however late it comes, and again.
 * @throws CommandRefused for a hold that would have ended before it was asked for
 */
export function refuseEnded(until: number | undefined, sentAt: number): void {
  if (until === undefined || until > sentAt) return
  throw new CommandRefused(
    `until had passed ${Math.ceil((sentAt - until) / 1000)} s before the command was sent: a hold ends later, or without until only by activate`,
  )
}
