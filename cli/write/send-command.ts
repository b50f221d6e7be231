import {
  type Command,
  type CommandInput,
  commandGroupId,
  parseCommand,
} from '../../functions/contracts/command.ts'
import { refusalIn } from '../../functions/control/command-in-short.ts'
import { CommandRefused, DispatcherControlError } from '../../functions/control/errors.ts'
import { refuseWindow, utc } from '../../functions/control/window.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { type Deployed, type Desk, rest } from '../desk/desk.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { wrapped } from '../desk/format.ts'
import { outlasting } from '../desk/outlast.ts'

/** Every member of the union for itself. */
type WithoutHead<C> = C extends unknown ? Omit<C, 'version' | 'id' | 'requestedBy'> : never
/** What a person asks for; who they are and the command's id are found out. */
export type Asked = WithoutHead<CommandInput>

const longestWho = 256

/** @returns who asks, as commands and holds have it */
export async function requestedBy({ caller }: Deployed): Promise<string> {
  return (await caller()).slice(-longestWho)
}

/** What a command's keys are called on a command line. */
const optionNames = new Map([
  ['group', '--group'],
  ['zone', '--zone'],
  ['holdId', '--hold'],
  ['source', '--source'],
  ['reason', '--message'],
  ['from', '--from'],
  ['until', '--until'],
  ['force', '--force'],
])
/** A key stands before the colon, and quoted in the words after it. */
const keys = /(^|; |refused: )([A-Za-z]+)(?=:)|"([A-Za-z]+)"/g

/** What is wrong with a command line is told in its own words, before AWS is asked. @throws Stop */
export function checkAsked(asked: Asked, now: number): void {
  const wrong = problemOf(JSON.stringify({ version: 1, id: 'kdc', requestedBy: 'kdc', ...asked }), now)
  if (!wrong) return
  const words = wrong.message
    .replace(/^(refused: )?command: /, '$1')
    .replace(keys, (whole, before = '', path = '', quoted = '') => {
      const option = optionNames.get(path || quoted)
      return option === undefined ? whole : before + option
    })
  throw new Stop(words, wrong.exitCode)
}

/** A command with its id. What is wrong with it is told before it is sent. @throws Stop */
export function readied(desk: Desk, asked: Asked, who: string): CommandInput {
  const command = { version: 1, id: commandId(desk, asked.command), requestedBy: who, ...asked } as const
  const wrong = problemOf(JSON.stringify(command), desk.clock.now())
  if (wrong) throw wrong
  return command
}

/**
 * Sends one command and waits for its outcome.
 * @throws Stop where it is refused, or not answered within `patienceMs`
 */
export async function sendCommand(
  desk: Desk,
  deployed: Deployed,
  command: CommandInput,
  patienceMs: number,
): Promise<CommandOutcomeRow> {
  const { id, command: name, requestedBy: who } = command
  if (desk.stopped.aborted) throw new Stop('stopped: nothing was sent', exitCodes.interrupted)
  desk.err(`${wrapped(`${name} ${id} is sent by ${who}`, desk.errColumns)}\n`)
  await deployed.send({ body: JSON.stringify(command), group: commandGroupId(command), id })
  const outcome = await outcomeOf(desk, deployed, id, patienceMs)
  const refused = refusalIn(outcome)
  if (refused !== undefined) throw new Stop(`refused: ${refused}`, exitCodes.refused)
  return outcome
}

/** When, what, and enough to tell two of one second apart: `kdc-20261127T213000Z-drain-4f9a1c`. */
function commandId({ clock, random }: Desk, command: string): string {
  const second = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
  const tail = Math.floor(random() * 0x1000000)
    .toString(16)
    .padStart(6, '0')
  return `kdc-${second}-${command}-${tail}`
}

/** No dead letter comes of it. */
function problemOf(body: string, now: number): Stop | undefined {
  try {
    return timeProblem(parseCommand(body), now)
  } catch (error) {
    if (error instanceof CommandRefused) return new Stop(`refused: ${error.message}`, exitCodes.refused)
    if (error instanceof DispatcherControlError) return new Stop(error.message, exitCodes.usage)
    throw error
  }
}

/** The control plane judges it by when it was sent. Here it is a typo, and nothing was sent. */
function timeProblem(command: Command, now: number): Stop | undefined {
  const wrong = (words: string) => new Stop(words, exitCodes.usage)
  const clock = `this machine's clock shows ${utc(now)}`
  if (command.command === 'freeze' && command.until !== undefined && command.until <= now)
    return wrong(`"until" has passed, ${clock}: a freeze ends later, or has no end`)
  if (command.command !== 'drain') return undefined
  try {
    refuseWindow(command, now)
    return undefined
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error
    const words = error.message.replace(`the command was sent at ${utc(now)}`, clock)
    return wrong(words.replace('send it again', 'send it'))
  }
}

async function outcomeOf(
  desk: Desk,
  { shelf, kdc }: Deployed,
  id: string,
  patienceMs: number,
): Promise<CommandOutcomeRow> {
  const { clock, random } = desk
  const giveUpAt = clock.now() + patienceMs
  const askAgain = `${kdc} get command ${id}`
  const goesOn = `the command is sent: ${askAgain}`
  for (let waitMs = 250; ; waitMs = Math.min(4000, waitMs * 1.5)) {
    const read = () => shelf.commandOutcome(id)
    const outcome = await outlasting(desk, read, { everyMs: waitMs, giveUpAt, goesOn })
    if (outcome) return outcome
    const leftMs = giveUpAt - clock.now()
    if (leftMs <= 0)
      throw new Stop(
        `no answer within ${Math.round(patienceMs / 1000)} s: it may come yet; ask for it with: ${askAgain}`,
      )
    await rest(desk, Math.min(leftMs, waitMs * (0.75 + random() / 2)), goesOn)
  }
}
