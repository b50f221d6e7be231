import { type HoldName, holdKey } from '../functions/control/hold.ts'
import { isInstanceId } from '../functions/control/resolve.ts'
import type { Deployed, Desk } from './desk.ts'
import { type ExitCode, exitCodes, Stop } from './exit-codes.ts'
import { inShell, requestsOf } from './explain.ts'
import { type Format, formatted } from './format.ts'
import { lookAround } from './look-around.ts'
import { type Asked, answerTo, requestedBy } from './send-command.ts'
import { knownOutcome, type Outcome, showOutcome } from './show-outcome.ts'
import { instantOf, secondsOf } from './times.ts'
import {
  formerFreezeIn,
  formersIn,
  type Undo,
  undoOfActivate,
  undoOfDrain,
  undoOfFreeze,
  undoOfRelease,
  undoOfReload,
  undoOfUnfreeze,
} from './undo.ts'
import { type WaitFor, watchDrain } from './watch-drain.ts'

export interface WriteOptions {
  readonly output: Format
  readonly timeout?: string
  readonly dryRun?: boolean
}

const answerMs = 60_000

function patience({ timeout }: WriteOptions): number {
  return timeout === undefined ? answerMs : secondsOf(timeout, '--timeout') * 1000
}

/** What a command is for, unless it names one target. */
interface ManyOptions {
  readonly group?: string
  readonly set?: string
  readonly zone?: string
}

/** What a command names, and how a shell repeats it. @throws Stop */
function named(target: string | undefined, { group, set, zone }: ManyOptions) {
  const found = [
    ...(target === undefined ? [] : [{ of: oneOf(target), words: inShell(target) }]),
    ...(group === undefined ? [] : [{ of: { group }, words: `--group ${inShell(group)}` }]),
    ...(set === undefined ? [] : [{ of: { set: setOf(set) }, words: `--set ${set}` }]),
    ...(zone === undefined ? [] : [{ of: { zone }, words: `--zone ${inShell(zone)}` }]),
  ]
  const [first] = found
  if (first && found.length === 1) return first
  throw new Stop('name exactly one of a target, --group, --set and --zone', exitCodes.usage)
}

/** What a target is called in a command. */
export function oneOf(target: string): { readonly instance: string } | { readonly destination: string } {
  return isInstanceId(target) ? { instance: target } : { destination: target }
}

function setOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Stop(`--set "${text}" is no dispatcher set: write its number`, exitCodes.usage)
}

async function doCommand(
  desk: Desk,
  deployed: Deployed,
  asked: Asked,
  options: WriteOptions & {
    readonly who?: string
    readonly undoOf?: (outcome: Outcome) => Undo
  },
): Promise<{ readonly exit: ExitCode; readonly outcome: Outcome | undefined }> {
  const who = options.who ?? (await requestedBy(deployed))
  const row = await answerTo(desk, deployed, asked, { who, patienceMs: patience(options) })
  const outcome = knownOutcome(row)
  const undo = outcome && options.dryRun !== true ? options.undoOf?.(outcome) : undefined
  desk.out(formatted(showOutcome(row, undo), options.output, desk.screen))
  return { exit: outcome ? exitOf(desk, outcome) : exitCodes.done, outcome }
}

/** What was done, and what somebody has to put right. */
function exitOf(desk: Desk, { result, edges, counts, unread }: Outcome): ExitCode {
  const refusing = edges.filter(({ outcome }) => outcome === 'refused').map(({ edge }) => edge)
  if (refusing.length > 0)
    desk.err(
      `${refusing.join(', ')} could not be written until somebody puts it right; what is wanted stands\n`,
    )
  if (result === 'stale')
    desk.err(
      'something later was requested about it already: look with kdc status, and send it anew if need be\n',
    )
  const away = edges.filter(({ outcome }) => outcome === 'unreachable').map(({ edge }) => edge)
  const left = [
    ...(away.length > 0
      ? [`${away.join(', ')} could not be reached, and is brought to it once that answers`]
      : []),
    ...['refused', 'stale'].flatMap((came) => (counts[came] ? [`${counts[came]} ${came}`] : [])),
    ...(unread.length > 0 ? [`${unread.map(({ edge }) => edge).join(', ')} unread`] : []),
  ]
  if (left.length > 0) desk.err(`not done everywhere: ${left.join('; ')}\n`)
  const isDone = refusing.length === 0 && result !== 'stale' && result !== 'incomplete'
  if (!isDone) return exitCodes.error
  return left.length > 0 ? exitCodes.refused : exitCodes.done
}

export interface DrainOptions extends WriteOptions, ManyOptions {
  readonly message: string
  readonly deadline?: string
  readonly from?: string
  readonly until?: string
  readonly force?: string
  readonly wait?: WaitFor
}

export async function drain(
  desk: Desk,
  deployed: Deployed,
  target: string | undefined,
  options: DrainOptions,
): Promise<ExitCode> {
  const { message: reason, deadline, from, until, force, wait, dryRun = false } = options
  const began = desk.clock.now()
  const { of, words } = named(target, options)
  if (wait !== undefined && target === undefined)
    throw new Stop('--wait is for one target: see many with kdc status -w', exitCodes.usage)
  const asked: Asked = {
    ...{ command: 'drain', ...of, reason, dryRun },
    ...(from !== undefined && { from: instantOf(from, '--from', began) }),
    ...(deadline !== undefined && { deadlineSeconds: secondsOf(deadline, '--deadline') }),
    ...(until !== undefined && { until: instantOf(until, '--until', began) }),
    ...(force !== undefined && { force }),
  }
  const formers = dryRun ? undefined : await formersIn(deployed.shelf, desk.clock.now())
  const undoOf = (outcome: Outcome) => undoOfDrain(words, outcome, formers)
  const { exit, outcome } = await doCommand(desk, deployed, asked, { ...options, undoOf })
  // An edge that is away keeps nobody from waiting: that is what the wait is for.
  const isUnderWay = exit === exitCodes.done || exit === exitCodes.refused
  if (wait === undefined || dryRun || !isUnderWay || outcome?.hold === undefined) return exit
  // Without --timeout the drain's own deadline is the end, once it has begun.
  const isOpen = wait === 'drained' && options.timeout === undefined
  const giveUpAt = isOpen ? undefined : began + patience(options)
  return watchDrain(desk, deployed, { hold: outcome.hold, goal: wait, giveUpAt })
}

