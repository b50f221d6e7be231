/**
 * What becomes of the instance at the deadline, stated per group for calls that are left and for what is
 * unknown apart. There is no default.
 */
export interface DeadlinePolicy {
  readonly callsLeft: DeadlineChoice
  readonly unknown: Exclude<DeadlineChoice, 'end-calls'>
}
/**
 * `retain`: it stays until its calls are over; `end-calls`: they are ended with BYEs, step by step, and then
 * it goes; `terminate`: it goes, and its calls with it.
 */
export type DeadlineChoice = (typeof gentlestFirst)[number]

const gentlestFirst = ['retain', 'end-calls', 'terminate'] as const

/** How calls are ended from the deadline on. */
export interface EndCalls {
  /** calls in one step at most, over all edges */
  readonly perStep: number
  /** after so long what is still left goes with the instance */
  readonly withinSeconds: number
}

/** A policy, and how calls are ended: there exactly where the policy has them ended. */
export type AtDeadline =
  | { readonly policy: PolicyWith<'end-calls'>; readonly endCalls: EndCalls }
  | { readonly policy: PolicyWith<'retain' | 'terminate'>; readonly endCalls?: never }
type PolicyWith<C extends DeadlineChoice> = DeadlinePolicy & { readonly callsLeft: C }

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
 * Calls that are left, or a zero that is not confirmed, are decided by `callsLeft`; what is unknown by
 * `unknown`. Where both apply the gentler one holds: what is known of one edge proves nothing of another.
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
 * Whether an instance of the group may come to be retained: the hook's default result is ABANDON then, so
 * that our own outage retains too, and the group's lifecycle policy keeps what is abandoned.
 */
export function mayRetain({ callsLeft, unknown }: DeadlinePolicy): boolean {
  return callsLeft === 'retain' || unknown === 'retain'
}

/**
 * Deals out one step's calls over the edges: one to each in turn, and no edge more than it has. Another edge
 * begins at each step, so that one which can't end its calls never takes them all.
 * @param calls edge → how many it has
 * @returns edge → how many it is to end; edges that end none are left out
 */
export function dealOut(
  calls: Readonly<Record<string, number>>,
  most: number,
  step: number,
): Readonly<Record<string, number>> {
  const edges = Object.keys(calls)
  const first = edges.length === 0 ? 0 : step % edges.length
  const fromFirst = [...edges.slice(first), ...edges.slice(0, first)]
  const shares = new Map<string, number>()
  for (let left = most, before = -1; left > 0 && left !== before; ) {
    before = left
    for (const edge of fromFirst) {
      const share = shares.get(edge) ?? 0
      if (left === 0 || share >= (calls[edge] ?? 0)) continue
      shares.set(edge, share + 1)
      left -= 1
    }
  }
  return Object.fromEntries(shares)
}
