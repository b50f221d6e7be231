import { inParallel } from '../../functions/aws/in-parallel.ts'
import type { CommandInput } from '../../functions/contracts/command.ts'
import { readable } from '../../functions/control/reading.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { type Format, print, wrapped } from '../desk/format.ts'
import { secondsOf } from '../desk/times.ts'
import { knownOutcome, type Listed, type Outcome, showOutcome, type Undo } from '../show/show-outcome.ts'
import { unlessUnread } from '../views/look-around.ts'
import { refuseUnknown } from './known-target.ts'
import { type Asked, checkAsked, readied, requestedBy, sendCommand } from './send-command.ts'
import { type ManyOptions, type Meant, meantBy } from './targets.ts'
import { type Formers, formersIn } from './undo.ts'
import { workOff } from './work-off.ts'

export interface WriteOptions {
  readonly output: Format
  readonly timeout?: string
  readonly dryRun?: boolean
}

const usualPatienceMs = 60_000

/** One command of a command line. */
interface Prepared {
  readonly asked: Asked
  /** how long its answer is waited for */
  readonly patienceMs: number
}

/** What is wrong with a command line is told before AWS is asked anything. @throws Stop */
export function prepared({ clock }: Desk, asked: Asked, { timeout }: WriteOptions): Prepared {
  checkAsked(asked, clock.now())
  return {
    asked,
    patienceMs: timeout === undefined ? usualPatienceMs : secondsOf(timeout, '--timeout') * 1000,
  }
}

export type EachPrepared = Prepared & Pick<Meant, 'words'>

/** The same of each target, or of the many. @throws Stop */
export function eachPrepared(
  desk: Desk,
  targets: readonly string[],
  options: WriteOptions & ManyOptions,
  askedOf: (of: Meant['of']) => Asked,
): readonly EachPrepared[] {
  return meantBy(targets, options).map(({ of, words }) => ({
    words,
    ...prepared(desk, askedOf(of), options),
  }))
}

interface Done {
  readonly exit: ExitCode
  readonly outcome: Outcome
}

interface DoingOne extends WriteOptions {
  readonly undoOf?: (outcome: Outcome) => Undo
  /** asks somebody, once it is known that what is named is there. @throws Stop where they say no */
  readonly agree?: () => Promise<void> | undefined
}

/** Does one command, and prints what came of it. @throws Stop */
export async function doCommand(
  desk: Desk,
  deployed: Deployed,
  { asked, patienceMs }: Prepared,
  options: DoingOne,
): Promise<Done> {
  const command = readied(desk, asked, await requestedBy(deployed))
  await refuseUnknown(desk, deployed, [command])
  await options.agree?.()
  return doReadied(desk, deployed, command, { ...options, patienceMs })
}

interface EachSent {
  readonly words: string
  /** epoch ms: until when its answer was waited for at most */
  readonly giveUpAt: number
}

/** The same for each of several, one after the other. */
interface Doing {
  readonly who: string
  readonly options: WriteOptions
  readonly undoOf: (outcome: Outcome, words: string, formers: Formers | undefined) => Undo
  /** what follows an outcome */
  readonly follow?: (done: Done, of: EachSent) => ExitCode
}

/** @returns the worst exit code. @throws Stop where one names nothing: then none of them is sent */
export async function doEach(
  desk: Desk,
  deployed: Deployed,
  each: readonly EachPrepared[],
  { who, options, undoOf, follow = ({ exit }) => exit }: Doing,
): Promise<ExitCode> {
  const commands = each.map(({ asked, ...more }) => ({ ...more, command: readied(desk, asked, who) }))
  await refuseUnknown(
    desk,
    deployed,
    commands.map(({ command }) => command),
  )
  const formers = options.dryRun ? undefined : await formersIn(deployed.shelf, desk.clock.now())
  return workOff(desk, commands, {
    left: 'not sent',
    async work({ words, patienceMs, command }, own) {
      const sentAt = desk.clock.now()
      const undo = (outcome: Outcome) => undoOf(outcome, words, formers)
      const done = await doReadied(own, deployed, command, { ...options, patienceMs, undoOf: undo })
      return follow(done, { words, giveUpAt: sentAt + patienceMs })
    },
  })
}

interface Ready {
  readonly patienceMs: number
  readonly undoOf?: (outcome: Outcome) => Undo
}

async function doReadied(
  desk: Desk,
  deployed: Deployed,
  command: CommandInput,
  options: WriteOptions & Ready,
): Promise<Done> {
  const row = await sendCommand(desk, deployed, command, options.patienceMs)
  const { kdc } = deployed
  const outcome = knownOutcome(row)
  if (!outcome) {
    print(desk, showOutcome(row, { kdc }), options.output)
    throw notKnown(command, kdc)
  }
  const undo = options.dryRun === true ? undefined : options.undoOf?.(outcome)
  const listed = outcome.edges.some(({ plan }) => plan) ? await listedOn(deployed, outcome) : undefined
  print(desk, showOutcome(row, { kdc, undo, listed }), options.output)
  return { exit: exitOf(desk, deployed, outcome), outcome }
}

/** That it was answered is no word on what came of it. */
function notKnown({ command, id }: CommandInput, kdc: string): Stop {
  return new Stop(
    `what came of this ${command} can't be told: kdc may be older than the deployment, and does not know the form of its answer; ${kdc} get command ${id} prints it again`,
  )
}

/** What entries show by now, as far as that can be read. */
async function listedOn({ shelf }: Deployed, { edges }: Outcome): Promise<Listed> {
  const found = await inParallel(edges, async ({ edge }) => {
    const read = await unlessUnread(() => shelf.listing(edge))
    const listing = readable(read?.found)
    return listing ? [[edge, listing.listed] as const] : []
  })
  return new Map(found.flat())
}

/** What was done, and what is left to do: docs/commands.md has the table. */
function exitOf(desk: Desk, { kdc }: Deployed, { result, edges, counts, unread }: Outcome): ExitCode {
  const tell = (line: string) => desk.err(`${wrapped(line, desk.errColumns)}\n`)
  const whose = (came: string) =>
    edges.flatMap(({ edge, outcome }) => (outcome === came ? [edge] : [])).join(', ')
  const [refusing, away, pending] = [whose('refused'), whose('unreachable'), whose('pending')]
  if (refusing !== '')
    tell(`${refusing} could not be written until somebody puts it right; what is wanted stands`)
  if (result === 'stale')
    tell(
      `something later was requested about it already: look with ${kdc} status, and send it anew if need be`,
    )
  if (pending !== '')
    tell(
      `${pending} had not been read back yet; what is wanted stands: ${kdc} explain TARGET shows what it lists by now`,
    )
  const left = [
    ...(away === '' ? [] : [`${away} could not be reached, and is brought to it once that answers`]),
    ...['refused', 'stale'].flatMap((came) => (counts[came] ? [`${counts[came]} ${came}`] : [])),
    ...(unread.length > 0 ? [`${unread.map(({ edge }) => edge).join(', ')} unread`] : []),
  ]
  if (left.length > 0) tell(`not done everywhere: ${left.join('; ')}`)
  if (result === 'incomplete') return exitCodes.error
  if (refusing !== '' || result === 'stale' || left.length > 0) return exitCodes.refused
  return pending === '' ? exitCodes.done : exitCodes.timedOut
}
