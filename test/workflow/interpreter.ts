import * as z from 'zod'
import type { Clock } from '../../functions/ports/clock.ts'

/**
 * A small interpreter of Amazon States Language in JSONPath mode: what the drain workflow uses and nothing
 * else. Whatever it does not know it refuses before the first state, so that no definition runs here that
 * would mean something else on AWS. (https://states-language.net/)
 */

const path = z.string().regex(/^\$\.[A-Za-z_][A-Za-z0-9_]*$/, 'is not a path to one field of the input')
const record = z.looseObject({})
const errorNames = z.array(z.string().min(1)).min(1)

const states = z.discriminatedUnion('Type', [
  z.strictObject({
    Type: z.literal('Task'),
    Resource: z.string().regex(/^\$\{\w+\}$/),
    Retry: z
      .array(
        z.strictObject({
          ErrorEquals: errorNames,
          IntervalSeconds: z.int().min(1),
          MaxAttempts: z.int().min(0),
          BackoffRate: z.number().min(1),
          JitterStrategy: z.literal('FULL').optional(),
        }),
      )
      .default([]),
    Catch: z
      .array(z.strictObject({ ErrorEquals: errorNames, ResultPath: path, Next: z.string() }))
      .default([]),
    Next: z.string(),
  }),
  z
    .strictObject({
      Type: z.literal('Wait'),
      SecondsPath: path.optional(),
      Seconds: z.int().min(0).optional(),
      Next: z.string(),
    })
    .refine((wait) => (wait.Seconds === undefined) !== (wait.SecondsPath === undefined), {
      error: 'exactly one of Seconds and SecondsPath must be given',
    }),
  z.strictObject({
    Type: z.literal('Choice'),
    Choices: z.array(z.strictObject({ Variable: path, StringEquals: z.string(), Next: z.string() })).min(1),
    Default: z.string(),
  }),
  z.strictObject({ Type: z.literal('Succeed') }),
  z.strictObject({ Type: z.literal('Fail'), Error: z.string(), Cause: z.string() }),
])
const definitions = z
  .strictObject({ Comment: z.string().optional(), StartAt: z.string(), States: z.record(z.string(), states) })
  .superRefine(({ StartAt, States }, context) => {
    const named = Object.values(States).flatMap((state) => [
      ...('Next' in state ? [state.Next] : []),
      ...('Catch' in state ? state.Catch.map(({ Next }) => Next) : []),
      ...('Choices' in state ? [...state.Choices.map(({ Next }) => Next), state.Default] : []),
    ])
    for (const name of [StartAt, ...named])
      if (!(name in States)) context.addIssue({ code: 'custom', message: `no state is called "${name}"` })
  })
type Task = Extract<z.output<typeof states>, { Type: 'Task' }>

/** A field is there that this interpreter, or the state's input, does not know. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood'
}

/** AWS fails an execution whose history would grow beyond this. */
const longestHistory = 25_000

export interface StateVisit {
  readonly state: string
  /** epoch ms at which it was entered */
  readonly at: number
  /** where it led, or how it ended; a task that was caught says by which error */
  readonly outcome: string
}

export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'STOPPED'
  readonly output: unknown
  readonly error?: string
  readonly history: readonly StateVisit[]
  /** history events as AWS counts them: wait 2, task 2 and 3 per try, choice 2 */
  readonly events: number
}

export interface InterpreterOptions {
  readonly clock: Clock
  /** the functions by their substitution's name, e.g. `Look` for `${Look}` */
  readonly tasks: Readonly<Record<string, (input: unknown) => Promise<unknown>>>
  /** what FULL jitter makes of a retry's interval, in seconds; its maximum unless given */
  readonly jitter?: (seconds: number) => number
  /** asked before each state; the execution is left where it is */
  readonly stopped?: () => boolean
}

/** @returns a way to run executions of this definition. @throws NotUnderstood that says what, and where. */
export function interpreter(
  definition: unknown,
  options: InterpreterOptions,
): (input: unknown) => Promise<Execution> {
  const parsed = definitions.safeParse(definition)
  if (!parsed.success) throw new NotUnderstood(z.prettifyError(parsed.error))
  const { StartAt, States } = parsed.data
  for (const state of Object.values(States))
    if (state.Type === 'Task' && !taskOf(options, state))
      throw new NotUnderstood(`no task is given for ${state.Resource}`)
  return (input) => execute(StartAt, States, input, options)
}

