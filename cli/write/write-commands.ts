import { inForce } from '../../functions/control/clearance.ts'
import type { Desk } from '../desk/desk.ts'
import { exitCodes } from '../desk/exit-codes.ts'
import { quotable } from '../desk/format.ts'
import type { OnDeployed } from '../desk/options.ts'
import { instantOf } from '../desk/times.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { unlessUnread } from '../views/look-around.ts'
import { agreed } from './activate.ts'
import { doCommand, prepared, type WriteOptions } from './do-command.ts'
import { requestedBy } from './send-command.ts'
import { formerFreezeIn, undoOfFreeze, undoOfReload, undoOfUnfreeze } from './undo.ts'

/** @throws Stop, as the others, where the command line is wrong */
export function reload(desk: Desk, edge: string | undefined, options: WriteOptions): OnDeployed {
  const { dryRun = false } = options
  const ready = prepared(desk, { command: 'reload', dryRun, ...(edge !== undefined && { edge }) }, options)
  return async (deployed) => {
    const undoOf = (outcome: Outcome) => undoOfReload(outcome, deployed.kdc)
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

export function freeze(
  desk: Desk,
  options: WriteOptions & { readonly message: string; readonly until?: string },
): OnDeployed {
  const { dryRun = false, message: reason, until } = options
  const end = until === undefined ? {} : { until: instantOf(until, '--until', desk.clock.now()) }
  const ready = prepared(desk, { command: 'freeze', reason, dryRun, ...end }, options)
  return async (deployed) => {
    const former = await formerFreezeIn(deployed.shelf, desk.clock.now())
    const undoOf = (outcome: Outcome) => undoOfFreeze(outcome, former, deployed.kdc)
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

export function unfreeze(
  desk: Desk,
  options: WriteOptions & { readonly message?: string; readonly yes?: boolean },
): OnDeployed {
  const { dryRun = false, message: reason, yes = false } = options
  const ready = prepared(
    desk,
    { command: 'unfreeze', dryRun, ...(reason !== undefined && { reason }) },
    options,
  )
  return async (deployed) => {
    const who = await requestedBy(deployed)
    const read = await unlessUnread(() => deployed.shelf.freeze())
    // What its clock shows is nothing that the control plane goes by: that ends a freeze itself.
    const freeze = read?.found && !read.found.ended ? quotable(read.found) : undefined
    if (freeze && freeze.who !== who && !yes && !dryRun)
      await agreed(desk, {
        does: `ends somebody else's freeze (${freeze.who}: ${freeze.why})`,
        question: 'End it?',
        otherwise: 'the freeze stands',
      })
    const former = read && { found: inForce(read.found, desk.clock.now()) }
    const undoOf = (outcome: Outcome) => undoOfUnfreeze(outcome, former, { who, kdc: deployed.kdc })
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

/** It ends with `error` where it may not, so that a script can ask before it restarts one. */
export function mayRestart(desk: Desk, edge: string, options: WriteOptions): OnDeployed {
  const ready = prepared(desk, { command: 'may-restart', edge }, options)
  return async (deployed) => {
    const { outcome } = await doCommand(desk, deployed, ready, options)
    if (outcome?.result === 'unknown') return exitCodes.unknown
    return outcome?.result === 'yes' ? exitCodes.done : exitCodes.error
  }
}
