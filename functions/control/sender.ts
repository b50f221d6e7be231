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
 * The sender of a command, by the name that the settings have for it: for exactly this id, or else for its
 * role in any session.
 * @param known left out: whomever IAM lets send may command
 * @throws CommandRefused where the settings name senders, and not this one
 */
export function verifiedSender(id: string, known: readonly Required<Sender>[] | undefined): Sender {
  if (!known) return { id }
  const principal = principalOf(id)
  const named = known.find((one) => one.id === id) ?? known.find((one) => one.id === principal)
  if (named) return { id, name: named.name }
  throw new CommandRefused(
    `its SenderId ${id} is not among control.senders of the settings; if it may command, add {"id":"${principal}","name":"…"} there, deploy, and send the command again`,
  )
}

/** Whether the settings let it drain and activate with a plan only: for exactly this id, or for its role. */
export function needsPlan(
  id: string,
  known: readonly { readonly id: string; readonly needsPlan?: boolean }[] = [],
): boolean {
  return known.some((one) => one.needsPlan === true && (one.id === id || one.id === principalOf(id)))
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
  const principal = principalOf(sender.id)
  const own = holds.filter((hold) => hold.sender && principalOf(hold.sender.id) === principal)
  const known = new Set(own.map(holdKey))
  const more = keys.filter((key) => !known.has(key)).length
  if (more === 0 || known.size + more <= most) return
  const has = known.size >= most ? 'is at' : `has ${known.size} holds, and with ${more} more would be above`
  throw new CommandRefused(
    `the sender ${sender.name ?? principal} ${has} the limit of ${most} holds in force (control.maxHoldsPerSender of the settings): lift some with activate, or raise it and deploy, then send the command again`,
  )
}
