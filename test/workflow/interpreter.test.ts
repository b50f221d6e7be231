import { describe, expect, test } from 'vitest'
import { drainWorkflow, eventsPerFailedPoll, eventsPerPoll } from '../../functions/control/workflow.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { interpreter, NotUnderstood } from './interpreter.ts'

const payload = { drainId: 'd', attempt: 1, next: 'observe', waitSeconds: 5, retrySeconds: 100 }

function drainRun(steps: Partial<Record<string, (call: number) => unknown>>, jitter?: (s: number) => number) {
  const clock = createMemoryClock(0)
  const calls: string[] = []
  const counts = new Map<string, number>()
  const task = (name: string) => async () => {
    calls.push(`${name}@${clock.now() / 1000}`)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return steps[name]?.(count) ?? { ...payload, next: 'ended' }
  }
  const names = ['Look', 'CompleteDrain', 'RetireDrain']
  const run = interpreter(drainWorkflow, {
    clock,
    tasks: Object.fromEntries(names.map((name) => [name, task(name)])),
    ...(jitter && { jitter }),
  })
  return { run, calls }
}

describe('the drain workflow goes where its steps say', () => {
  test('observe, complete, retire, each after its wait', async () => {
    const { run, calls } = drainRun({
      Look: (n) => ({ ...payload, waitSeconds: 7, next: n < 3 ? 'observe' : 'complete' }),
      CompleteDrain: () => ({ ...payload, next: 'retire', waitSeconds: 9 }),
    })
    const done = await run(payload)
    expect(done.status).toBe('SUCCEEDED')
    expect(calls).toEqual(['Look@0', 'Look@7', 'Look@14', 'CompleteDrain@14', 'RetireDrain@23'])
    expect(done.history.at(-1)).toEqual({ state: 'Ended', at: 23_000, outcome: 'succeeded' })
  })

  test('a step that fails is tried three times and then leads back to waiting, its input kept', async () => {
    const { run, calls } = drainRun({
      Look: (n) => {
        if (n < 4) throw new TypeError('lost')
        return { ...payload, next: 'ended' }
      },
    })
    const done = await run(payload)
    expect(calls).toEqual(['Look@0', 'Look@2', 'Look@6', 'Look@106'])
    expect(done.history[0]).toEqual({ state: 'Look', at: 0, outcome: 'TypeError -> WaitToLookAgain' })
  })

  test('jitter can be injected', async () => {
    const { run, calls } = drainRun(
      {
        Look: (n) => {
          if (n < 2) throw new Error('lost')
          return { ...payload, next: 'ended' }
        },
      },
      (seconds) => seconds / 2,
    )
    await run(payload)
    expect(calls).toEqual(['Look@0', 'Look@1'])
  })
})

test('a poll costs as many history events as the drain is planned with, failed or not', async () => {
  const events = async (polls: number, failed: number) => {
    const { run } = drainRun({
      Look: (n) => {
        if (n <= failed * 3) throw new Error('lost')
        return { ...payload, next: n - failed * 3 > polls ? 'ended' : 'observe' }
      },
    })
    return (await run(payload)).events
  }
  const none = await events(0, 0)
  expect((await events(10, 0)) - none).toBe(10 * eventsPerPoll)
  expect((await events(0, 10)) - none).toBe(10 * eventsPerFailedPoll)
  expect(none).toBe(1 + 5 + 2 + 2 + 1)
})

test('an execution fails before its history is longer than AWS allows', async () => {
  const { run } = drainRun({ Look: () => payload })
  const done = await run(payload)
  expect(done.status).toBe('FAILED')
  expect(done.events).toBeGreaterThan(24_990)
  expect(done.history.at(-1)?.at).toBeGreaterThan(0)
})

const task = { Type: 'Task', Resource: '${Go}', Next: 'End' }
const machine = (state: object) => ({
  StartAt: 'First',
  States: { First: state, End: { Type: 'Succeed' } },
})
const load = (definition: object) =>
  interpreter(definition, { clock: createMemoryClock(0), tasks: { Go: async (input) => input } })

test.each([
  ['a type', { Type: 'Pass', Next: 'End' }],
  ['a field of a task', { ...task, TimeoutSeconds: 5 }],
  ['an output path', { ...task, OutputPath: '$.x' }],
  ['a result path of a task', { ...task, ResultPath: '$.x' }],
  ['a resource that is no substitution', { ...task, Resource: 'arn:aws:states:::lambda:invoke' }],
  ['a task that is not given', { ...task, Resource: '${Other}' }],
  [
    'a field of a retry',
    { ...task, Retry: [{ ErrorEquals: ['x'], IntervalSeconds: 1, MaxDelaySeconds: 3 }] },
  ],
  ['a catch without its result path', { ...task, Catch: [{ ErrorEquals: ['x'], Next: 'End' }] }],
  ['a deep path', { Type: 'Wait', SecondsPath: '$.a.b', Next: 'End' }],
  ['an intrinsic function', { Type: 'Wait', SecondsPath: 'States.MathAdd($.a, 1)', Next: 'End' }],
  ['a timestamp', { Type: 'Wait', Timestamp: '2026-11-22T20:00:00Z', Next: 'End' }],
  ['two waits', { Type: 'Wait', Seconds: 1, SecondsPath: '$.a', Next: 'End' }],
  [
    'a comparison',
    { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 1, Next: 'End' }], Default: 'End' },
  ],
  [
    'a choice without a default',
    { Type: 'Choice', Choices: [{ Variable: '$.a', StringEquals: 'b', Next: 'End' }] },
  ],
  ['another query language', { ...task, QueryLanguage: 'JSONata' }],
  ['a state that is not there', { ...task, Next: 'Nowhere' }],
])('what it does not know it refuses: %s', (_, state) => {
  expect(() => load(machine(state))).toThrow(NotUnderstood)
})

test('a field of the machine that it does not know is refused', () => {
  expect(() => load({ ...machine(task), TimeoutSeconds: 5 })).toThrow(NotUnderstood)
  expect(() => load(machine(task))).not.toThrow()
})

test('input without the field that a path names fails the execution, as on AWS', async () => {
  expect(await load(machine({ Type: 'Wait', SecondsPath: '$.a', Next: 'End' }))({})).toMatchObject({
    status: 'FAILED',
    error: 'States.Runtime',
  })
  const choice = {
    Type: 'Choice',
    Choices: [{ Variable: '$.a', StringEquals: 'b', Next: 'End' }],
    Default: 'End',
  }
  expect(await load(machine(choice))({})).toMatchObject({ status: 'FAILED', error: 'States.Runtime' })
})

test('seconds, fail and an error that nothing catches end as AWS ends them', async () => {
  expect(await load(machine({ Type: 'Wait', Seconds: 3, Next: 'End' }))({})).toMatchObject({
    status: 'SUCCEEDED',
    events: 6,
  })
  expect(await load(machine({ Type: 'Fail', Error: 'Bad', Cause: 'why' }))({})).toMatchObject({
    status: 'FAILED',
    error: 'Bad',
    events: 3,
  })
  const uncaught = interpreter(machine(task), {
    clock: createMemoryClock(0),
    tasks: { Go: () => Promise.reject(new RangeError('out')) },
  })
  expect(await uncaught({})).toMatchObject({ status: 'FAILED', error: 'RangeError' })
})
