import type { Because, Drain } from '../../functions/control/drain.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { type Deployed, type Desk, rest } from '../desk/desk.ts'
import { type ExitCode, exitCodes } from '../desk/exit-codes.ts'
import { wrapped } from '../desk/format.ts'
import { outlasting } from '../desk/outlast.ts'
import { callsText, phaseText } from '../show/show-fleet.ts'
import { type DrainView, drainView } from '../views/drain-view.ts'
import { endsText, when } from '../views/ends.ts'
import { lookAround, type Stored } from '../views/look-around.ts'

export type WaitFor = 'confirmed' | 'drained'

/** Between two looks at what is stored, which the control plane renews each 20 s at the most often. */
const pollMs = 2000

export interface Watched {
  /** its hold, and so the drain's id */
  readonly hold: string
  /** what a shell calls the target */
  readonly words: string
  readonly goal: WaitFor
  /** epoch ms; undefined: the drain's own deadline ends it */
  readonly giveUpAt: number | undefined
  /** it was answered that it waits: a hold of its name may be in force that is an older one */
  readonly waits?: boolean
  /** of what waits, once it was seen: an older hold is another one */
  readonly order?: string | undefined
  /** what waits has no hold that could be lifted; left out: it was in force */
  readonly hasBegun?: boolean
}

/**
 * Follows a drain until what is waited for is so, and prints each change to stderr. However it ends, the
 * drain goes on, or waits still.
 */
export async function watchDrain(desk: Desk, deployed: Deployed, watched: Watched): Promise<ExitCode> {
  const print = (line: string) => desk.err(`${wrapped(line, desk.errColumns)}\n`)
  let printed = ''
  let deadline: string | undefined
  let order: string | undefined
  let hasBegun = !watched.waits
  const andNow = () => `${standsNow(hasBegun)}: ${deployed.kdc} status shows it`
  for (;;) {
    const stored = await outlasting(desk, () => lookAround(deployed, desk.clock.now(), watched.hold), {
      ...{ everyMs: pollMs, giveUpAt: watched.giveUpAt, late: exitCodes.unknown, goesOn: andNow() },
    })
    const now = desk.clock.now()
    if (watched.waits) order ??= stored.waiting.find(({ hold }) => holdKey(hold) === watched.hold)?.hold.order
    hasBegun ||= placedIn(stored, { ...watched, order }) !== undefined
    const step = stepOf(stored, { ...watched, order, hasBegun }, now)
    if (step.line !== printed) print(`${step.line}${step.outlook ?? ''}`)
    printed = step.line
    if (step.deadline !== undefined && deadline === undefined) print(step.deadline)
    deadline ??= step.deadline
    if (step.exit !== undefined) return step.exit
    const leftMs = (watched.giveUpAt ?? Number.POSITIVE_INFINITY) - now
    await rest(desk, Math.min(pollMs, leftMs), andNow())
  }
}

export interface Step {
  readonly line: string
  /** what is foretold: it changes with each look, and is printed with a line that is new */
  readonly outlook?: string
  /** and what happens then; printed once */
  readonly deadline?: string
  readonly exit?: ExitCode
}

/** What there is to tell of it now, and with which exit code watching it ends. */
export function stepOf(stored: Stored, watched: Watched, now: number): Step {
  const { hold: id, giveUpAt } = watched
  const isLate = giveUpAt !== undefined && now >= giveUpAt
  const placed = placedIn(stored, watched)
  if (!placed && stored.waiting.some(({ hold }) => holdKey(hold) === id))
    return orTimedOut(
      `it waits to begin; ${stored.kdc} explain ${watched.words} names why`,
      isLate,
      waitsStill,
    )
  if (!placed) return { line: whyGone(stored, watched), exit: exitCodes.error }
  const drain = stored.drains.find(({ hold }) => holdKey(hold) === id)
  // The record of an earlier drain of it has an earlier order.
  if (drain?.phase.name === 'ended' && drain.hold.order === placed.order)
    return stepAtEnd(drain.phase.because, { line: whyLifted(stored, watched), exit: exitCodes.error })
  // An earlier drain of it, whose hold this one has replaced, may have been of another machine.
  const isItsOwn = drain !== undefined && drain.hold.order >= placed.order
  const view = isItsOwn ? drainView(drain, stored) : undefined
  if (!view || !drain) return orTimedOut('it is beginning', isLate)
  return stepIn(view, watched, { isLate, now, decided: decidedAtDeadline(drain) })
}

