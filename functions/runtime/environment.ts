import * as z from 'zod'
import { type ControlConfig, controlConfig } from '../contracts/config.ts'
import { environment } from '../contracts/names.ts'
import { check } from '../contracts/parse.ts'
import { InvalidConfiguration } from '../control/errors.ts'

/** What every function is told by its environment variables, the settle function too. */
export interface CommonEnvironment {
  readonly config: ControlConfig
  readonly table: string
  readonly eventBus: string
  /** which deployment this is, in metrics and logs */
  readonly service: string
  readonly stateMachineArn: string
}

/** What every function but the settle function is told. */
export interface Environment extends CommonEnvironment {
  /** the settle function's name */
  readonly settleFunction: string
  /** only functions that work off a queue have these two */
  readonly queueUrl?: string
  readonly deadLetterQueueUrl?: string
}

/** Text that holds JSON. */
export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words would quote the text.
    context.addIssue({ code: 'custom', message: 'is not JSON' })
    return z.NEVER
  }
})
/** Any text but an empty one. */
export const named = z.string().min(1, 'is empty')

/** The variables behind {@link CommonEnvironment}. */
export const commonVariables = {
  [environment.config]: json.pipe(controlConfig),
  [environment.table]: z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, "is not a table's name"),
  [environment.eventBus]: named,
  [environment.service]: named,
  [environment.stateMachine]: z
    .string()
    .regex(/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:[^:]+$/, "is not a state machine's ARN"),
} as const

export function commonOf(data: z.output<z.ZodObject<typeof commonVariables>>): CommonEnvironment {
  return {
    config: data[environment.config],
    table: data[environment.table],
    eventBus: data[environment.eventBus],
    service: data[environment.service],
    stateMachineArn: data[environment.stateMachine],
  }
}

const variables = {
  ...commonVariables,
  [environment.settle]: named,
} as const
const queueUrl = z.url({
  protocol: /^https?$/,
  error: (issue) => (issue.input === undefined ? 'is missing' : "is not a queue's URL"),
})

/** @throws InvalidConfiguration that lists every problem of every variable; it never shows a value */
export function checkVariables<Schema extends z.ZodType>(
  schema: Schema,
  values: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const checked = check(schema, values)
  if ('data' in checked) return checked.data
  const list = checked.problems.map(({ path, what }) => `\n- ${path}: ${what}`)
  throw new InvalidConfiguration(`the function's environment variables are wrong:${list.join('')}`)
}

/**
 * Validates the whole environment at cold start.
 * @param queued whether the function works off a queue, and so must know it, and where to reject messages to
 * @throws InvalidConfiguration that lists every problem of every variable; it never shows a value
 */
export function readEnvironment(
  values: Readonly<Record<string, string | undefined>>,
  { queued = false }: { readonly queued?: boolean } = {},
): Environment {
  const ofQueue: z.ZodType<string | undefined> = queued ? queueUrl : queueUrl.optional()
  const data = checkVariables(
    z.object({ ...variables, [environment.queue]: ofQueue, [environment.deadLetterQueue]: ofQueue }),
    values,
  )
  const ownQueueUrl = data[environment.queue]
  const deadLetterQueueUrl = data[environment.deadLetterQueue]
  return {
    ...commonOf(data),
    settleFunction: data[environment.settle],
    ...(ownQueueUrl !== undefined && { queueUrl: ownQueueUrl }),
    ...(deadLetterQueueUrl !== undefined && { deadLetterQueueUrl }),
  }
}
