import * as z from 'zod'
import type { HttpReply } from '../contracts/rpc.ts'
import { EdgeError, type EdgeFault, StaleGeneration } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'
import { jsonOf } from './limited-reply.ts'

/**
 * A well-formed JSON-RPC error from Kamailio. `reason` is its message: nearly every fault has code 500, so
 * only it tells them apart.
 */
export class RpcRefusal extends EdgeError {
  readonly reason: string
  constructor(edge: string, fault: EdgeFault, method: string, reason: string, at: string) {
    super(edge, fault, `${method}: ${reason}${at}`)
    this.reason = reason
  }
}

/** What htable.get answers for a key that nobody set, and of a table that the edge's script does not have. */
export const noSuchKey = "Key name doesn't exist in htable."
export const noSuchTable = 'No such htable'

/** @returns undefined where the answer is an error that `means` it. Other errors are thrown on. */
export async function unless<T>(
  means: (error: EdgeError) => boolean,
  asked: Promise<T>,
): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof EdgeError && means(error)) return undefined
    throw error
  }
}

/** Messages of 5.6 and 6.1 that mean more than "refused". */
const faultByMessage = new Map<string, EdgeFault>([
  ['Ongoing reload', 'busy'],
  ['Not ready for reload', 'busy'],
  ['No Destination Sets', 'empty-list'],
  ['Method Not Found', 'unsupported'],
])

/**
 * @returns the fault that a JSON-RPC error's message stands for; `refused` unless it is known to mean
 * another.
 */
export function faultOfMessage(message: string): EdgeFault {
  return faultByMessage.get(message) ?? 'refused'
}

/**
 * Statuses that the edge's own policy, or a gateway in front of it, gives without Kamailio having executed
 * anything.
 */
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
  readonly method: string
  readonly id: number
}

/** A batch as a whole brought no answers; its requests one by one may. */
export class BatchRefused extends EdgeError {
  /** all of it was executed, and the reply did not fit the edge's buffer; otherwise nothing was */
  readonly executed: boolean
  /** from 1: the one that the edge's policy refused, where only one is to blame */
  readonly line?: number
  constructor(edge: string, message: string, { executed, line }: { executed: boolean; line?: number }) {
    super(edge, executed ? 'malformed' : 'unsupported', message)
    this.executed = executed
    if (line !== undefined) this.line = line
  }
}

/**
 * The result inside a reply, as yet of unknown shape.
 * @throws RpcRefusal for a JSON-RPC error with our id; StaleGeneration; otherwise EdgeError by HTTP status,
 * or `malformed`
 */
export function resultOf(edge: string, { method, id }: RpcRequest, reply: HttpReply): unknown {
  refuseUnexecuted(edge, method, reply)
  const envelope = envelopeSchema.safeParse(jsonOf(reply.body))
  const unauthorized = reply.status === 401 || reply.status === 403
  if (envelope.success && envelope.data.id === id && !unauthorized) {
    const { error, result } = envelope.data
    if (error) throw new RpcRefusal(edge, faultOfMessage(error.message), method, error.message, at(reply))
    if (reply.status === 200 && result !== undefined) return result
  }
  throw byStatus(edge, method, reply, complaint(envelope, id))
}

/**
 * What a batch's reply answers to each of its requests, in order. All of it is believed or nothing: one
 * element too few or in another place, and no answer is known to belong to its request.
 * @throws BatchRefused where nothing was executed and asking one by one may do; StaleGeneration; otherwise
 * EdgeError
 */
export function resultsOf(
  edge: string,
  requests: readonly RpcRequest[],
  reply: HttpReply,
): ({ readonly result: unknown } | { readonly error: EdgeError })[] {
  const what = `batch of ${requests.length}`
  refuseUnexecuted(edge, what, reply)
  const value = jsonOf(reply.body)
  const refusal = refusalSchema.safeParse(value)
  const refused =
    reply.boot === undefined
      ? [400, 404].includes(reply.status) || (reply.status === 200 && batchOfOthers.safeParse(value).success)
      : [400, 413, 500].includes(reply.status) && refusal.success
  const why = refusal.success ? refusal.data.error.message : 'no batch of replies'
  if (refused) {
    const { code, data } = refusal.success ? refusal.data.error : {}
    const line = code === refusalCodes.policy && data !== undefined ? { line: data } : {}
    const executed = code === refusalCodes.executed
    throw new BatchRefused(edge, `${what}: ${why}${at(reply)}`, { executed, ...line })
  }
  const array = replyArray.safeParse(value)
  if (!array.success || reply.status !== 200) throw byStatus(edge, what, reply, why)
  if (array.data.length !== requests.length)
    throw new EdgeError(edge, 'malformed', `${what}: ${array.data.length} replies came${at(reply)}`)
  return requests.map(({ method, id }, index) => {
    const envelope = envelopeSchema.safeParse(array.data[index])
    if (!envelope.success || envelope.data.id !== id)
      throw new EdgeError(edge, 'malformed', `${what}: ${complaint(envelope, id)}${at(reply)}`)
    const { error, result } = envelope.data
    return error
      ? { error: new RpcRefusal(edge, faultOfMessage(error.message), method, error.message, at(reply)) }
      : { result }
  })
}

/** @throws EdgeError for what a gateway answers in the edge's place, and StaleGeneration */
function refuseUnexecuted(edge: string, what: string, reply: HttpReply): void {
  const gateway = gatewayFault(reply)
  if (gateway) throw new EdgeError(edge, gateway.fault, `${what}: ${gateway.what}${at(reply)}`)
  if (reply.status !== 409) return
  const refusal = refusalSchema.safeParse(jsonOf(reply.body))
  if (refusal.success && refusal.data.error.data !== undefined)
    throw new StaleGeneration(edge, what, refusal.data.error.data)
}

function byStatus(edge: string, what: string, reply: HttpReply, why: string): EdgeError {
  const refusal = refusalSchema.safeParse(jsonOf(reply.body))
  const reason = refusal.success ? refusal.data.error.message : undefined
  // What our rpc.cfg refuses for another reason than its policy is our own mistake, not something that the
  // edge lacks.
  if (reason !== undefined && reason !== policyWords)
    return new EdgeError(edge, 'malformed', `${what}: HTTP ${reply.status}: ${reason}${at(reply)}`)
  const fault = faultByStatus.get(reply.status)
  if (fault) return new EdgeError(edge, fault, `${what}: HTTP ${reply.status}${hint(fault)}${at(reply)}`)
  return new EdgeError(edge, 'malformed', `${what}: HTTP ${reply.status} with ${why}${at(reply)}`)
}

function at({ requestId }: HttpReply): string {
  return requestId === undefined ? '' : ` [API request ${requestId}]`
}

const replyArray = z.array(z.unknown())
/** What jsonrpcs itself answers to a batch, 5.6 and 6.1: it executes nothing. */
const batchOfOthers = z.strictObject({ jsonrpc: z.literal('2.0'), result: z.strictObject({}) })
/**
 * What rpc.cfg answers to what it does not execute; `data` is a refused line, or the generation that it has
 * seen.
 */
const refusalSchema = z.object({
  error: z.object({ code: z.number(), message: z.string(), data: z.int().min(0).optional() }),
})
/** Of rpc.cfg: not one of the allowed requests; all was executed, and the reply did not fit. */
const refusalCodes = { policy: -32600, executed: -32002 } as const
const policyWords = 'Request refused by edge policy'

/**
 * Kamailio gives either `result` or `error`, and repeats the id; it leaves the id out for what it did not
 * execute.
 */
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
