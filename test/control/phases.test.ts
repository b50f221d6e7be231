import { describe, expect, it } from 'vitest'
import type { ActionDrain, CompletingDrain, Drain } from '../../functions/control/drain.ts'
import { lookPayload } from '../../functions/control/look-payload.ts'
import type { Wait } from '../../functions/control/pace.ts'
import { completed, looking, openAction, refused, retained } from '../../functions/control/phases.ts'
import * as samples from './drain-samples.ts'
import { actionDrain, anAction, draining, endingCalls, holdDrain, now } from './drain-samples.ts'

const ended = { name: 'ended', because: 'drained' } as const
const completion = { name: 'completing', completion: 'CONTINUE', because: 'drained' } as const
const completing = { ...completion, from: draining }
const terminating = { ...completion, completion: 'TERMINATE', from: samples.retained } as const

const names = ({ events }: Drain) => events.map(({ name }) => name)

describe('the action that has to be kept alive', () => {
  it.each([samples.claimed, draining, endingCalls, completing])('is open: $name', (phase) => {
    expect(openAction(actionDrain(phase))).toEqual(anAction)
  })

  it.each([samples.retained, terminating, ended])('is over: $name', (phase) => {
    expect(openAction(actionDrain(phase))).toBeUndefined()
  })

  it('is none where an operator asked', () => {
    expect(openAction(holdDrain(draining))).toBeUndefined()
  })
})

describe('a completion that Auto Scaling refuses', () => {
  const tries = (drain: CompletingDrain, count: number) =>
    Array.from({ length: count }).reduce<ActionDrain>(
      (tried) => refused({ ...tried, phase: drain.phase }, 'throttled'),
      drain,
    )

  it.each([
    { phase: completing, from: draining },
    { phase: { ...completing, because: 'absent', from: endingCalls } as const, from: endingCalls },
    { phase: terminating, from: samples.retained },
  ])('is looked at anew where calls that come meanwhile would make it wrong: $from.name', (each) => {
    expect(refused(actionDrain(each.phase), 'throttled').phase).toEqual(each.from)
  })

  it.each([
    { ...completing, because: 'gone' },
    { ...completing, completion: 'ABANDON', because: 'retained' },
    { ...completing, because: 'terminated-at-deadline' },
  ] as const)('stays as it is where it is $because', (phase) => {
    expect(refused(actionDrain(phase), 'throttled')).toMatchObject({ phase, completionTries: 1 })
  })

  it('is published at each tenth try, with the reason', () => {
    const drain = actionDrain(completing)
    expect(tries(drain, 9).events).toEqual([])
    expect(tries(drain, 19).events).toMatchObject([
      {
        name: 'lifecycleCompletionFailed',
        detail: { tries: 10, completion: 'CONTINUE', error: 'throttled', action: { token: 'a' } },
      },
    ])
  })
})

it('one that is completed ends for the same reason, and both are published in order', () => {
  const drain = completed(actionDrain(terminating), 'over')
  expect(drain.phase).toEqual(ended)
  expect(names(drain)).toEqual(['lifecycleCompleted', 'drainEnded'])
  expect(drain.events[0]?.detail).toMatchObject({ completion: 'TERMINATE', outcome: 'over' })
})

it('one that is retained keeps what it remembers', () => {
  const drain = retained(actionDrain({ ...completing, completion: 'ABANDON', because: 'retained' }), now)
  expect(drain.phase).toEqual({ name: 'retained', since: now, memory: draining.memory })
  expect(names(drain)).toEqual(['instanceRetained'])
})

it('what has not been looked at yet, or is over, remembers nothing', () => {
  for (const phase of [samples.claimed, ended] as const)
    expect(looking(actionDrain(phase))).toEqual({ name: 'draining', memory: { edges: {} } })
})

describe('what a look returns to the workflow', () => {
  const pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 32 }
  const payload = (drain: Drain, wait: Wait = 'calls-up') => lookPayload(drain, wait, now, pace)
  const { group, hook, token, instanceId } = anAction
  const action = { group, hook, token, instanceId }
  const alive = (phase: ActionDrain['phase'], lastHeartbeatAt: number) =>
    payload({ ...actionDrain(phase), lastHeartbeatAt })

  it('names the action that is kept alive, and no other', () => {
    expect(alive(draining, now)).toMatchObject({ next: 'observe', action, waitSeconds: 100 })
    expect(alive(samples.retained, now)).not.toHaveProperty('action')
    expect(payload(holdDrain(draining))).toMatchObject({ next: 'observe', waitSeconds: 120 })
    expect(payload(holdDrain(draining))).not.toHaveProperty('action')
  })

  const dueIn = (ms: number, wait?: Wait) => {
    const drain = holdDrain(draining)
    return payload({ ...drain, hold: { ...drain.hold, until: now + ms } }, wait).waitSeconds
  }

  it('waits as long as it takes to confirm a zero, also beyond the deadline', () => {
    expect(dueIn(1000, 'confirm')).toBe(dueIn(3_600_000, 'confirm'))
  })

  it('waits until the deadline at the longest, and after it as long as ever', () => {
    expect([dueIn(500_000), dueIn(45_000), dueIn(44_001), dueIn(1), dueIn(0), dueIn(-1)]).toEqual([
      ...[120, 45, 45, 1, 120, 120],
    ])
  })

  it('waits as after a failure where a heartbeat is due', () => {
    expect(alive(draining, now - 49_999).waitSeconds).toBe(100)
    expect(alive(draining, now - 50_000)).toMatchObject({ waitSeconds: 33, retrySeconds: 33 })
  })

  it('is its end, once the drain has ended', () => {
    expect(alive(ended, now).next).toBe('ended')
  })
})
