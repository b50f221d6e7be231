import { mayRetain } from './deadline.ts'
import {
  type ActionDrain,
  type Because,
  type Completing,
  type CompletingDrain,
  type Drain,
  type Draining,
  drainId,
  type EndingCalls,
  type Held,
  type HoldDrain,
  type HoldOver,
  type LifecycleActionRef,
  type LifecycleTarget,
  type Memory,
  type NoCalls,
  type Phase,
  type Retained,
} from './drain.ts'
import type {
  DrainEvent,
  DrainEventDetail,
  DrainEventMore,
  DrainEventName,
  DrainState,
  DrainSummary,
} from './drain-events.ts'
import type { Hold } from './hold.ts'

/** What a drain's phases have in common, and the steps between them that more than one place takes. */

/** The action that has to be kept alive. */
export function openAction({ action, phase }: Drain): LifecycleTarget | undefined {
  const isOver =
    phase.name === 'retained' ||
    phase.name === 'ended' ||
    (phase.name === 'completing' && phase.from.name === 'retained')
  return isOver ? undefined : action
}

/** @returns the drain with what its hold covers, as it is resolved now: its next write keeps it */
export function resolvedBy<D extends Drain>(
  drain: D,
  { subject, uris, formerUris, addresses, group }: Hold,
): D {
  const known = {
    subject,
    uris,
    addresses,
    ...(formerUris && { formerUris }),
    ...(group !== undefined && { group }),
  }
  return { ...drain, hold: { ...drain.hold, ...known } }
}

export function stateOf({ name }: Phase): DrainState {
  if (name === 'held') return 'drained'
  return name === 'retained' || name === 'ending-calls' ? 'draining' : name
}

export function becauseOf(phase: Phase): Because | undefined {
  if (phase.name === 'held') return phase.verdict
  if (phase.name === 'retained') return 'retained'
  return 'because' in phase ? phase.because : undefined
}

/** Whether calls keep it: what is empty, or concluded, is not waited for. */
export function waitsForCalls({ phase: { name } }: Drain): boolean {
  return name === 'claimed' || name === 'draining' || name === 'ending-calls' || name === 'retained'
}

/** The phase in which it looks: one whose completion was refused looks anew. */
export function looking(drain: ActionDrain): Draining | EndingCalls | Retained
export function looking(drain: HoldDrain): Draining | Held
export function looking({ phase }: Drain): Draining | EndingCalls | Retained | Held
export function looking({ phase }: Drain): Draining | EndingCalls | Retained | Held {
  switch (phase.name) {
    case 'completing':
      return phase.from
    case 'claimed':
    case 'ended':
      return { name: 'draining', memory: { edges: {} } }
    case 'draining':
    case 'held':
    case 'ending-calls':
    case 'retained':
      return phase
    default:
      return phase satisfies never
  }
}

function summary(drain: Drain): DrainSummary {
  const { attempt, hold, phase, callsEnded } = drain
  const { source, who, sender, why, force, subject, group, uris, placedAt, until, endsAt } = hold
  return {
    drainId: drainId(drain),
    attempt,
    source,
    who,
    sender,
    why,
    force,
    instanceId: subject.kind === 'instance' ? subject.instanceId : undefined,
    group,
    uris,
    state: stateOf(phase),
    result: becauseOf(phase),
    requestedAt: placedAt,
    deadlineAt: until,
    endsAt,
    callsEnded,
  }
}

/** @returns the drain with an event about it as it is now, which its next write keeps */
export function withEvent<D extends Drain, N extends DrainEventName>(
  drain: D,
  name: N,
  more: DrainEventMore[N],
): D {
  const detail: DrainEventDetail<N> = { ...summary(drain), ...more }
  const event: DrainEvent<N> = { name, detail }
  return { ...drain, events: [...drain.events, event] }
}

export function ended(drain: Drain, because: HoldOver): Drain {
  return withEvent({ ...drain, phase: { name: 'ended', because } }, 'drainEnded', {})
}

/** As `ended`. An action has more reasons to be over than a hold: of `Drain` no such phase compiles. */
export function actionEnded(drain: ActionDrain, because: Because): Drain {
  return withEvent({ ...drain, phase: { name: 'ended', because } }, 'drainEnded', {})
}

/** Its hold was not placed: something later was requested about it. A lifecycle action's goes on. */
export function notPlaced(drain: Drain): Drain {
  return drain.action ? drain : ended(drain, 'lifted')
}

