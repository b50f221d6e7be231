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
type State = z.output<typeof states>
type StateOf<Type extends State['Type']> = Extract<State, { Type: Type }>
type Task = StateOf<'Task'>

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
  return (input) => new Run(input, options).from(StartAt, States)
}

/** Where a state leads, or how it ends the execution. What AWS can't go on with has no outcome of its own. */
type Step =
  | { readonly next: string; readonly outcome: string }
  | { readonly status: 'SUCCEEDED' | 'FAILED'; readonly error?: string; readonly outcome?: string }

const cannotGoOn: Step = { status: 'FAILED', error: 'States.Runtime' }

/** One execution, from its input to its end. */
class Run {
  private readonly options: InterpreterOptions
  private readonly history: StateVisit[] = []
  private data: unknown
  private events = 1

  constructor(input: unknown, options: InterpreterOptions) {
    this.data = input
    this.options = options
  }

  async from(startAt: string, all: Readonly<Record<string, State>>): Promise<Execution> {
    const { clock, stopped = () => false } = this.options
    for (let name = startAt; ; ) {
      if (stopped()) return this.done('STOPPED')
      if (this.events >= longestHistory) return this.done('FAILED', 'States.Runtime')
      const state = all[name]
      if (!state) throw new NotUnderstood(`no state is called "${name}"`)
      const at = clock.now()
      const step = await this.enter(state)
      if (step.outcome !== undefined) this.history.push({ state: name, at, outcome: step.outcome })
      if (!('next' in step)) return this.done(step.status, step.error)
      name = step.next
    }
  }

  private async enter(state: State): Promise<Step> {
    switch (state.Type) {
      case 'Succeed':
        this.events += 2
        return { status: 'SUCCEEDED', outcome: 'succeeded' }
      case 'Fail':
        this.events += 1
        return { status: 'FAILED', error: state.Error, outcome: state.Error }
      case 'Wait':
        return this.wait(state)
      case 'Choice':
        return this.choose(state)
      case 'Task':
        return this.perform(state)
      default:
        return state satisfies never
    }
  }

  private async wait({ Seconds, SecondsPath, Next }: StateOf<'Wait'>): Promise<Step> {
    const seconds = SecondsPath === undefined ? Seconds : field(this.data, SecondsPath)
    if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0) return cannotGoOn
    await this.options.clock.sleep(seconds * 1000)
    this.events += 2
    return { next: Next, outcome: Next }
  }

  private choose({ Choices, Default }: StateOf<'Choice'>): Step {
    const chosen = Choices.find((rule) => field(this.data, rule.Variable) === rule.StringEquals)
    if (Choices.some((rule) => field(this.data, rule.Variable) === undefined)) return cannotGoOn
    this.events += 2
    const next = chosen?.Next ?? Default
    return { next, outcome: next }
  }

  private async perform(state: Task): Promise<Step> {
    const tried = await attempt(state, this.data, this.options)
    this.events += 2 + 3 * tried.tries
    if ('output' in tried) {
      this.data = tried.output
      return { next: state.Next, outcome: state.Next }
    }
    const { error } = tried
    const caught = state.Catch.find((rule) => matches(rule.ErrorEquals, error))
    if (!caught) return { status: 'FAILED', error: error.Error, outcome: error.Error }
    this.data = { ...record.parse(this.data), [caught.ResultPath.slice(2)]: error }
    return { next: caught.Next, outcome: `${error.Error} -> ${caught.Next}` }
  }

  private done(status: Execution['status'], error?: string): Execution {
    return {
      status,
      output: this.data,
      ...(error !== undefined && { error }),
      history: this.history,
      events: this.events + 1,
    }
  }
}

type Failure = { readonly Error: string; readonly Cause: string }

async function attempt(
  state: Task,
  input: unknown,
  options: InterpreterOptions,
): Promise<{ tries: number; output: unknown } | { tries: number; error: Failure }> {
  const { clock, jitter = (seconds) => seconds } = options
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
      await clock.sleep((rule.JitterStrategy ? jitter(seconds) : seconds) * 1000)
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
