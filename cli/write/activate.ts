import { type HoldName, holdKey } from '../../functions/control/hold.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { quotable } from '../desk/format.ts'
import type { OnDeployed } from '../desk/options.ts'
import type { Outcome } from '../show/show-outcome.ts'
import { requestsOf } from '../views/explain.ts'
import { lookAround, type Stored } from '../views/look-around.ts'
import { doEach, type EachPrepared, eachPrepared, type WriteOptions } from './do-command.ts'
import { requestedBy } from './send-command.ts'
import type { ManyOptions } from './targets.ts'
import { undoOfActivate } from './undo.ts'

export interface ActivateOptions extends WriteOptions, ManyOptions {
  readonly message?: string
  readonly source?: 'operator' | 'alarm' | 'retired'
  readonly hold?: string
  readonly yes?: boolean
}

/** @throws Stop where the command line is wrong */
export function activate(desk: Desk, targets: readonly string[], options: ActivateOptions): OnDeployed {
  const { source, hold, message: reason, dryRun = false } = options
  const asked = {
    ...{ command: 'activate' as const, dryRun },
    ...(reason !== undefined && { reason }),
    ...(source !== undefined && { source }),
    ...(hold !== undefined && { holdId: hold }),
  }
  const all = eachPrepared(desk, targets, options, (of) => ({ ...asked, ...of }))
  return async (deployed) => {
    const who = await requestedBy(deployed)
    if ((source !== undefined || hold !== undefined) && options.yes !== true && !dryRun)
      await askFirst(desk, deployed, { targets, who, isMeant: (each) => isMeant(each, options) })
    return activateEach(desk, deployed, all, { who, options })
  }
}

async function activateEach(
  desk: Desk,
  deployed: Deployed,
  each: readonly EachPrepared[],
  { who, options }: { readonly who: string; readonly options: ActivateOptions },
): Promise<ExitCode> {
  const { hold } = options
  return doEach(desk, deployed, each, {
    ...{ who, options },
    undoOf: (outcome, words, formers) => undoOfActivate(outcome, { words, who, formers, kdc: deployed.kdc }),
    follow({ exit, outcome }, { words }) {
      if (hold !== undefined && !hasFound(outcome)) throw noSuchHold(hold, words, outcome, deployed)
      return exit
    },
  })
}

function hasFound({ result, wouldLift, wouldDrop }: Outcome): boolean {
  return result === 'dry-run' ? wouldLift.length + wouldDrop.length > 0 : result !== 'nothing-to-lift'
}

function noSuchHold(hold: string, words: string, { stillHeld }: Outcome, { kdc }: Deployed): Stop {
  const ids = stillHeld.map((each) => quotable(holdKey(each)))
  const there = ids.length > 0 ? `there are: ${ids.join(', ')}` : 'nothing holds it'
  return new Stop(
    `no hold of ${words} is called "${hold}"; ${there}; what waits is in ${kdc} explain ${words}`,
    exitCodes.refused,
  )
}

function isMeant(hold: HoldName, { source, hold: id }: ActivateOptions): boolean {
  return hold.source === source || hold.id === id || holdKey(hold) === id
}

interface Lifting {
  readonly targets: readonly string[]
  readonly who: string
  readonly isMeant: (hold: HoldName) => boolean
}

/** Nobody lifts what somebody else holds without knowing it. @throws Stop */
async function askFirst(
  desk: Desk,
  deployed: Deployed,
  { targets, who, isMeant: meant }: Lifting,
): Promise<void> {
  const stored = await lookAround(deployed, desk.clock.now())
  const holds = new Set(targets.flatMap((target) => heldOf(target, stored)))
  const others = [...holds].filter((hold) => meant(hold) && hold.who !== who)
  if (others.length === 0) return
  const list = quotable(others.map((hold) => `${holdKey(hold)} (${hold.who}: ${hold.why})`)).join(', ')
  await agreed(desk, {
    does: `lifts what somebody else holds: ${list}`,
    question: 'Lift it?',
    otherwise: 'nothing was lifted',
  })
}

/** A target that is wrong holds nothing: it is refused where it is sent, as without a question. */
function heldOf(target: string, stored: Stored) {
  try {
    return requestsOf(target, stored)
  } catch (error) {
    if (error instanceof Stop) return []
    throw error
  }
}

interface Asking {
  readonly does: string
  readonly question: string
  /** what is so where the answer is no */
  readonly otherwise: string
}

/** @throws Stop where somebody says no, or nobody is there to say yes */
export async function agreed({ ask }: Desk, { does, question, otherwise }: Asking): Promise<void> {
  if (!ask) throw new Stop(`refused: this ${does}; say so with --yes`, exitCodes.refused)
  if (!(await ask(`This ${does}. ${question} [y/N]`))) throw new Stop(otherwise, exitCodes.refused)
}