export interface ActivateOptions extends WriteOptions, ManyOptions {
  readonly message?: string
  readonly source?: 'operator' | 'alarm' | 'retired'
  readonly hold?: string
  readonly yes?: boolean
}

export async function activate(
  desk: Desk,
  deployed: Deployed,
  target: string | undefined,
  options: ActivateOptions,
): Promise<ExitCode> {
  const { source, hold, message: reason, dryRun = false } = options
  const { of, words } = named(target, options)
  const who = await requestedBy(deployed)
  if (target !== undefined && (source !== undefined || hold !== undefined) && options.yes !== true && !dryRun)
    await askFirst(desk, deployed, { target, who, isMeant: (each) => isMeant(each, options) })
  const asked: Asked = {
    ...{ command: 'activate', ...of, dryRun },
    ...(reason !== undefined && { reason }),
    ...(source !== undefined && { source }),
    ...(hold !== undefined && { holdId: hold }),
  }
  const formers = dryRun ? undefined : await formersIn(deployed.shelf, desk.clock.now())
  const undoOf = (outcome: Outcome) => undoOfActivate(outcome, { words, who, formers })
  return (await doCommand(desk, deployed, asked, { ...options, who, undoOf })).exit
}

function isMeant(hold: HoldName, { source, hold: id }: ActivateOptions): boolean {
  return hold.source === source || hold.id === id || holdKey(hold) === id
}

interface Lifting {
  readonly target: string
  readonly who: string
  readonly isMeant: (hold: HoldName) => boolean
}

/** Nobody lifts what somebody else holds without knowing it. @throws Stop */
async function askFirst(
  desk: Desk,
  deployed: Deployed,
  { target, who, isMeant: meant }: Lifting,
): Promise<void> {
  const holds = requestsOf(target, await lookAround(deployed, desk.clock.now()))
  const others = holds.filter((hold) => meant(hold) && hold.who !== who)
  if (others.length === 0) return
  const list = others.map((hold) => `${holdKey(hold)} (${hold.who}: ${hold.why})`).join(', ')
  if (!desk.ask)
    throw new Stop(
      `refused: this lifts what somebody else holds: ${list}; say so with --yes`,
      exitCodes.refused,
    )
  if (!(await desk.ask(`This lifts what somebody else holds: ${list}. Lift it? [y/N] `)))
    throw new Stop('nothing was lifted', exitCodes.refused)
}

export async function reload(
  desk: Desk,
  deployed: Deployed,
  edge: string | undefined,
  options: WriteOptions,
): Promise<ExitCode> {
  const { dryRun = false } = options
  const asked: Asked = { command: 'reload', dryRun, ...(edge !== undefined && { edge }) }
  return (await doCommand(desk, deployed, asked, { ...options, undoOf: () => undoOfReload })).exit
}

export async function release(
  desk: Desk,
  deployed: Deployed,
  edge: string,
  options: WriteOptions & { readonly message: string },
): Promise<ExitCode> {
  const { dryRun = false, message: reason } = options
  const asked: Asked = { command: 'release', edge, reason, dryRun }
  const undoOf = ({ result }: Outcome) => (result === 'released' ? undoOfRelease : {})
  return (await doCommand(desk, deployed, asked, { ...options, undoOf })).exit
}

export async function freeze(
  desk: Desk,
  deployed: Deployed,
  options: WriteOptions & { readonly message: string; readonly until?: string },
): Promise<ExitCode> {
  const { dryRun = false, message: reason, until } = options
  const end = until === undefined ? {} : { until: instantOf(until, '--until', desk.clock.now()) }
  const asked: Asked = { command: 'freeze', reason, dryRun, ...end }
  const former = await formerFreezeIn(deployed.shelf, desk.clock.now())
  const undoOf = (outcome: Outcome) => undoOfFreeze(outcome, former)
  return (await doCommand(desk, deployed, asked, { ...options, undoOf })).exit
}

export async function unfreeze(
  desk: Desk,
  deployed: Deployed,
  options: WriteOptions & { readonly message?: string },
): Promise<ExitCode> {
  const { dryRun = false, message: reason } = options
  const asked: Asked = { command: 'unfreeze', dryRun, ...(reason !== undefined && { reason }) }
  const former = await formerFreezeIn(deployed.shelf, desk.clock.now())
  const undoOf = (outcome: Outcome) => undoOfUnfreeze(outcome, former)
  return (await doCommand(desk, deployed, asked, { ...options, undoOf })).exit
}

/** @returns `error` where it may not, so that a script can ask before it restarts one */
export async function mayRestart(
  desk: Desk,
  deployed: Deployed,
  edge: string,
  options: WriteOptions,
): Promise<ExitCode> {
  const asked: Asked = { command: 'may-restart', edge }
  const { outcome } = await doCommand(desk, deployed, asked, options)
  if (outcome?.result === 'unknown') return exitCodes.unknown
  return outcome?.result === 'yes' ? exitCodes.done : exitCodes.error
}
