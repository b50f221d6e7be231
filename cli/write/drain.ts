import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop, worse } from '../desk/exit-codes.ts'
import { instantOf, secondsOf } from '../desk/times.ts'
import { type WaitFor, type Watched, watchDrain } from '../read/watch-drain.ts'
import { doEach, patience, type WriteOptions } from './do-command.ts'
import { requestedBy } from './send-command.ts'
import { type ManyOptions, meantBy } from './targets.ts'
import { undoOfDrain } from './undo.ts'
import { workOff } from './work-off.ts'

export interface DrainOptions extends WriteOptions, ManyOptions {
  readonly message: string
  readonly deadline?: string
  readonly from?: string
  readonly until?: string
  readonly force?: string
  readonly wait?: WaitFor
}

/** All are sent before the first is waited for: they drain side by side. */
export async function drain(
  desk: Desk,
  deployed: Deployed,
  targets: readonly string[],
  options: DrainOptions,
): Promise<ExitCode> {
  const { message: reason, deadline, from, until, force, wait, dryRun = false } = options
  const began = desk.clock.now()
  const meant = meantBy(targets, options)
  if (wait !== undefined && targets.length === 0)
    throw new Stop(
      `--wait is for targets that are named: see a group, set or zone with ${deployed.kdc} status -w`,
      exitCodes.usage,
    )
  const asked = {
    ...{ command: 'drain' as const, reason, dryRun },
    ...(from !== undefined && { from: instantOf(from, '--from', began) }),
    ...(deadline !== undefined && { deadlineSeconds: secondsOf(deadline, '--deadline') }),
    ...(until !== undefined && { until: instantOf(until, '--until', began) }),
    ...(force !== undefined && { force }),
  }
  const who = await requestedBy(deployed)
  const begun: (Watched & { readonly words: string })[] = []
  const sent = await doEach(desk, deployed, meant, {
    ...{ who, options },
    askedOf: (of) => ({ ...asked, ...of }),
    undoOf: (outcome, words, formers) => undoOfDrain(outcome, { words, who, formers, kdc: deployed.kdc }),
    follow({ exit, outcome }, words, sentAt) {
      // An edge that is away or refuses keeps nobody from waiting: that is what the wait is for.
      const isUnderWay = outcome?.result !== 'stale'
      if (wait === undefined || dryRun || !isUnderWay || outcome?.hold === undefined) return exit
      // Without --timeout the drain's own deadline is the end, once it has begun.
      const isOpen = wait === 'drained' && options.timeout === undefined
      const giveUpAt = isOpen ? undefined : sentAt + patience(options)
      begun.push({ hold: outcome.hold, goal: wait, giveUpAt, words })
      return exitCodes.done
    },
  })
  if (sent === exitCodes.interrupted) return sent
  const waited = await workOff(desk, begun, {
    left: 'not waited for',
    work: (each, own) => watchDrain(own, deployed, each),
  })
  return worse(sent, waited)
}
