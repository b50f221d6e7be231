import { expect, it } from 'vitest'
import type { DrainRequest } from '../../functions/control/claim.ts'
import type {
  ActionDrain,
  Completing,
  Drain,
  Ended,
  HoldDrain,
  LifecycleTarget,
  Phase,
} from '../../functions/control/drain.ts'
import {
  actionDrain,
  anAction,
  claimed,
  draining,
  endCalls,
  endingCalls,
  held,
  holdDrain,
  retained,
} from './drain-samples.ts'

/**
 * Drains that can't be do not compile: the compiler judges this file, and refuses an `@ts-expect-error`
 * without an error below it.
 */

const empty = { name: 'completing', completion: 'CONTINUE', because: 'drained' } as const
const completing: Completing = { ...empty, from: draining }
const ended: Ended<'lifted'> = { name: 'ended', because: 'lifted' }

const ofAction = (phase: ActionDrain['phase']): Drain => actionDrain(phase)
const ofHold = (phase: HoldDrain['phase']): Drain => holdDrain(phase)

it('a lifecycle action’s drain is never held', () => {
  const phases = [claimed, draining, endingCalls, completing, retained, ended]
  expect(phases.map((phase) => ofAction(phase).phase)).toEqual(phases)
  // @ts-expect-error
  ofAction(held)
  // @ts-expect-error
  actionDrain(draining) satisfies HoldDrain
})

it('a hold of a lifecycle action has an action’s drain, and no other hold has', () => {
  const [action, operators] = [actionDrain(draining), holdDrain(held)]
  const drains: Drain[] = [
    // @ts-expect-error nobody would keep its action alive
    { ...operators, hold: action.hold },
    // @ts-expect-error it would complete an action that nobody asked about
    { ...action, hold: operators.hold },
  ]
  const requests: DrainRequest[] = [
    { hold: action.hold, action: anAction },
    { hold: operators.hold },
    // @ts-expect-error
    { hold: action.hold },
    // @ts-expect-error
    { hold: operators.hold, action: anAction },
  ]
  expect([drains.length, requests.length]).toEqual([2, 4])
})

it('an action is one of a scale-in, and has how calls are ended exactly where its policy ends them', () => {
  const ending = { callsLeft: 'end-calls', unknown: 'retain' } as const
  const targets: LifecycleTarget[] = [
    anAction,
    { ...anAction, policy: ending, endCalls },
    // @ts-expect-error nothing tells how many calls to end, and for how long
    { ...anAction, policy: ending },
    // @ts-expect-error no call is to be ended
    { ...anAction, endCalls },
    // @ts-expect-error a launch is no drain
    { ...anAction, transition: 'launching' },
  ]
  expect(targets).toHaveLength(5)
})

it('an operator’s or alarm’s drain is never completed, retained, or ending calls', () => {
  const phases = [claimed, draining, held, ended]
  expect(phases.map((phase) => ofHold(phase).phase)).toEqual(phases)
  // @ts-expect-error
  ofHold(completing)
  // @ts-expect-error
  ofHold(retained)
  // @ts-expect-error
  ofHold(endingCalls)
  const operators = holdDrain(held)
  // @ts-expect-error
  const withAction: Drain = { ...operators, action: anAction }
  // @ts-expect-error
  const keptAlive: Drain = { ...operators, lastHeartbeatAt: 1 }
  // @ts-expect-error
  const triedToComplete: Drain = { ...operators, completionTries: 1 }
  // @ts-expect-error
  const withCallsEnded: Drain = { ...operators, callsEnded: 1 }
  expect([withAction, keptAlive, triedToComplete, withCallsEnded]).toHaveLength(4)
})

it('a phase has its fields, and no others', () => {
  const phases: Phase[] = [
    // @ts-expect-error completing without completion
    { name: 'completing', because: 'drained', from: draining },
    // @ts-expect-error without because
    { name: 'completing', completion: 'CONTINUE', from: draining },
    // @ts-expect-error without a phase to return to
    { name: 'completing', completion: 'CONTINUE', because: 'drained' },
    // @ts-expect-error a hold's
    { ...empty, from: held },
    // @ts-expect-error
    { ...empty, from: claimed },
    // @ts-expect-error
    { ...empty, from: ended },
    // @ts-expect-error an action is not completed for a lift of its hold
    { ...completing, because: 'lifted' },
    // @ts-expect-error no server is abandoned whose calls are over
    { ...completing, completion: 'ABANDON' },
    // @ts-expect-error nor let go, because it is to be retained
    { ...completing, because: 'retained' },
    // @ts-expect-error only what is retained is terminated
    { ...completing, completion: 'TERMINATE' },
    // @ts-expect-error and never with calls
    { ...completing, completion: 'TERMINATE', because: 'terminated-at-deadline', from: retained },
    // @ts-expect-error what is retained has no action that goes on
    { ...completing, from: retained },
    // @ts-expect-error ended without because
    { name: 'ended' },
    // @ts-expect-error
    { name: 'ended', because: 'draining' },
    // @ts-expect-error held without its verdict
    { name: 'held', memory: draining.memory },
    // @ts-expect-error
    { name: 'held', verdict: 'gone', memory: draining.memory },
    // @ts-expect-error without memory
    { name: 'draining' },
    // @ts-expect-error
    { name: 'retained', memory: draining.memory },
    // @ts-expect-error
    { name: 'ending-calls', memory: draining.memory },
    // @ts-expect-error
    { name: 'retired', memory: draining.memory },
    // @ts-expect-error
    { ...{ name: 'claimed' }, memory: draining.memory } satisfies Phase,
  ]
  expect(phases).toHaveLength(21)
})

it("an operator's or alarm's drain is over with its hold or its machine, and by nothing that is decided for an action", () => {
  const phases: readonly HoldDrain['phase'][] = [
    ended,
    { name: 'ended', because: 'gone' },
    // @ts-expect-error
    { name: 'ended', because: 'terminated-at-deadline' },
    // @ts-expect-error
    { name: 'ended', because: 'action-over' },
  ]
  expect(phases).toHaveLength(4)
})
