import { type Freeze, inForce } from '../../functions/control/freeze.ts'
import type { Desk } from '../desk/desk.ts'
import { quotable } from '../desk/format.ts'
import type { OnDeployed } from '../desk/options.ts'
import { instantOf, isoTime } from '../desk/times.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { unlessUnread } from '../views/look-around.ts'
import { agreed } from './activate.ts'
import { doCommand, prepared, type WriteOptions } from './do-command.ts'
import { requestedBy } from './send-command.ts'
import { undoOfFreeze, undoOfUnfreeze } from './undo.ts'

export interface FreezeOptions extends WriteOptions {
  readonly message: string
  readonly until?: string
  readonly yes?: boolean
}

/** @throws Stop, as the other one, where the command line is wrong */
export function freeze(desk: Desk, options: FreezeOptions): OnDeployed {
  const { dryRun = false, message: reason, until, yes = false } = options
  const end = until === undefined ? {} : { until: instantOf(until, '--until', desk.clock.now()) }
  const ready = prepared(desk, { command: 'freeze', reason, dryRun, ...end }, options)
  return async (deployed) => {
    const now = desk.clock.now()
    const who = await requestedBy(deployed)
    const read = await unlessUnread(() => deployed.shelf.freeze())
    const others = othersIn(read?.found, who, now)
    if (others && isSooner(end.until, others) && !yes && !dryRun) await askFirst(desk, others)
    const former = read && { found: inForce(read.found, now) }
    const undoOf = (outcome: Outcome) => undoOfFreeze(outcome, former, { who, kdc: deployed.kdc })
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

export interface UnfreezeOptions extends WriteOptions {
  readonly message?: string
  readonly yes?: boolean
}

export function unfreeze(desk: Desk, options: UnfreezeOptions): OnDeployed {
  const { dryRun = false, message: reason, yes = false } = options
  const ready = prepared(
    desk,
    { command: 'unfreeze', dryRun, ...(reason !== undefined && { reason }) },
    options,
  )
  return async (deployed) => {
    const now = desk.clock.now()
    const who = await requestedBy(deployed)
    const read = await unlessUnread(() => deployed.shelf.freeze())
    const others = othersIn(read?.found, who, now)
    if (others && !yes && !dryRun) await askFirst(desk, others)
    const former = read && { found: inForce(read.found, now) }
    const undoOf = (outcome: Outcome) => undoOfUnfreeze(outcome, former, { who, kdc: deployed.kdc })
    return (await doCommand(desk, deployed, ready, { ...options, undoOf })).exit
  }
}

type Named = Pick<Freeze, 'who' | 'why' | 'until'>

/**
 * Somebody else's freeze that is in force, or that one's own has taken the place of and that would last
 * still. The first one counts until the control plane has ended it, whatever the clock here shows.
 */
function othersIn(last: Freeze | undefined, who: string, now: number): Named | undefined {
  if (!last || last.ended) return undefined
  const found = last.who === who ? inForce(last.replaces, now) : last
  return found && found.who !== who ? found : undefined
}

function isSooner(until: string | undefined, others: Named): boolean {
  return until !== undefined && Date.parse(until) < (others.until ?? Number.POSITIVE_INFINITY)
}

/** @throws Stop */
async function askFirst(desk: Desk, others: Named): Promise<void> {
  const { who, why, until } = quotable(others)
  const end = until === undefined ? '' : `, until ${isoTime(until)}`
  await agreed(desk, {
    does: `ends somebody else's freeze (${who}: ${why}${end})`,
    question: 'End it?',
    otherwise: 'the freeze stands',
  })
}
