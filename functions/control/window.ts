import { CommandRefused } from './errors.ts'

/** When a hold is asked for: from when on, where not at once, and until when (epoch ms). */
export interface Window {
  readonly from?: number | undefined
  readonly until?: number | undefined
}

const mostDaysAhead = 30
const dayMs = 86_400_000

/**
 * Judged by when the command was sent (epoch ms), so that it means the same however late it comes, and again.
 * @throws CommandRefused for a hold that would have begun, or ended, before it was asked for, or that begins
 * so late that it is forgotten by then
 */
export function refuseWindow({ from, until }: Window, sentAt: number): void {
  const sent = `the command was sent at ${utc(sentAt)}`
  if (until !== undefined && until <= sentAt)
    throw new CommandRefused(
      `"until" has passed, ${sent}: a hold ends later, or without "until" only by activate`,
    )
  if (from === undefined) return
  if (from <= sentAt)
    throw new CommandRefused(`"from" has passed, ${sent}: leave "from" out to have the drain begin at once`)
  if (from > sentAt + mostDaysAhead * dayMs)
    throw new CommandRefused(
      `"from" is too far ahead, ${sent}: a window begins ${mostDaysAhead} days later at most; send it again nearer to it`,
    )
}

const inWords = new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' })

/** A time (epoch ms) in words, such as `2026-11-28 06:00:00 UTC`. */
export function utc(at: number): string {
  return `${inWords.format(at)} UTC`
}
