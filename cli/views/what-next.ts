import type { Clearance, WaitingDrain } from '../../functions/control/clearance.ts'
import { chooseAtDeadline, type Left } from '../../functions/control/deadline.ts'
import type { ActionDrain, Drain } from '../../functions/control/drain.ts'
import { hasEnded } from '../../functions/control/hold.ts'
import { span } from '../desk/times.ts'
import type { DrainView } from './drain-view.ts'
import { type EndsView, endsText, when } from './ends.ts'
import type { Stored } from './look-around.ts'

/** What becomes of a drain at its deadline, as things are now. */
export function atDeadline({ action }: Drain, left: Left): string {
  if (!action) return 'it is reported as overdue, and goes on'
  const { choice } = chooseAtDeadline(action.policy, left)
  switch (choice) {
    case 'terminate':
      return 'its instance goes, and the calls that are left with it'
    case 'end-calls':
      return `the calls that are left are ended, ${endsCalls(action)}`
    case 'retain':
      return 'Auto Scaling keeps its instance until its calls are over'
    default:
      return choice satisfies never
  }
}

function endsCalls({ endCalls }: ActionDrain['action']): string {
  if (!endCalls) return 'and its instance goes'
  const { perStep, withinSeconds } = endCalls
  return `${perStep} at a time, and after ${span(withinSeconds * 1000)} its instance goes`
}

/** What comes next for a drain, and when. */
export function whatNext(drain: Drain, view: DrainView, { at, freeze, kdc }: Stored): string[] {
  const { hold, phase } = drain
  const lines: (string | false)[] = [
    nextLook(drain, view, { at, kdc }),
    view.ends !== undefined && overIn(view.ends, view.unknown, at),
    deadline(drain, view, at),
    hold.endsAt !== undefined &&
      `its hold is lifted by itself at ${when(hold.endsAt, at)}${freeze ? ', or when the freeze ends, if that is later' : ''}`,
    phase.name === 'held' && hold.endsAt === undefined && 'nothing more, until somebody lifts its hold',
    phase.name !== 'held' && afterLastCall(drain),
  ]
  return lines.filter((line) => typeof line === 'string')
}

/** The sweep begins anew within it what hangs: two of the longest waits that there may be, and its minute. */
const sweptWithinMs = 300_000

/** @returns when its look was due (epoch ms), where not even the sweep has begun that anew */
export function stuckSince({ nextLookAt }: Pick<Drain, 'nextLookAt'>, now: number): number | undefined {
  return nextLookAt !== undefined && nextLookAt < now - sweptWithinMs ? nextLookAt : undefined
}

function nextLook(
  drain: Drain,
  view: DrainView,
  { at: now, kdc }: Pick<Stored, 'at' | 'kdc'>,
): string | false {
  const { nextLookAt, phase } = drain
  if (nextLookAt === undefined) return false
  if (stuckSince(drain, now) !== undefined)
    return `its next look was due at ${when(nextLookAt, now)}: neither that nor the sweep, which begins it anew, runs: ${kdc} doctor shows what stops them`
  if (nextLookAt < now)
    return `its next look was due at ${when(nextLookAt, now)}: it is at work now, or else the sweep begins it anew within five minutes`
  const at = `it is looked at again at ${when(nextLookAt, now)}`
  if (phase.name === 'completing') return `${at}: ${tries(drain.completionTries ?? 0)}`
  if (view.zeroPending) return `${at}, to confirm that no call is left`
  return view.confirmed && view.callsLeft > 0 && phase.name !== 'held'
    ? `${at}, sooner if its last call is over`
    : at
}

function tries(completionTries: number): string {
  const refused = completionTries === 0 ? '' : `, which it refused ${completionTries} times`
  return `Auto Scaling is asked to complete the action${refused}`
}

function overIn(ends: EndsView, unknown: readonly string[], now: number): string {
  if (unknown.length > 0) return 'when it is over is unknown, while a number of calls is'
  if ('unknown' in ends) return `when it is over is unknown: ${ends.unknown}`
  return `most likely over in ${endsText(ends, now)}: from ${ends.earliest} to ${ends.latest}`
}

function deadline({ hold, phase, action }: Drain, view: DrainView, now: number): string | false {
  if (phase.name === 'completing' || phase.name === 'held' || phase.name === 'retained') return false
  if (phase.name === 'ending-calls')
    return `what is left goes with its instance at ${when(phase.since + (action?.endCalls?.withinSeconds ?? 0) * 1000, now)}`
  return now < hold.until && `deadline at ${when(hold.until, now)}: ${view.atDeadline}`
}

function afterLastCall({ action, phase }: Drain): string | false {
  if (phase.name === 'completing' || phase.name === 'ended') return false
  if (!action) return 'once no call is left it stays disabled, until its hold is lifted'
  return phase.name === 'retained'
    ? 'once no call is left its instance is terminated'
    : 'once no call is left Auto Scaling is answered CONTINUE, and its instance goes'
}

/** @param found what is decided by of the settings and what is stored; left out: they could not be read */
function roomFor(found: Clearance | undefined): string {
  if (!found)
    return 'floors or a limit leave no room for it, or what they go by is unknown: of an operator the same drain with --dry-run names which'
  if (found.clear) return 'no floor and no limit keeps it, by what is stored'
  return found.never
    ? `${found.because}: it can't begin unless the fleet grows or the settings change`
    : found.because
}

/** What a drain that has not begun waits for. */
export function whatItWaitsFor(
  { hold, beginsAt }: WaitingDrain,
  { at, freeze, kdc }: Stored,
  found?: Clearance,
): string[] {
  if (hasEnded(hold, at)) return ['its own end has come before it began: it is dropped within a minute']
  const isEarly = beginsAt !== undefined && at < beginsAt
  const isFrozen = freeze !== undefined && hold.force === undefined
  const until = freeze?.until === undefined ? `${kdc} unfreeze` : when(freeze.until, at)
  const lines: (string | false)[] = [
    isEarly && `its window begins at ${when(beginsAt, at)}`,
    isFrozen && `frozen by ${freeze.who}: ${freeze.why}; until ${until}`,
    !isEarly && !isFrozen && roomFor(found),
    'it begins within a minute after nothing keeps it from that',
    hold.endsAt !== undefined && `it is dropped if it has not begun by ${when(hold.endsAt, at)}`,
  ]
  return lines.filter((line) => typeof line === 'string')
}