/** @param lifted what is told of one whose hold somebody lifted */
export function stepAtEnd(because: Because, lifted: Step): Step {
  switch (because) {
    case 'lifted':
      return lifted
    case 'gone':
      return { line: 'its machine is gone: no call is left', exit: exitCodes.done }
    case 'drained':
    case 'absent':
      return { line: `it is over: ${because}`, exit: exitCodes.done }
    case 'terminated-at-deadline':
    case 'retained':
      return { line: `it is over: ${because}`, exit: exitCodes.overdue }
    case 'action-over':
      return {
        line: 'its lifecycle action is over without us: it timed out, or somebody else completed it; whether calls were left is not known',
        exit: exitCodes.error,
      }
    default:
      return because satisfies never
  }
}

/** What is answered at its deadline, for its calls to be cut or waited for, while that is under way. */
function decidedAtDeadline({ phase }: Drain): string | undefined {
  if (phase.name !== 'completing') return undefined
  if (phase.because === 'terminated-at-deadline')
    return 'its instance goes, and the calls that are left with it'
  return phase.because === 'retained' ? 'Auto Scaling keeps its instance until its calls are over' : undefined
}

interface Now {
  readonly isLate: boolean
  readonly now: number
  /** what its deadline has decided */
  readonly decided: string | undefined
}

/** Its hold in force; an older one of the same name is not meant. */
export function placedIn({ holds }: Stored, { hold: id, order = '' }: Pick<Watched, 'hold' | 'order'>) {
  return holds.find((hold) => holdKey(hold) === id && hold.order >= order)
}

function whyGone(stored: Stored, watched: Watched): string {
  if (stored.holds.some((hold) => holdKey(hold) === watched.hold))
    return 'it was dropped before it began; the hold that was there before it stands'
  return (watched.hasBegun ?? true) ? whyLifted(stored, watched) : 'it was dropped before it began'
}

function whyLifted({ kdc }: Stored, { words }: Watched): string {
  return `the hold of this drain was lifted; ${kdc} explain ${words} shows who else holds it`
}

function stepIn(view: DrainView, { goal }: Watched, { isLate, now, decided }: Now): Step {
  const calls = callsText(view.callsLeft, view.unknown)
  const line = `${phaseText(view)}: calls left: ${calls}${whereOf(view)}`
  if (decided !== undefined)
    return { line: `${line}; its deadline has passed: ${decided}`, exit: exitCodes.overdue }
  // What was concluded and has calls again is drained no more: its next look finds that, too.
  const isDrained = (view.phase === 'held' && view.callsLeft === 0) || view.phase === 'completing'
  if (isDrained || (goal === 'confirmed' && view.confirmed)) return { line, exit: exitCodes.done }
  if (view.phase === 'retained')
    return { line: `${line}; Auto Scaling keeps its instance until they are over`, exit: exitCodes.overdue }
  if (view.overdue)
    return { line: `${line}; its deadline has passed, and it goes on`, exit: exitCodes.overdue }
  const deadline = `deadline ${when(Date.parse(view.deadline), now)}: ${view.atDeadline}`
  if (!isLate) return { line, outlook: outlookOf(view, now), deadline }
  return view.unknown.length > 0
    ? { line: `${line}; timed out, the drain goes on. ${view.unknown.join('; ')}`, exit: exitCodes.unknown }
    : { line: `${line}; timed out, the drain goes on`, exit: exitCodes.timedOut }
}

const goesOn = 'the drain goes on'
const waitsStill = 'it waits still, and keeps no call from its server'

/** However watching it ends. */
function standsNow(hasBegun: boolean): string {
  return hasBegun ? goesOn : waitsStill
}

function orTimedOut(line: string, isLate: boolean, stands = goesOn): Step {
  return isLate ? { line: `${line}; timed out, ${stands}`, exit: exitCodes.timedOut } : { line }
}

/** Each edge that has calls left, or of which that is unknown. Why it is would make a line of each look. */
export function whereOf({ edges }: Pick<DrainView, 'edges'>): string {
  const left = edges
    .filter(({ calls }) => calls !== 0)
    .map(({ edge, calls = 'unknown' }) => `${edge} ${calls}`)
  return left.length > 0 ? ` (${left.join(', ')})` : ''
}

function outlookOf({ ends, unknown }: DrainView, now: number): string {
  if (ends === undefined || unknown.length > 0) return ''
  return 'unknown' in ends ? `; over in: unknown, ${ends.unknown}` : `; over in ${endsText(ends, now)}`
}