async function execute(
  startAt: string,
  all: Readonly<Record<string, z.output<typeof states>>>,
  input: unknown,
  options: InterpreterOptions,
): Promise<Execution> {
  const { clock, jitter = (seconds) => seconds, stopped = () => false } = options
  const history: StateVisit[] = []
  let data = input
  let events = 1
  let name = startAt
  const done = (status: Execution['status'], error?: string): Execution => ({
    status,
    output: data,
    ...(error !== undefined && { error }),
    history,
    events: events + 1,
  })
  for (;;) {
    if (stopped()) return done('STOPPED')
    if (events >= longestHistory) return done('FAILED', 'States.Runtime')
    const state = all[name]
    if (!state) throw new NotUnderstood(`no state is called "${name}"`)
    const at = clock.now()
    const go = (next: string, outcome = next) => {
      history.push({ state: name, at, outcome })
      name = next
    }
    switch (state.Type) {
      case 'Succeed':
        history.push({ state: name, at, outcome: 'succeeded' })
        events += 2
        return done('SUCCEEDED')
      case 'Fail':
        history.push({ state: name, at, outcome: state.Error })
        events += 1
        return done('FAILED', state.Error)
      case 'Wait': {
        const seconds = state.SecondsPath === undefined ? state.Seconds : field(data, state.SecondsPath)
        if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0)
          return done('FAILED', 'States.Runtime')
        await clock.sleep(seconds * 1000)
        events += 2
        go(state.Next)
        break
      }
      case 'Choice': {
        const chosen = state.Choices.find((rule) => field(data, rule.Variable) === rule.StringEquals)
        if (state.Choices.some((rule) => field(data, rule.Variable) === undefined))
          return done('FAILED', 'States.Runtime')
        events += 2
        go(chosen?.Next ?? state.Default)
        break
      }
      case 'Task': {
        const tried = await attempt(state, data, options, jitter)
        events += 2 + 3 * tried.tries
        if ('output' in tried) {
          data = tried.output
          go(state.Next)
          break
        }
        const caught = state.Catch.find((rule) => matches(rule.ErrorEquals, tried.error))
        if (!caught) {
          history.push({ state: name, at, outcome: tried.error.Error })
          return done('FAILED', tried.error.Error)
        }
        data = { ...record.parse(data), [caught.ResultPath.slice(2)]: tried.error }
        go(caught.Next, `${tried.error.Error} -> ${caught.Next}`)
        break
      }
      default:
        return state satisfies never
    }
  }
}

type Failure = { readonly Error: string; readonly Cause: string }

async function attempt(
  state: Task,
  input: unknown,
  options: InterpreterOptions,
  jitter: (seconds: number) => number,
): Promise<{ tries: number; output: unknown } | { tries: number; error: Failure }> {
  const retries = new Map<Task['Retry'][number], number>()
  for (let tries = 1; ; tries++) {
    try {
      const output = await taskOf(options, state)?.(structuredClone(input))
      return { tries, output: JSON.parse(JSON.stringify(output)) }
    } catch (thrown) {
      const error = {
        Error: thrown instanceof Error ? thrown.name : 'Error',
        Cause: thrown instanceof Error ? thrown.message : String(thrown),
      }
      const rule = state.Retry.find((candidate) => matches(candidate.ErrorEquals, error))
      const used = (rule && retries.get(rule)) ?? 0
      if (!rule || used >= rule.MaxAttempts) return { tries, error }
      retries.set(rule, used + 1)
      const seconds = rule.IntervalSeconds * rule.BackoffRate ** used
      await options.clock.sleep((rule.JitterStrategy ? jitter(seconds) : seconds) * 1000)
    }
  }
}

function taskOf({ tasks }: InterpreterOptions, { Resource }: Task) {
  return tasks[Resource.slice(2, -1)]
}

function matches(names: readonly string[], { Error: name }: Failure): boolean {
  return names.includes('States.ALL') || names.includes(name)
}

function field(data: unknown, from: string): unknown {
  return record.safeParse(data).data?.[from.slice(2)]
}
