import * as z from 'zod'
import { type ControlConfig, controlConfig } from '../contracts/config.ts'
import { type EdgeTlsParameters, edgeTlsParameters } from '../contracts/edge-tls.ts'
import { edgeAccessEnvironment, environment, requestsPerSecond } from '../contracts/names.ts'
import { check } from '../contracts/parse.ts'
import { InvalidConfiguration } from '../control/errors.ts'

/** What a function is told by its environment variables. */
export interface Environment {
  readonly config: ControlConfig
  readonly table: string
  readonly edgesPath: string
  readonly rpcSecretParameter: string
  readonly eventBus: string
  readonly stateMachineArn: string
  /** which deployment this is, in metrics and logs */
  readonly service: string
  /** how edges are reached, unless directly: at most one of these two */
  readonly edgeApi?: string
  /** the edges that the API leads to, by their ids */
  readonly edgeRoutes?: readonly string[]
  readonly edgeRelay?: string
  /** where our side of TLS to the edges is, if we have one */
  readonly edgeTls?: EdgeTlsParameters
  /** what the way to the edges takes, all of them together */
  readonly requestsPerSecond: number
  /** only functions that work off a queue have these two */
  readonly queueUrl?: string
  readonly deadLetterQueueUrl?: string
}

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words would quote the text.
    context.addIssue({ code: 'custom', message: 'is not JSON' })
    return z.NEVER
  }
})
const name = z.string().min(1, 'is empty')

const variables = {
  [environment.config]: json.pipe(controlConfig),
  [environment.table]: z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, "is not a table's name"),
  [environment.edgesPath]: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'must start with a slash and not end with one'),
  [environment.rpcSecretParameter]: name,
  [environment.eventBus]: name,
  [environment.stateMachine]: z
    .string()
    .regex(/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:[^:]+$/, "is not a state machine's ARN"),
  [environment.service]: name,
} as const
const queueUrl = z.url({
  protocol: /^https?$/,
  error: (issue) => (issue.input === undefined ? 'is missing' : "is not a queue's URL"),
})

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
  const needs = z.object({
    ...variables,
    [edgeAccessEnvironment.api]: z.url({ protocol: /^https?$/, error: "is not an API's URL" }).optional(),
    [edgeAccessEnvironment.routes]: name.optional(),
    [edgeAccessEnvironment.relay]: name.optional(),
    [edgeAccessEnvironment.tls]: json.pipe(edgeTlsParameters).optional(),
    [edgeAccessEnvironment.requestsPerSecond]: z.coerce.number().int().min(1).default(requestsPerSecond),
    [environment.queue]: ofQueue,
    [environment.deadLetterQueue]: ofQueue,
  })
  const checked = check(needs, values)
  if ('problems' in checked) {
    const list = checked.problems.map(({ path, what }) => `\n- ${path}: ${what}`)
    throw new InvalidConfiguration(`the function's environment variables are wrong:${list.join('')}`)
  }
  const { data } = checked
  const ownQueueUrl = data[environment.queue]
  const deadLetterQueueUrl = data[environment.deadLetterQueue]
  const edgeApi = data[edgeAccessEnvironment.api]
  const edgeRoutes = data[edgeAccessEnvironment.routes]?.split(',')
  const edgeRelay = data[edgeAccessEnvironment.relay]
  const edgeTls = data[edgeAccessEnvironment.tls]
  return {
    config: data[environment.config],
    table: data[environment.table],
    edgesPath: data[environment.edgesPath],
    rpcSecretParameter: data[environment.rpcSecretParameter],
    eventBus: data[environment.eventBus],
    stateMachineArn: data[environment.stateMachine],
    service: data[environment.service],
    requestsPerSecond: data[edgeAccessEnvironment.requestsPerSecond],
    ...(edgeApi !== undefined && { edgeApi }),
    ...(edgeRoutes !== undefined && { edgeRoutes }),
    ...(edgeRelay !== undefined && { edgeRelay }),
    ...(edgeTls !== undefined && { edgeTls }),
    ...(ownQueueUrl !== undefined && { queueUrl: ownQueueUrl }),
    ...(deadLetterQueueUrl !== undefined && { deadLetterQueueUrl }),
  }
}
