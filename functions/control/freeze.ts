import { isSameSender, type Sender } from './sender.ts'

/** No drain by choice begins, and no hold is lifted but by an operator. Times in epoch ms. */
export interface Freeze {
  readonly who: string
  readonly sender?: Sender
  readonly why: string
  readonly at: number
  readonly until?: number
  readonly order: string
  /** whose it took the place of: past its sender's own ones the last of another's, while that would last */
  readonly replaces?: ReplacedFreeze
  readonly ended?: {
    readonly at: number
    readonly by: string
    readonly sender?: Sender
    readonly why?: string
  }
}

/** A freeze that ended as a newer one came. Times in epoch ms. */
export interface ReplacedFreeze extends Pick<Freeze, 'who' | 'sender' | 'why' | 'until'> {
  readonly since: number
}

/** @returns the freeze, where it is in force */
export function inForce<F extends Pick<Freeze, 'until' | 'ended'>>(
  freeze: F | undefined,
  now: number,
): F | undefined {
  const isOver = !freeze || freeze.ended || (freeze.until !== undefined && now >= freeze.until)
  return isOver ? undefined : freeze
}

/**
 * What a freeze of this sender takes the place of. Its own ones may have taken that of another sender's
 * before: that one counts while it would last, so that no second one of its own ends it unseen.
 */
export function replacedBy(
  sender: Sender,
  last: Freeze | undefined,
  now: number,
): ReplacedFreeze | undefined {
  const before = inForce(last, now)
  if (!before) return undefined
  const isOwn = isSameSender(before.sender, sender)
  const kept = isOwn ? inForce(before.replaces, now) : undefined
  if (kept && !isSameSender(kept.sender, sender)) return kept
  const { who, why, at, until } = before
  return {
    ...{ who, why, since: at },
    ...(before.sender && { sender: before.sender }),
    ...(until !== undefined && { until }),
  }
}
