import * as z from 'zod'
import type { HttpReply } from '../contracts/rpc.ts'
import type { EdgeFault } from '../control/errors.ts'
import { jsonOf } from './limited-reply.ts'

/**
 * `{"message":"Forbidden"}`; the IAM authorizer's longer texts come as `Message`. Kamailio answers nothing
 * like it.
 */
const gatewayMessage = z.union([
  z.strictObject({ message: z.string() }).transform(({ message }) => message),
  z.strictObject({ Message: z.string() }).transform(({ Message }) => Message),
])

const denied =
  "API Gateway refused the signature or the role: it needs execute-api:Invoke on POST of this edge's route"
const faults = new Map<number, readonly [EdgeFault, string]>([
  [401, ['access-denied', denied]],
  [403, ['access-denied', denied]],
  [
    404,
    [
      'no-route',
      "the API has no route to this edge: name it in the settings' edgeAccess.edges and deploy, or remove its parameter",
    ],
  ],
  [429, ['throttled', 'API Gateway throttles']],
  [500, ['unreachable', 'API Gateway failed']],
  [502, ['unreachable', "API Gateway could not make sense of the edge's answer"]],
  [503, ['unreachable', 'API Gateway can not connect to the edge, or it did not answer in time']],
  [504, ['unreachable', 'the edge did not answer API Gateway in time']],
])

/** @returns the fault when the reply is API Gateway's own and not the edge's */
export function gatewayFault(reply: HttpReply): { fault: EdgeFault; what: string } | undefined {
  const found = faults.get(reply.status)
  if (!found) return undefined
  const message = gatewayMessage.safeParse(jsonOf(reply.body))
  if (!message.success) return undefined
  const [fault, what] = found
  return { fault, what: `${what} (HTTP ${reply.status}, "${message.data.slice(0, 100)}")` }
}
