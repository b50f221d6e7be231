import { describe, expect, it } from 'vitest'
import { heartbeatInterval, nextWait, type Pace, retryWait, type Wait } from '../../functions/control/pace.ts'
import {
  drainWorkflow,
  eventsPerFailedPoll,
  eventsPerPoll,
  stepsPerExecution,
} from '../../functions/control/workflow.ts'
import { some } from '../present.ts'

interface State {
  readonly Type: string
  readonly Next?: string
  readonly Default?: string
  readonly SecondsPath?: string
  readonly Choices?: readonly { Variable: string; StringEquals: string; Next: string }[]
  readonly Retry?: readonly { MaxAttempts: number }[]
  readonly Catch?: readonly { ErrorEquals: readonly string[]; ResultPath: string; Next: string }[]
}
const states: Record<string, State> = drainWorkflow.States

function state(name: string): State {
  const found = states[name]
  if (!found) throw new Error(`the workflow has no state ${name}`)
  return found
}

const ofType = (type: string) => Object.entries(states).filter(([, { Type }]) => Type === type)

function targets({ Next, Default, Choices = [], Catch = [] }: State): string[] {
  return [
    ...(Next ? [Next] : []),
    ...(Default ? [Default] : []),
    ...[...Choices, ...Catch].map((c) => c.Next),
  ]
}

const fields: Record<string, readonly string[]> = {
  Task: ['Type', 'Resource', 'Retry', 'Catch', 'Next'],
  Wait: ['Type', 'SecondsPath', 'Next'],
  Choice: ['Type', 'Choices', 'Default'],
  Succeed: ['Type'],
}

describe('the definition is closed', () => {
  it('every place it goes to is there', () => {
    for (const name of [drainWorkflow.StartAt, ...Object.values(states).flatMap(targets)])
      expect(states).toHaveProperty(name)
  })

  it('every state can be reached, and the end from each', () => {
    const reached = (from: string, found = new Set<string>()): Set<string> => {
      if (found.has(from)) return found
      found.add(from)
      for (const next of targets(state(from))) reached(next, found)
      return found
    }
    expect([...reached(drainWorkflow.StartAt)].sort()).toEqual(Object.keys(states).sort())
    for (const name of some(Object.keys(states))) expect(reached(name)).toContain('Ended')
  })

  it.each(Object.entries(states))('%s has only the fields that the interpreter knows', (_, each) => {
    expect(Object.keys(fields)).toContain(each.Type)
    expect(Object.keys(each).sort()).toEqual([...(fields[each.Type] ?? [])].sort())
  })

  it('a task that fails waits and is tried again: it never completes, never ends', () => {
    for (const [name, { Catch }] of some(ofType('Task'))) {
      expect(Catch).toEqual([
        { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: expect.any(String) },
      ])
      expect(state(Catch?.[0]?.Next ?? '')).toEqual({
        Type: 'Wait',
        SecondsPath: '$.retrySeconds',
        Next: name,
      })
    }
  })

  it('retries come at most twice, with backoff and jitter', () => {
    for (const [, { Retry }] of some(ofType('Task')))
      expect(Retry).toEqual([
        {
          ErrorEquals: ['States.ALL'],
          IntervalSeconds: 2,
          MaxAttempts: 2,
          BackoffRate: 2,
          JitterStrategy: 'FULL',
        },
      ])
  })

  it('each choice is equality on next, and what it does not know waits for a look', () => {
    for (const [name, { Choices = [], Default = '' }] of some(ofType('Choice'))) {
      for (const choice of some(Choices))
        expect(Object.keys(choice).sort()).toEqual(['Next', 'StringEquals', 'Variable'])
      expect(Choices.map((choice) => choice.Variable)).toEqual(Choices.map(() => '$.next'))
      expect(new Set(Choices.map((choice) => choice.StringEquals)).size).toBe(Choices.length)
      expect(Default, name).toBe('WaitToLook')
    }
    expect(state('WaitToLook')).toMatchObject({ Type: 'Wait', Next: 'Look' })
  })

  it('an execution starts with a look, whatever it is started with: a later attempt does not complete', () => {
    expect(drainWorkflow.StartAt).toBe('Look')
    expect(state('Look').Type).toBe('Task')
  })

  it('the lifecycle action is completed only where a step said so', () => {
    const into = (to: string) => Object.keys(states).filter((name) => targets(state(name)).includes(to))
    expect(into('Complete')).toEqual(['Decide', 'WaitToCompleteAgain'])
    expect(into('WaitToCompleteAgain')).toEqual(['Complete'])
    expect(state('Decide').Choices?.filter(({ Next }) => Next === 'Complete')).toEqual([
      { Variable: '$.next', StringEquals: 'complete', Next: 'Complete' },
    ])
  })
})

