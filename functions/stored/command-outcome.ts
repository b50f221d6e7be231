import { type Command, commandId } from '../contracts/command.ts'
import type { EventDetail } from '../contracts/events.ts'
import { eventTypes } from '../contracts/names.ts'
import { publishedForm } from '../contracts/published-event.ts'
import { whatCouldBeRead } from '../contracts/rejected-message.ts'
import { refusalIn } from '../control/command-in-short.ts'
import { CommandRefused, DispatcherControlError } from '../control/errors.ts'
import type { Sender } from '../control/sender.ts'
import type { CommandOutcomeRow, Store } from '../ports/store.ts'

/** What tells a command from another that says the same. */
export interface Sent {
  readonly order: string
  readonly sender: Sender
}

/**
 * Whether an outcome that is kept is of the command that was sent with this order. What was refused may be
 * sent again under its id, once what it was refused for has been put right.
 */
export function isOutcomeOf(
  outcome: CommandOutcomeRow | undefined,
  order: string,
): outcome is CommandOutcomeRow {
  return outcome !== undefined && (refusalIn(outcome) === undefined || outcome['order'] === order)
}

/** What was asked, as it is kept and published with a command's outcome. */
interface Asked<C extends Command> {
  readonly id: string
  readonly command: C['command']
  readonly requestedBy: string
  readonly sender?: Sender | undefined
  readonly reason: C['reason']
  readonly destination?: string
  readonly instance?: string
  readonly group?: string
  readonly set?: number
  readonly zone?: string
  readonly edge?: string
}

const nameless = {
  ...{ destination: undefined, instance: undefined, edge: undefined },
  ...{ group: undefined, set: undefined, zone: undefined },
}

/** The same id again is to be the same command. */
export function asked<C extends Command>(of: C, sender?: Sender): Asked<C> {
  const { id, command, requestedBy, reason } = of
  const { destination, instance, edge, group, set, zone } = { ...nameless, ...of }
  return {
    ...{ id, command, requestedBy, sender, reason },
    ...(destination !== undefined && { destination }),
    ...(instance !== undefined && { instance }),
    ...(edge !== undefined && { edge }),
    ...(group !== undefined && { group }),
    ...(set !== undefined && { set }),
    ...(zone !== undefined && { zone }),
  }
}

/** All that a command asks for: the same in its dry run and in the command that names that. */
export function whatIsAsked({ id: _, ...asked }: Command): string {
  const { dryRun: _dryRun, plan: _plan, ...its } = { plan: undefined, ...asked }
  return JSON.stringify(Object.entries(its).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** An outcome as it is kept and returned: a row takes no more than an event does. */
export function keptForm(outcome: EventDetail<'Command Answered'>): CommandOutcomeRow {
  return publishedForm({ type: eventTypes.commandAnswered, detail: outcome }).detail
}

const kept = ['command', 'requestedBy', 'destination', 'instance', 'edge', 'group', 'set', 'zone'] as const
/**
 * Whoever waits for the outcome of a command finds why it was refused, where its id can be read. What may
 * succeed later is no outcome.
 */
export async function keepRefusal(
  store: Pick<Store, 'putRefusal'>,
  { body, order }: { readonly body: string; readonly order: string },
  error: unknown,
): Promise<void> {
  const read = whatCouldBeRead(body)
  const id = commandId.safeParse(read.id)
  if (!id.success || !(error instanceof DispatcherControlError && error.permanent)) return
  const detail = { ...read, refused: error.message }
  const { detail: kept } = publishedForm({ type: eventTypes.messageRejected, detail })
  await store.putRefusal(id.data, { ...kept, refused: String(kept['refused']), order })
}

/** @throws CommandRefused where that is what came of it, or where it is what came of another command */
export async function accepted(
  store: Pick<Store, 'commandAsked'>,
  outcome: CommandOutcomeRow,
  command: Command,
): Promise<CommandOutcomeRow> {
  const refused = refusalIn(outcome)
  if (refused !== undefined) throw new CommandRefused(refused)
  const own = asked(command)
  const other = kept.find((key) => outcome[key] !== undefined && outcome[key] !== own[key])
  const isDry = outcome['result'] === 'dry-run' || outcome['result'] === 'bulk-dry-run'
  if (other !== undefined || isDry !== command.dryRun)
    throw new CommandRefused(
      `another command had the id ${command.id} (${other ?? 'dryRun'}: ${String(other === undefined ? isDry : outcome[other])}); send this one under its own`,
    )
  const asks = await store.commandAsked(command.id)
  if (asks !== undefined && asks !== whatIsAsked(command))
    throw new CommandRefused(
      `another command had the id ${command.id}, with other keys or values than this one; send this one under its own`,
    )
  return outcome
}
