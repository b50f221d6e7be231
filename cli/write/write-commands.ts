import type { Desk } from '../desk/desk.ts'
import { exitCodes } from '../desk/exit-codes.ts'
import type { OnDeployed } from '../desk/options.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { doCommand, prepared, type WriteOptions } from './do-command.ts'
import { undoOfReload } from './undo.ts'

/** @throws Stop where the command line is wrong */
export function reload(desk: Desk, edge: string | undefined, options: WriteOptions): OnDeployed {
  const { dryRun = false } = options
  const ready = prepared(desk, { command: 'reload', dryRun, ...(edge !== undefined && { edge }) }, options)
  return async (deployed) => {
    const undoOf = (outcome: Outcome) => undoOfReload(outcome, deployed.kdc)
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

/** It ends with `error` where it may not, so that a script can ask before it restarts one. */
export function mayRestart(desk: Desk, edge: string, options: WriteOptions): OnDeployed {
  const ready = prepared(desk, { command: 'may-restart', edge }, options)
  return async (deployed) => {
    const { outcome } = await doCommand(desk, deployed, ready, options)
    if (outcome.result === 'unknown') return exitCodes.unknown
    return outcome.result === 'yes' ? exitCodes.done : exitCodes.error
  }
}
