import { longestDeadlineSeconds } from '../../functions/contracts/command.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop, worse } from '../desk/exit-codes.ts'
import type { OnDeployed } from '../desk/options.ts'
import { instantOf, secondsOf } from '../desk/times.ts'
import { type WaitFor, type Watched, watchDrain } from '../read/watch-drain.ts'
import { doEach, type EachPrepared, eachPrepared, type WriteOptions } from './do-command.ts'
import { requestedBy } from './send-command.ts'
import type { ManyOptions } from './targets.ts'
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

/** @throws Stop where the command line is wrong */
export function drain(desk: Desk, targets: readonly string[], options: DrainOptions): OnDeployed {
  const { message: reason, deadline, from, until, force, wait, dryRun = false } = options
  const began = desk.clock.now()
  const asked = {
    ...{ command: 'drain' as const, reason, dryRun },
    ...(from !== undefined && { from: instantOf(from, '--from', began) }),
    ...(deadline !== undefined && { deadlineSeconds: deadlineOf(deadline) }),
    ...(until !== undefined && { until: instantOf(until, '--until', began) }),
    ...(force !== undefined && { force }),
  }
  const each = eachPrepared(desk, targets, options, (of) => ({ ...asked, ...of }))
  if (wait !== undefined && targets.length === 0)
    throw new Stop(
      '--wait is for targets that are named: status -w shows those of a group, set or zone',
      exitCodes.usage,
    )
  return (deployed) => drainEach(desk, deployed, each, options)
}

/** @throws Stop */
function deadlineOf(text: string): number {
  const seconds = secondsOf(text, '--deadline')
  if (seconds <= longestDeadlineSeconds) return seconds
  throw new Stop(
    `--deadline "${text}" is too long: ${longestDeadlineSeconds / 3600}h at most`,
    exitCodes.usage,
  )
}

/** All are sent before the first is waited for: they drain side by side. */
async function drainEach(
  desk: Desk,
  deployed: Deployed,
  each: readonly EachPrepared[],
  options: DrainOptions,
): Promise<ExitCode> {
  const { wait, dryRun = false } = options
  const who = await requestedBy(deployed)
  const begun: (Watched & { readonly words: string })[] = []
  const sent = await doEach(desk, deployed, each, {
    ...{ who, options },
    undoOf: (outcome, words, formers) => undoOfDrain(outcome, { words, who, formers, kdc: deployed.kdc }),
    follow({ exit, outcome }, { words, giveUpAt }) {
      // An edge that is away or refuses keeps nobody from waiting: that is what the wait is for.
      if (wait === undefined || dryRun || outcome.result === 'stale') return exit
      if (outcome.hold === undefined)
        throw new Stop(
          `its answer names no hold whose calls could be waited for; follow it with: ${deployed.kdc} watch ${words}`,
        )
      // Without --timeout the drain's own deadline is the end, once it has begun.
      const isOpen = wait === 'drained' && options.timeout === undefined
      const waits = outcome.result === 'waiting'
      begun.push({ hold: outcome.hold, goal: wait, giveUpAt: isOpen ? undefined : giveUpAt, words, waits })
      return exitCodes.done
    },
  })
  if (sent === exitCodes.interrupted) return sent
  const waited = await workOff(desk, begun, {
    left: 'not waited for',
    work: (one, own) => watchDrain(own, deployed, one),
  })
  return worse(sent, waited)
}
