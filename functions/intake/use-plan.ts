import type { ActivateCommand, Command, DrainCommand, FreezeCommand } from '../contracts/command.ts'
import { CommandRefused } from '../control/errors.ts'
import { replacedBy } from '../control/freeze.ts'
import type { Hold } from '../control/hold.ts'
import { isSameSender, mayWithoutPlan, type Sender } from '../control/sender.ts'
import { utc } from '../control/window.ts'
import type { Ports } from '../ports/ports.ts'
import { type Sent, whatIsAsked } from '../stored/command-outcome.ts'
import { heldOrWaiting } from './operator-hold.ts'

type Planned = DrainCommand | ActivateCommand
type Needs = Pick<Ports, 'store' | 'clock'>

/** How long what a dry run has shown may be acted on. */
const goodForMs = 120_000

function hasPlan(command: Command): command is Planned {
  return command.command === 'drain' || command.command === 'activate'
}

/** Remembers what a dry run was of, so that the command itself may name it. */
export async function keepPlan({ store, clock }: Needs, command: Command, sender: Sender): Promise<void> {
  if (!hasPlan(command) || !command.dryRun) return
  await store.putCommandPlan(command.id, { of: whatIsAsked(command), sender: sender.id, at: clock.now() })
}

/**
 * What a sender of whom the settings want plans may never do, or not without one.
 * @throws CommandRefused
 */
export async function refuseUnplanned(
  ports: Needs & Pick<Ports, 'config'>,
  command: Command,
  sender: Sender,
): Promise<void> {
  const may = mayWithoutPlan(sender.id, ports.config.senders)
  if (command.dryRun || !may) return
  const who = `the sender ${sender.name ?? sender.id} needs plans (control.senders of the settings), and so it`
  switch (command.command) {
    case 'release':
    case 'unfreeze':
      throw new CommandRefused(`${who} may not ${command.command}: somebody else has to`)
    case 'freeze':
    case 'reload':
      if (!may.has(command.command))
        throw new CommandRefused(
          `${who} may not ${command.command}: that takes "mayAlso": ["${command.command}"] there`,
        )
      if (command.command === 'freeze') await refuseThaw(ports, command, sender, who)
      return
    case 'drain':
    case 'activate':
      await refuseOthers(ports, command, sender, who)
      if (command.plan === undefined)
        throw new CommandRefused(
          `${who} sends ${command.command} first with "dryRun": true, and then with the id of that as its "plan"`,
        )
      return
    case 'may-restart':
      return
    default:
      return command satisfies never
  }
}

/**
 * A newer freeze takes the place of the one before: by a short one, what it may not unfreeze would end. Long
 * ones of its own that came between change nothing of that.
 */
async function refuseThaw(
  { store, clock }: Needs,
  { until }: FreezeCommand,
  sender: Sender,
  who: string,
): Promise<void> {
  if (until === undefined) throw new CommandRefused(`${who} freezes with an end alone: give "until"`)
  const before = replacedBy(sender, await store.freeze(), clock.now())
  if (!before || isSameSender(before.sender, sender)) return
  if (before.until !== undefined && before.until <= until) return
  const ends = before.until === undefined ? 'has no end' : `ends at ${utc(before.until)}`
  throw new CommandRefused(
    `${who} may not end the freeze of ${before.who} (${before.why}), which ${ends}: give a later "until", or leave it`,
  )
}

/** An operator's hold is found by the name that a command claims: by another's that one's would be lifted. */
async function refuseOthers(
  ports: Pick<Ports, 'store'>,
  command: Planned,
  sender: Sender,
  who: string,
): Promise<void> {
  if (command.command === 'drain' && command.force !== undefined)
    throw new CommandRefused(`${who} may not force a drain: leave force out, and it waits until it may begin`)
  if (command.command === 'activate' && (command.source ?? command.holdId) !== undefined)
    throw new CommandRefused(`${who} lifts its own holds alone: leave "source" and "holdId" out`)
  const { requestedBy } = command
  const isOfAnother = (hold: Hold) =>
    hold.source === 'operator' && hold.who === requestedBy && !isSameSender(hold.sender, sender)
  if ((await heldOrWaiting(ports)).some(isOfAnother))
    throw new CommandRefused(
      `${who} may not use the name ${JSON.stringify(requestedBy)} as requestedBy: another sender has holds by that name`,
    )
}

/**
 * Where the command names a plan, that is used up by this message. The same message that comes again has used
 * it itself.
 * @throws CommandRefused where it is no plan of this command and sender, is too old, or was used
 */
export async function usePlan({ store, clock }: Needs, command: Command, sent: Sent): Promise<void> {
  if (!hasPlan(command) || command.plan === undefined) return
  const id = command.plan
  const refused = (why: string) =>
    new CommandRefused(`the plan ${id} ${why}: plan again with a new dry run, and name its id`)
  const plan = await store.commandPlan(id)
  if (plan === undefined) throw refused('is not known')
  if (plan.sender !== sent.sender.id) throw refused("is another sender's")
  if (plan.of !== whatIsAsked(command)) throw refused('is of another command')
  const by = { command: command.id, order: sent.order }
  const isOwn = plan.usedBy?.command === by.command && plan.usedBy.order === by.order
  if (isOwn) return
  if (clock.now() - plan.at > goodForMs) throw refused('is older than two minutes')
  if (!(await store.useCommandPlan(id, by))) throw refused('was used before')
}
