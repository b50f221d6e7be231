import { CommandRefused } from './errors.ts'
import { type Hold, holdKey } from './hold.ts'

/**
 * Whom AWS names as the sender of a message. What the message itself claims, `requestedBy`, stands beside it.
 */
export interface Sender {
  /** a command's SQS `SenderId`, or an alarm's ARN */
  readonly id: string
  /** what the settings call it */
  readonly name?: string
}

/** A role is one sender in all its sessions: whoever assumes it may choose the session's name. */
export function principalOf(id: string): string {
  return id.replace(/^(AROA[^:]*):.*$/, '$1')
}

/**
 * The sender of a message, by the name that the settings have for it, where they have one: for exactly this
 * id, or else for its role in any session.
 */
export function namedSender(id: string, known: readonly Required<Sender>[] = []): Sender {
  const principal = principalOf(id)
  const named = known.find((one) => one.id === id) ?? known.find((one) => one.id === principal)
  return named ? { id, name: named.name } : { id }
}

/**
 * The sender of a command.
 * @param known left out: whomever IAM lets send may command
 * @throws CommandRefused where the settings name senders, and not this one
 */
export function verifiedSender(id: string, known: readonly Required<Sender>[] | undefined): Sender {
  const sender = namedSender(id, known)
  if (!known || sender.name !== undefined) return sender
  throw new CommandRefused(
    `its SenderId ${id} is not among control.senders of the settings; if it may command, add {"id":"${principalOf(id)}","name":"…"} there, deploy, and send the command again`,
  )
}

/** What the settings want of a sender. */
export interface KnownSender extends Required<Sender> {
  /** drains and activates with a plan only */
  readonly needsPlan?: boolean
  /** of such a sender: what it may do besides, without one */
  readonly mayAlso?: readonly ('reload' | 'freeze')[]
}

/** @returns what a sender may do without a plan; undefined: whatever there is, it needs none */
export function mayWithoutPlan(
  id: string,
  known: readonly KnownSender[] = [],
): ReadonlySet<string> | undefined {
  const its = known.filter((one) => one.needsPlan && (one.id === id || one.id === principalOf(id)))
  if (its.length === 0) return undefined
  // What two entries of one role say of it binds it alike: the stricter one counts.
  return new Set(its[0]?.mayAlso?.filter((one) => its.every(({ mayAlso }) => mayAlso?.includes(one))))
}

/** Whether a session is to need plans, and another one that its role may choose needs none. */
export function isPlanEvaded({ id, needsPlan }: KnownSender, known: readonly KnownSender[]): boolean {
  const role = principalOf(id)
  if (!needsPlan || id === role) return false
  const binds = known.some((one) => one.id === role && one.needsPlan)
  return !binds && known.some((one) => principalOf(one.id) === role && !one.needsPlan)
}

/** Whether a session may do besides what another one that its role may choose may not, or the role itself. */
export function isLimitEvaded(
  { id, needsPlan, mayAlso }: KnownSender,
  known: readonly KnownSender[],
): boolean {
  if (!needsPlan) return false
  const its = known.filter((one) => one.needsPlan && principalOf(one.id) === principalOf(id))
  return mayAlso?.some((more) => its.some((one) => !one.mayAlso?.includes(more))) ?? false
}

/** A role is one sender in all its sessions. Whose a hold of a release before 0.2 is nobody knows. */
export function isSameSender(one: Sender | undefined, other: Sender): boolean {
  return one !== undefined && principalOf(one.id) === principalOf(other.id)
}

/**
 * That a sender gone wild can't take the fleet out of service. Commands of one moment are counted side by
 * side, and may exceed the limit by as many.
 * @param keys of the holds that are asked for, all or none
 * @throws CommandRefused where with them this sender would have more holds than `most`
 */
export function refuseBeyond(
  most: number,
  sender: Sender,
  holds: readonly Hold[],
  keys: readonly string[],
): void {
  const own = holds.filter((hold) => isSameSender(hold.sender, sender))
  const known = new Set(own.map(holdKey))
  const more = keys.filter((key) => !known.has(key)).length
  if (more === 0 || known.size + more <= most) return
  const has = known.size >= most ? 'is at' : `has ${known.size} holds, and with ${more} more would be above`
  throw new CommandRefused(
    `the sender ${sender.name ?? principalOf(sender.id)} ${has} the limit of ${most} holds in force (control.maxHoldsPerSender of the settings): lift some with activate, or raise it and deploy, then send the command again`,
  )
}
