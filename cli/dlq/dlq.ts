import { inParallel } from '../../functions/aws/in-parallel.ts'
import { parseCommand } from '../../functions/contracts/command.ts'
import { whatCouldBeRead } from '../../functions/contracts/rejected-message.ts'
import { DispatcherControlError } from '../../functions/control/errors.ts'
import type { DeadLetter } from '../desk/dead-letters.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { print, quotable } from '../desk/format.ts'
import type { OnDeployed, OutputOptions } from '../desk/options.ts'
import { span } from '../desk/times.ts'
import { whatIsGivenUp } from '../write/release.ts'
import { requestedBy } from '../write/send-command.ts'
import { letterView, showLetter, showLetters } from './show-letters.ts'

/** What lies in the dead-letter queues. Nobody else sees it meanwhile; afterwards it is as it was. */
export async function listLetters(
  desk: Desk,
  { deadLetters }: Deployed,
  { output }: OutputOptions,
): Promise<ExitCode> {
  const { letters, unseen } = await deadLetters.look()
  await deadLetters.release(letters)
  if (unseen > 0)
    desk.err(`${unseen} more are there, which somebody else looks at, or which come after these\n`)
  print(desk, showLetters(letters.map(letterView), desk.clock.now()), output)
  return exitCodes.done
}

export async function showOneLetter(
  desk: Desk,
  { deadLetters, kdc }: Deployed,
  id: string,
  { output }: OutputOptions,
): Promise<ExitCode> {
  const { letters } = await deadLetters.look()
  await deadLetters.release(letters)
  print(desk, showLetter(one(id, letters, kdc)), output)
  return exitCodes.done
}

export interface LetterOptions {
  readonly failed?: boolean
  readonly refused?: boolean
  readonly yes?: boolean
}

/** @throws Stop where the command line is wrong */
export function dropLetters(desk: Desk, ids: readonly string[], options: LetterOptions): OnDeployed {
  return withLetters(desk, { ...options, ids }, ({ deadLetters }) => ({
    ask: (meant) =>
      askFirst(desk, `This deletes for good: ${list(meant)}. Delete?`, options, 'nothing was dropped'),
    act: (meant) => actOnEach(desk, meant, 'dropped', deadLetters.drop),
  }))
}

/** @throws Stop where the command line is wrong */
export function redriveLetters(desk: Desk, ids: readonly string[], options: LetterOptions): OnDeployed {
  return withLetters(desk, { ...options, ids }, (deployed) => ({
    async ask(meant) {
      refuseTooSoon(desk, meant)
      if (meant.some(({ queue }) => queue === 'commands'))
        desk.err(
          `what is sent anew has you as its verified sender, ${await requestedBy(deployed)}, and the time of now; requestedBy stays as it is\n`,
        )
      if (meant.some(({ refused }) => refused !== undefined))
        desk.err('what was refused is refused again, unless what it was refused for was mended\n')
      const releases = options.yes === true ? '' : await whatReleasesGiveUp(desk, deployed, meant)
      await askFirst(desk, `This sends anew: ${list(meant)}.${releases} Send?`, options, 'nothing was sent')
    },
    act: (meant) => actOnEach(desk, meant, 'sent anew', deployed.deadLetters.redrive),
  }))
}

/** A release asks with what is at stake, in whichever way it is sent. */
async function whatReleasesGiveUp(
  desk: Desk,
  deployed: Deployed,
  letters: readonly DeadLetter[],
): Promise<string> {
  const edges = new Set(letters.flatMap(releasedBy))
  const told = await inParallel([...edges], (edge) => whatIsGivenUp(desk, deployed, edge))
  return told.map((words) => ` This ${words}.`).join('')
}

function releasedBy({ queue, body }: DeadLetter): string[] {
  if (queue !== 'commands') return []
  try {
    const command = parseCommand(body)
    return command.command === 'release' && !command.dryRun ? [command.edge] : []
  } catch (error) {
    // What is no command is refused again.
    if (error instanceof DispatcherControlError) return []
    throw error
  }
}

const oncePerMs = 5 * 60_000

/**
 * SQS takes a message once within five minutes: refused again sooner it would not come back here, and nobody
 * would see it. @throws Stop
 */
function refuseTooSoon({ clock }: Desk, letters: readonly DeadLetter[]): void {
  const fresh = letters.filter(({ queue, refused }) => queue === 'commands' && refused !== undefined)
  const newest = Math.max(...fresh.map(({ at }) => at))
  const leftMs = newest + oncePerMs - clock.now()
  if (leftMs > 0)
    throw new Stop(
      `a command was refused less than 5 minutes ago, and would be lost if it were refused again: try again in ${span(leftMs)}, or give a new one`,
    )
}

