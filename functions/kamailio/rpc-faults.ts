import * as z from 'zod'
import type { HttpReply } from '../contracts/rpc.ts'
import { EdgeError, type EdgeFault } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'
import { jsonOf } from './limited-reply.ts'

/** A well-formed JSON-RPC error from Kamailio. `reason` is its message: nearly every fault has code 500, so only it tells them apart. */
export class RpcRefusal extends EdgeError {
  readonly reason: string
  constructor(edge: string, fault: EdgeFault, method: string, reason: string, at: string) {
    super(edge, fault, `${method}: ${reason}${at}`)
    this.reason = reason
  }
}

/** Messages of 5.6 and 6.1 that mean more than "refused". */
const faultByMessage = new Map<string, EdgeFault>([
  ['Ongoing reload', 'busy'],
  ['Not ready for reload', 'busy'],
  ['No Destination Sets', 'empty-list'],
  ['Method Not Found', 'unsupported'],
])

/** @returns the fault that a JSON-RPC error's message stands for; `refused` unless it is known to mean another. */
export function faultOfMessage(message: string): EdgeFault {
  return faultByMessage.get(message) ?? 'refused'
}

/** Statuses that the edge's own policy, or a gateway in front of it, gives without Kamailio having executed anything. */
const faultByStatus = new Map<number, EdgeFault>([
  [400, 'unsupported'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'unsupported'],
  [405, 'unsupported'],
  [413, 'unsupported'],
  [429, 'throttled'],
  [502, 'unreachable'],
  [503, 'unreachable'],
  [504, 'unreachable'],
])

export interface RpcRequest {
  readonly edge: string
  readonly method: string
  readonly id: number
}

/**
 * The result inside a reply, as yet of unknown shape.
 * @throws RpcRefusal for a JSON-RPC error with our id; otherwise EdgeError by HTTP status, or `malformed`
 */
export function resultOf(request: RpcRequest, reply: HttpReply): unknown {
  const { edge, method, id } = request
  const gateway = gatewayFault(reply)
  const at = reply.requestId === undefined ? '' : ` [API request ${reply.requestId}]`
  if (gateway) throw new EdgeError(edge, gateway.fault, `${method}: ${gateway.what}${at}`)
  const envelope = envelopeSchema.safeParse(jsonOf(reply.body))
  const unauthorized = reply.status === 401 || reply.status === 403
  if (envelope.success && envelope.data.id === id && !unauthorized) {
    const { error, result } = envelope.data
    if (error) throw new RpcRefusal(edge, faultOfMessage(error.message), method, error.message, at)
    if (reply.status === 200 && result !== undefined) return result
  }
  const fault = faultByStatus.get(reply.status)
  if (fault) throw new EdgeError(edge, fault, `${method}: HTTP ${reply.status}${hint(fault)}${at}`)
  const what = `HTTP ${reply.status} with ${complaint(envelope, id)}`
  throw new EdgeError(edge, 'malformed', `${method}: ${what}${at}`)
}

/** Kamailio gives either `result` or `error`, and repeats the id; it leaves the id out for what it did not execute. */
const envelopeSchema = z
  .object({
    jsonrpc: z.literal('2.0'),
    id: z.number().optional(),
    result: z.unknown().optional(),
    error: z.object({ code: z.number(), message: z.string() }).optional(),
  })
  .refine((envelope) => (envelope.error === undefined) !== (envelope.result === undefined))

function complaint(envelope: z.ZodSafeParseResult<z.output<typeof envelopeSchema>>, id: number): string {
  if (!envelope.success) return 'a body that is no JSON-RPC reply'
  if (envelope.data.id !== id) return `id ${envelope.data.id ?? 'missing'} in reply to id ${id}`
  return 'an unexpected status for a result'
}

function hint(fault: EdgeFault): string {
  if (fault === 'unauthorized') return ': check the shared secret and the source network that the edge allows'
  if (fault === 'unsupported') return ": the edge's own policy or path refuses this call"
  return ''
}
