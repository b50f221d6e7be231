/**
 * The drain workflow as plain data (Amazon States Language, JSONPath), which `lib/` only wraps: look, wait,
 * look. It decides nothing: each look returns `{drainId, attempt, next, waitSeconds, retrySeconds}`. One that
 * fails leads back to waiting (`retrySeconds`) and is tried again: a failure is never the deadline, and never
 * a completion.
 *
 * Deadlines, heartbeats and counters live in the drain record, not in the machine's own timeouts, so that AWS
 * and the emulators agree. After a rollback a release before 0.2 answers `complete` and `retire`, which have
 * steps of their own there.
 */

/**
 * Two more tries at once, for a throttle or a hiccup; then the catch below waits. With jitter: 500 drains may
 * fail together.
 */
const retry = [
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 2,
    MaxAttempts: 2,
    BackoffRate: 2,
    JitterStrategy: 'FULL',
  },
] as const

function step(lambda: string, retryState: string) {
  return {
    Type: 'Task',
    Resource: lambda,
    Retry: retry,
    Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: retryState }],
    Next: 'Decide',
  } as const
}

function wait(seconds: '$.waitSeconds' | '$.retrySeconds', next: string) {
  return { Type: 'Wait', SecondsPath: seconds, Next: next } as const
}

function when(next: string, state: string) {
  return { Variable: '$.next', StringEquals: next, Next: state } as const
}

export const drainWorkflow = {
  Comment: 'Drains one media server, or one destination, over every edge',
  StartAt: 'Look',
  States: {
    Look: step('${Look}', 'WaitToLookAgain'),
    Decide: {
      Type: 'Choice',
      Choices: [when('complete', 'Complete'), when('retire', 'WaitToRetire'), when('ended', 'Ended')],
      Default: 'WaitToLook',
    },
    WaitToLook: wait('$.waitSeconds', 'Look'),
    WaitToLookAgain: wait('$.retrySeconds', 'Look'),
    Complete: step('${CompleteDrain}', 'WaitToCompleteAgain'),
    WaitToCompleteAgain: wait('$.retrySeconds', 'Complete'),
    WaitToRetire: wait('$.waitSeconds', 'Retire'),
    Retire: step('${RetireDrain}', 'WaitToRetireAgain'),
    WaitToRetireAgain: wait('$.retrySeconds', 'Retire'),
    Ended: { Type: 'Succeed' },
  },
} as const

/** History events of one poll: wait 2, task 5, choice 2. */
export const eventsPerPoll = 9
/** History events of one poll that fails: three tries of a task (3 × 3 + 2) and the wait after it (2). */
export const eventsPerFailedPoll = 13
/**
 * A new execution carries on after this many steps. Steps that fail can't be counted. While an action is kept
 * alive they end with it, after 100 times the hook's timeout or 48 h: they are 18,720 history events at the
 * most (timeouts of 1,728 s and more, a step every 120 s), and with these steps they stay below 20,000. AWS
 * fails an execution at 25,000. A drain without an action, also one that is retained, has no such
 * end: it waits 120 s after each, and its execution lasts for 61 h in which every step fails.
 */
export const stepsPerExecution = 120