/**
 * History events of one visit (docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html).
 */
function events(name: string, fails = false): number {
  const { Type, Retry = [] } = state(name)
  const enteredAndExited = 2
  if (Type !== 'Task') return enteredAndExited
  const tries = fails ? 1 + Retry.reduce((sum, { MaxAttempts }) => sum + MaxAttempts, 0) : 1
  const scheduledStartedEnded = 3
  return enteredAndExited + tries * scheduledStartedEnded
}

describe('the history of an execution', () => {
  it('grows with each poll as the definition says', () => {
    expect(events('WaitToLook') + events('Look') + events('Decide')).toBe(eventsPerPoll)
    expect(events('Look', true) + events('WaitToLookAgain')).toBe(eventsPerFailedPoll)
    for (const task of ['Complete', 'Retire'])
      expect(events(task, true) + events(`WaitTo${task}Again`)).toBe(eventsPerFailedPoll)
  })

  /** Which polls fail; a step that failed is not counted among an execution's steps. */
  const failures: Record<string, (poll: number) => boolean> = {
    'never fails': () => false,
    'fails at every poll': () => true,
    'fails at every second poll': (poll) => poll % 2 === 1,
    'fails at one poll in ten': (poll) => poll % 10 === 9,
    'fails at nine polls in ten': (poll) => poll % 10 !== 9,
    'fails once it has nearly used its steps up': (poll) => poll >= stepsPerExecution - 1,
  }
  /** AWS's heartbeat timeouts, and what has none: an operator's or alarm's drain. */
  const timeouts = [30, 31, 59, 60, 300, 360, 361, 400, 1_000, 1_728, 3_600, 7_200, undefined]
  const start = 1 + events('Look') + events('Decide')
  const end =
    events('Complete', true) + events('WaitToCompleteAgain') + events('Complete') + events('Ended') + 1

  function longestHistory(
    heartbeatTimeout: number | undefined,
    failsAt: (poll: number) => boolean,
    wait: Wait,
    pace: Pace,
  ): number {
    const globalMaximum = Math.min(172_800, 100 * (heartbeatTimeout ?? Number.POSITIVE_INFINITY))
    const heartbeatSeconds = heartbeatTimeout === undefined ? undefined : heartbeatInterval(heartbeatTimeout)
    let longest = 0
    let history = start
    let steps = 0
    let age = 0
    for (let poll = 0; age < globalMaximum; poll++) {
      if (failsAt(poll)) {
        history += eventsPerFailedPoll
        age += retryWait(heartbeatSeconds)
      } else {
        history += eventsPerPoll
        age += nextWait(wait, age * 1000, heartbeatSeconds, pace)
        steps++
        if (steps >= stepsPerExecution) {
          longest = Math.max(longest, history + end)
          history = start
          steps = 0
        }
      }
    }
    return Math.max(longest, history + end)
  }

  it('without a heartbeat lasts for 61 h in which every step fails', () => {
    const failing = (25_000 - stepsPerExecution * eventsPerPoll) / eventsPerFailedPoll
    expect(failing * retryWait(undefined)).toBeGreaterThan(61 * 3600)
  })

  describe.each(Object.entries(failures))(
    'of a drain of 48 h that %s stays below 20,000 events',
    (_, failsAt) => {
      it.each(timeouts)('heartbeat timeout %s s', (heartbeatTimeout) => {
        const shortest = { minWaitSeconds: 1, maxWaitSeconds: 120, failoverWindowSeconds: 0.5 }
        const usual = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 32 }
        for (const pace of [usual, shortest])
          for (const wait of ['paced', 'confirm'] as const)
            expect(longestHistory(heartbeatTimeout, failsAt, wait, pace)).toBeLessThan(20_000)
      })
    },
  )
})