/** No call keeps its instance: it is let go, or terminated where Auto Scaling retains it. */
export function completing(drain: ActionDrain, because: NoCalls): CompletingDrain {
  const from = looking(drain)
  const phase: Completing =
    from.name === 'retained'
      ? { name: 'completing', completion: 'TERMINATE', because, from }
      : { name: 'completing', completion: 'CONTINUE', because, from }
  return { ...drain, phase }
}

export function retained(drain: ActionDrain, now: number): ActionDrain {
  const { memory } = looking(drain)
  return withEvent({ ...drain, phase: { name: 'retained', since: now, memory } }, 'instanceRetained', {})
}

/**
 * The action ended without us: it expired, or somebody else completed it. Where the hook's default result is
 * ABANDON the instance may have been kept, and its drain goes on; otherwise it is on its way out, and its
 * destinations stay disabled.
 */
export function withoutUs(drain: ActionDrain, machineGone: boolean, now: number): Drain {
  const from = looking(drain)
  // That its action is over is why it is retained.
  if (from.name === 'retained') return drain
  if (retains(drain.action) && !machineGone) return retained(drain, now)
  if (isCompleting(drain)) return completed(drain, 'over')
  const over = { name: 'completing', completion: 'CONTINUE', because: 'action-over', from } as const
  return completed({ ...drain, phase: over }, 'over')
}

/** Auto Scaling may have kept the instance: by our policy, or as it was found. */
function retains({ isRetained, policy }: LifecycleTarget): boolean {
  return isRetained === true || mayRetain(policy)
}

/** Whether an action that was over by then may have left its instance: only then EC2 is asked for it. */
export function mayBeKept({ phase, action }: CompletingDrain, outcome: 'completed' | 'over'): boolean {
  return phase.completion === 'CONTINUE' && outcome === 'over' && retains(action)
}

/**
 * What follows from Auto Scaling's answer to a completion. After an ABANDON by policy it retains the
 * instance, and the drain goes on; so it does where the clock was first, and may have retained it.
 * @param machineGone where {@link mayBeKept}
 */
export function concluded(
  drain: CompletingDrain,
  outcome: 'completed' | 'over',
  machineGone: boolean,
  now: number,
): Drain {
  if (drain.phase.completion === 'ABANDON') return retained(drain, now)
  return mayBeKept(drain, outcome) ? withoutUs(drain, machineGone, now) : completed(drain, outcome)
}

/** Its action was completed, or was over by then. */
export function completed(drain: CompletingDrain, outcome: 'completed' | 'over'): Drain {
  const { phase, action } = drain
  const { completion, because } = phase
  const answered = { action: actionRef(action), completion, outcome }
  return actionEnded(withEvent(drain, 'lifecycleCompleted', answered), because)
}

/** Each so many refused tries are published. */
const triesToPublish = 10

/**
 * Auto Scaling refused it. While it can't be completed, calls may come again (an edge restarts): that they
 * are over is looked at anew.
 */
export function refused(drain: CompletingDrain, error: string): ActionDrain {
  const { phase, action, completionTries } = drain
  const { completion } = phase
  const tries = completionTries + 1
  const tried = { ...drain, completionTries: tries }
  const shown = { action: actionRef(action), completion, tries, error }
  const noted = tries % triesToPublish === 0 ? withEvent(tried, 'lifecycleCompletionFailed', shown) : tried
  return restsOnCalls(drain) ? { ...noted, phase: phase.from } : noted
}

export function isCompleting(drain: Drain): drain is CompletingDrain {
  return drain.phase.name === 'completing'
}

/** Whether calls that come meanwhile would make it wrong. */
export function restsOnCalls({ phase: { because } }: CompletingDrain): boolean {
  return because === 'drained' || because === 'absent'
}

/** What names an action to Auto Scaling. */
export function actionRef({ group, hook, token, instanceId }: LifecycleTarget): LifecycleActionRef {
  return { group, hook, instanceId, ...(token !== undefined && { token }) }
}

export function withMemory(drain: Drain, changes: Partial<Memory>): Drain {
  const memory = { ...looking(drain).memory, ...changes }
  return drain.action
    ? { ...drain, phase: { ...looking(drain), memory } }
    : { ...drain, phase: { ...looking(drain), memory } }
}
