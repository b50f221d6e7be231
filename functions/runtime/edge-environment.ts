import * as z from 'zod'
import { type EdgeTlsParameters, edgeTlsParameters } from '../contracts/edge-tls.ts'
import { edgeAccessEnvironment, environment } from '../contracts/names.ts'
import {
  type CommonEnvironment,
  checkVariables,
  commonOf,
  commonVariables,
  json,
  named,
} from './environment.ts'

/**
 * What the settle function is told by its environment variables: where the edges are and how they are
 * reached.
 */
export interface EdgeEnvironment extends CommonEnvironment {
  readonly edgesPath: string
  readonly rpcSecretParameter: string
  /** how edges are reached, unless directly: at most one of these two */
  readonly edgeApi?: string
  readonly edgeRelay?: string
  /** the edges that the API leads to, by their ids */
  readonly edgeRoutes?: readonly string[]
  /** where our side of TLS to the edges is, if we have one */
  readonly edgeTls?: EdgeTlsParameters
}

const variables = z.object({
  ...commonVariables,
  [environment.edgesPath]: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'must start with a slash and not end with one'),
  [environment.rpcSecretParameter]: named,
  [edgeAccessEnvironment.api]: z.url({ protocol: /^https?$/, error: "is not an API's URL" }).optional(),
  [edgeAccessEnvironment.routes]: named.optional(),
  [edgeAccessEnvironment.relay]: named.optional(),
  [edgeAccessEnvironment.tls]: json.pipe(edgeTlsParameters).optional(),
})

/**
 * Validates the settle function's whole environment at cold start.
 * @throws InvalidConfiguration that lists every problem of every variable; it never shows a value
 */
export function readEdgeEnvironment(values: Readonly<Record<string, string | undefined>>): EdgeEnvironment {
  const data = checkVariables(variables, values)
  const edgeApi = data[edgeAccessEnvironment.api]
  const edgeRoutes = data[edgeAccessEnvironment.routes]?.split(',')
  const edgeRelay = data[edgeAccessEnvironment.relay]
  const edgeTls = data[edgeAccessEnvironment.tls]
  return {
    ...commonOf(data),
    edgesPath: data[environment.edgesPath],
    rpcSecretParameter: data[environment.rpcSecretParameter],
    ...(edgeApi !== undefined && { edgeApi }),
    ...(edgeRoutes !== undefined && { edgeRoutes }),
    ...(edgeRelay !== undefined && { edgeRelay }),
    ...(edgeTls !== undefined && { edgeTls }),
  }
}
