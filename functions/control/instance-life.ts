/** The part of what EC2 shows of a machine that decides whether it is gone. */
export interface InstanceState {
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped'
}

/** A machine as EC2 shows it. */
export interface InstanceFacts extends InstanceState {
  readonly instanceId: string
  /** epoch ms */
  readonly launchedAt: number
  /** private, secondary, public and IPv6 addresses and DNS names, canonical (see `canonicalHost`) */
  readonly addresses: readonly string[]
  /** destinations that its tag names, as written there */
  readonly taggedDestinations: readonly string[]
  readonly group?: string
  /** availability zone; a release before 0.2 kept none */
  readonly zone?: string
}

/** The instances of our groups, as EC2 showed them when it was asked (epoch ms). */
export interface Inventory {
  readonly askedAt: number
  readonly instances: readonly InstanceFacts[]
}

/**
 * EC2 may not know a machine in the first seconds after its launch ("eventual consistency"); minutes are far
 * more than was ever seen.
 */
const knownWithinMs = 300_000

/**
 * Whether EC2 may not know a machine yet that somebody spoke of at `since` (epoch ms): its launch, or a
 * request about it. Later it has forgotten it, which it does about an hour after its end.
 */
export function mayBeUnknownYet(since: number, now: number): boolean {
  return now - since < knownWithinMs
}

/** Whether it has its addresses, or is about to. */
export function isUp({ state }: InstanceState): boolean {
  return state === 'running' || state === 'pending'
}

/** Whether a machine that somebody spoke of at `since` is on its way out, or forgotten by EC2. */
export function isGone(shown: InstanceState | undefined, since: number, now: number): boolean {
  if (!shown) return !mayBeUnknownYet(since, now)
  return shown.state === 'terminated' || shown.state === 'shutting-down'
}

/**
 * Whether a machine that somebody spoke of at `since` is in its first minutes, and EC2 does not know it yet,
 * or shows it without its addresses.
 */
export function isUnshownYet(shown: InstanceFacts | undefined, since: number, now: number): boolean {
  if (!shown) return mayBeUnknownYet(since, now)
  const { addresses, launchedAt } = shown
  return addresses.length === 0 && isUp(shown) && mayBeUnknownYet(launchedAt, now)
}
