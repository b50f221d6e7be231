/**
 * What becomes of the instance at the deadline, stated per group for calls that are left and for what is unknown apart.
 * There is no default.
 */
export interface DeadlinePolicy {
  readonly callsLeft: DeadlineChoice
  readonly unknown: DeadlineChoice
}
/** `retain`: it stays until its calls are over; `terminate`: it goes, and its calls with it. */
export type DeadlineChoice = (typeof gentlestFirst)[number]

const gentlestFirst = ['retain', 'terminate'] as const

/** What is left at the deadline of a drain. */
export interface Left {
  /** calls that are known to be up */
  readonly callsLeft: number
  /** what could not be read, and why, one line each */
  readonly unknown: readonly string[]
  /** some zero was read that does not count (yet) */
  readonly unconfirmed: boolean
}

/**
 * Calls that are left, or a zero that is not confirmed, are decided by `callsLeft`; what is unknown by `unknown`. Where both
 * apply the gentler one holds: what is known of one edge says nothing about another.
 * @returns the choice, and why it was made in words for whoever is told of it
 */
export function chooseAtDeadline(
  policy: DeadlinePolicy,
  left: Left,
): { readonly choice: DeadlineChoice; readonly because: string } {
  const calls = {
    applies: left.callsLeft > 0 || left.unconfirmed,
    choice: policy.callsLeft,
    because: `${left.callsLeft > 0 ? `${left.callsLeft} calls are left` : 'that no calls are left is not confirmed'} (callsLeft: ${policy.callsLeft})`,
  }
  const unknown = {
    applies: left.unknown.length > 0,
    choice: policy.unknown,
    because: `calls are unknown (unknown: ${policy.unknown})`,
  }
  const applying = [calls, unknown].filter(({ applies }) => applies)
  const rules = applying.length > 0 ? applying : [calls, unknown]
  const choice = gentlestFirst.find((each) => rules.some((rule) => rule.choice === each)) ?? 'retain'
  const because = rules.map((rule) => rule.because).join(' and ')
  return { choice, because: rules.length > 1 ? `${because}: the gentler one holds` : because }
}

/**
 * Whether an instance of the group may come to be retained: the hook's default result is ABANDON then, so that our own outage
 * retains too, and the group's lifecycle policy keeps what is abandoned.
 */
export function mayRetain({ callsLeft, unknown }: DeadlinePolicy): boolean {
  return callsLeft === 'retain' || unknown === 'retain'
}
