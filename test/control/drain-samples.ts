import type { Found } from '../../functions/control/advance.ts'
import type { AtDeadline, DeadlinePolicy, EndCalls } from '../../functions/control/deadline.ts'
import type {
  ActionDrain,
  ChosenHold,
  EndingCalls,
  HoldDrain,
  LifecycleHold,
  LifecycleTarget,
  Memory,
  Retained,
} from '../../functions/control/drain.ts'
import type { Judgement } from '../../functions/control/verdict.ts'
import { hold, machine } from './samples.ts'

/** Drains in each phase, and what a look may find. */

/** A scale-in that waits at the hook. */
export const anAction = {
  group: 'media-servers',
  hook: 'hook',
  token: 'a',
  instanceId: machine.instanceId,
  transition: 'terminating',
  policy: { callsLeft: 'terminate', unknown: 'terminate' },
  heartbeatSeconds: 100,
} as const satisfies LifecycleTarget
export const endCalls: EndCalls = { perStep: 10, withinSeconds: 600 }

export const until = 3_601_000
const begun = { attempt: 1, version: 1, steps: 0, events: [] }
const operators: ChosenHold = { ...hold(), source: 'operator', until }

function atDeadline({ callsLeft, unknown }: DeadlinePolicy): AtDeadline {
  return callsLeft === 'end-calls'
    ? { policy: { callsLeft, unknown }, endCalls }
    : { policy: { callsLeft, unknown } }
}

export function actionDrain<P extends ActionDrain['phase']>(
  phase: P,
  policy: DeadlinePolicy = anAction.policy,
): ActionDrain & { readonly phase: P } {
  const held: LifecycleHold = { ...operators, source: 'lifecycle', id: `${machine.instanceId}/hook` }
  return { ...begun, hold: held, action: { ...anAction, ...atDeadline(policy) }, completionTries: 0, phase }
}

export function holdDrain(phase: HoldDrain['phase']): HoldDrain {
  return { ...begun, hold: operators, phase }
}

const memory: Memory = {
  edges: { a: { everListed: true, zero: { at: 1, bootTime: 'b' } } },
  confirmedAt: 2_000,
}
export const claimed = { name: 'claimed' } as const
export const draining = { name: 'draining', memory } as const
export const held = { name: 'held', verdict: 'drained', memory } as const
/** Its last step was a minute ago, and the time for it is not over. */
export const endingCalls: EndingCalls = {
  ...{ name: 'ending-calls', memory },
  ...{ since: until, lastStepAt: until },
}
export const now = until + 60_000
export const retained: Retained = { name: 'retained', memory, since: until }

/** What the readings come to, of one edge. */
export function found(judgement: Partial<Judgement> = {}, more: Partial<Found> = {}): Found {
  const { edges } = memory
  const none = { callsLeft: 0, unknown: [], zeroPending: false, unconfirmed: false }
  return {
    kind: 'readings',
    hold: hold(),
    judgement: { verdict: 'draining', edges, ...none, ...judgement },
    ...{ counted: [], onEdges: [], endedOn: [], calm: true, released: [], lacks: [] },
    results: [{ edge: 'a', outcome: 'applied', entries: [] }],
    kamailio: { a: '6.1.0' },
    ...more,
  }
}

/** A look that finds so many calls on edge a. */
export function calls(callsLeft: number, judgement: Partial<Judgement> = {}): Found {
  const onEdges = callsLeft === 0 ? [] : [{ edge: 'a', calls: callsLeft }]
  return found({ callsLeft, ...judgement }, { onEdges, counted: [{ edge: 'a', calls: callsLeft, at: now }] })
}
