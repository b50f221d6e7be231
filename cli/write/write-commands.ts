import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes } from '../desk/exit-codes.ts'
import { instantOf } from '../desk/times.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { doCommand, type WriteOptions } from './do-command.ts'
import type { Asked } from './send-command.ts'
import { formerFreezeIn, undoOfFreeze, undoOfRelease, undoOfReload, undoOfUnfreeze } from './undo.ts'

export async function reload(
  desk: Desk,
  deployed: Deployed,
  edge: string | undefined,
  options: WriteOptions,
): Promise<ExitCode> {
  const { dryRun = false } = options
  const asked: Asked = { command: 'reload', dryRun, ...(edge !== undefined && { edge }) }
  return (await doCommand(desk, deployed, asked, { ...options, undoOf: () => undoOfReload(deployed.kdc) }))
    .exit
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
  const undoOf = (outcome: Outcome) => undoOfFreeze(outcome, former, deployed.kdc)
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
  const undoOf = (outcome: Outcome) => undoOfUnfreeze(outcome, former, deployed.kdc)
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