interface Work {
  /** @throws Stop where it is not to be done */
  readonly ask: (meant: readonly DeadLetter[]) => Promise<void>
  readonly act: (meant: readonly DeadLetter[]) => Promise<void>
}

interface Named extends LetterOptions {
  readonly ids: readonly string[]
}

function withLetters(desk: Desk, named: Named, workOn: (deployed: Deployed) => Work): OnDeployed {
  const { ids, failed = false, refused = false } = named
  if ([ids.length > 0, failed, refused].filter(Boolean).length !== 1)
    throw new Stop('name ids, --failed or --refused: dlq ls shows what is there', exitCodes.usage)
  return (deployed) => workOnLetters(desk, deployed, named, workOn(deployed))
}

async function workOnLetters(
  desk: Desk,
  { deadLetters, kdc }: Deployed,
  { ids, refused = false, yes = false }: Named,
  { ask, act }: Work,
): Promise<ExitCode> {
  const meantIn = (letters: readonly DeadLetter[]) => {
    const found =
      ids.length > 0
        ? [...new Set(ids.map((id) => one(id, letters, kdc)))]
        : letters.filter((letter) => (letter.refused !== undefined) === refused)
    if (found.length === 0) throw new Stop(`nothing that ${refused ? 'was refused' : 'failed'} is there`)
    return found
  }
  if (yes) {
    await looking(deadLetters, async (letters) => {
      const meant = meantIn(letters)
      await ask(meant)
      await act(meant)
    })
    return exitCodes.done
  }
  const meant = await looking(deadLetters, async (letters) => meantIn(letters))
  await ask(meant)
  // Somebody may think for longer than what is looked at is kept for us.
  const left = await looking(deadLetters, async (letters) => {
    const found = letters.filter(({ id }) => meant.some((each) => each.id === id))
    await act(found)
    return meant.length - found.length
  })
  if (left === 0) return exitCodes.done
  desk.err(`${left} are there no more, or somebody else looks at them: ${kdc} dlq ls shows what is there\n`)
  return exitCodes.error
}

/** However it ends, what is left can be seen by others at once. */
async function looking<T>(
  deadLetters: Deployed['deadLetters'],
  work: (letters: readonly DeadLetter[]) => Promise<T>,
): Promise<T> {
  const { letters } = await deadLetters.look()
  try {
    return await work(letters)
  } finally {
    await deadLetters.release(letters)
  }
}

/** @throws Stop where the beginning of an id means none, or several */
function one(id: string, letters: readonly DeadLetter[], kdc: string): DeadLetter {
  const [found, ...others] = letters.filter((letter) => letter.id.startsWith(id))
  if (found && others.length === 0) return found
  throw new Stop(
    found
      ? `"${id}" is the beginning of ${others.length + 1} messages: write more of it`
      : `no dead letter begins with "${id}", or somebody else looks at it: ${kdc} dlq ls shows what is there`,
  )
}

/** On one line, whatever somebody wrote. */
function list(letters: readonly DeadLetter[]): string {
  const texts = letters.map(({ id, queue, body, refused }) => {
    const { command, alarmName, EC2InstanceId } = whatCouldBeRead(body)
    const what = command ?? alarmName ?? EC2InstanceId ?? 'a message'
    return `${id.slice(0, 8)} (${queue}: ${what}${refused ? `, refused: ${refused.reason}` : ''})`
  })
  return quotable(texts).join(', ')
}

/** @throws Stop where nobody can be asked, or where the answer is no */
async function askFirst(desk: Desk, question: string, { yes }: LetterOptions, no: string): Promise<void> {
  if (yes === true) return
  if (!desk.ask) throw new Stop(`refused: ${question} Say so with --yes`, exitCodes.refused)
  if (!(await desk.ask(`${question} [y/N]`))) throw new Stop(no, exitCodes.refused)
}

async function actOnEach(
  desk: Desk,
  letters: readonly DeadLetter[],
  what: string,
  act: (letter: DeadLetter) => Promise<void>,
): Promise<void> {
  for (const letter of letters) {
    if (desk.stopped.aborted) throw new Stop('stopped: the others are as they were', exitCodes.interrupted)
    await act(letter)
    desk.out(`${letter.id} ${what}\n`)
  }
}
