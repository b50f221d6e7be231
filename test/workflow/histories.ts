import { drainWorkflow } from '../../functions/control/workflow.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { interpreter } from './interpreter.ts'

/** Each step's function, by its substitution in the definition, and the state that calls it. */
export const steps = {
  Look: 'Look',
  CompleteDrain: 'Complete',
  RetireDrain: 'Retire',
} as const
export type Step = keyof typeof steps
export const stepNames = ['Look', 'CompleteDrain', 'RetireDrain'] as const

export type StepResult =
  | { readonly next: string; readonly waitSeconds: number; readonly retrySeconds: number }
  | { readonly error: string }

/** What the steps answer, call by call; the last answer is repeated. */
export interface WorkflowHistory {
  /** letters only: it names a test case, a file and an execution */
  readonly name: string
  readonly startsWith: string
  readonly results: Partial<Record<Step, readonly StepResult[]>>
  /**
   * Its errors are Step Functions' own (`States.…`), which a function can't throw: LocalStack ends an
   * execution then.
   */
  readonly needsMockedTasks?: boolean
  /** The execution is watched until it has entered so many states; one that ends is watched to its end. */
  readonly states?: number
}

const go = (next: string): StepResult => ({ next, waitSeconds: 1, retrySeconds: 1 })
const fail = (error: string): StepResult => ({ error })

/** Waits are as short as Step Functions allows: one second. */
export const histories: readonly WorkflowHistory[] = [
  {
    name: 'EachStepAfterItsWait',
    startsWith: 'observe',
    results: {
      Look: [go('observe'), go('complete')],
      CompleteDrain: [go('retire')],
      RetireDrain: [go('retire'), go('ended')],
    },
  },
  {
    name: 'TwoFailuresAreRetried',
    startsWith: 'observe',
    results: {
      Look: [go('complete')],
      CompleteDrain: [fail('TypeError'), fail('Lambda.TooManyRequestsException'), go('ended')],
    },
  },
  {
    name: 'ThirdFailureLeadsBackToWaiting',
    startsWith: 'observe',
    results: {
      Look: [fail('TypeError'), fail('TypeError'), fail('TypeError'), go('ended')],
    },
  },
  {
    name: 'TimeoutsLeadBackToWaiting',
    needsMockedTasks: true,
    startsWith: 'observe',
    results: {
      Look: [
        fail('States.Timeout'),
        fail('Sandbox.Timedout'),
        fail('States.HeartbeatTimeout'),
        go('complete'),
      ],
      CompleteDrain: [
        fail('States.HeartbeatTimeout'),
        fail('States.Timeout'),
        fail('States.TaskFailed'),
        go('retire'),
      ],
      RetireDrain: [fail('States.Timeout'), fail('States.Timeout'), fail('States.Timeout'), go('ended')],
    },
  },
  {
    name: 'UnknownNextWaitsAndLooks',
    startsWith: 'observe',
    results: {
      Look: [go('nowhere'), go('ended')],
    },
  },
  { name: 'UnknownStartLooks', startsWith: 'anywhere', results: { Look: [go('ended')] } },
  { name: 'FailsForEver', startsWith: 'observe', results: { Look: [fail('RangeError')] }, states: 6 },
]

/** What can be seen of an execution from outside. */
export interface Seen {
  readonly status: string
  readonly states: readonly string[]
  /** of an execution that ended */
  readonly output?: unknown
}

export function inputOf({ name, startsWith }: WorkflowHistory) {
  return { drainId: name, attempt: 1, next: startsWith, waitSeconds: 1, retrySeconds: 1 }
}

/** A step's whole answer. */
export function payloadOf(history: WorkflowHistory, result: Exclude<StepResult, { error: string }>) {
  return { ...inputOf(history), ...result }
}

/** Runs one history through the interpreter, on the virtual clock. */
export async function interpreted(history: WorkflowHistory): Promise<Seen> {
  const { states: longest = Number.POSITIVE_INFINITY } = history
  let entered = 0
  const calls = new Map<Step, number>()
  const answer = (step: Step) => async () => {
    const results = history.results[step] ?? []
    const call = calls.get(step) ?? 0
    calls.set(step, call + 1)
    const result = results[Math.min(call, results.length - 1)]
    if (result === undefined) throw new Error(`${history.name} says nothing of ${step}`)
    if ('error' in result) throw Object.assign(new Error('planted'), { name: result.error })
    return payloadOf(history, result)
  }
  const run = interpreter(drainWorkflow, {
    clock: createMemoryClock(0),
    tasks: Object.fromEntries(stepNames.map((step) => [step, answer(step)])),
    stopped: () => entered++ >= longest,
  })
  const { status, history: visits, output } = await run(inputOf(history))
  const states = visits.map(({ state }) => state)
  return status === 'STOPPED' ? { status: 'RUNNING', states } : { status, states, output }
}
