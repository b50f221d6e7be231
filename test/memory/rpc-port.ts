import {
  batchLimits,
  type HttpReply,
  isAllowedRequest,
  type RpcMessage,
  type RpcMethod,
  type RpcOutcome,
  type RpcTransport,
  rpcMethods,
} from '../../functions/contracts/rpc.ts'
import { methodRules } from '../../functions/kamailio/rpc-methods.ts'
import type { Clock } from '../../functions/ports/clock.ts'
import type { Misbehaviour } from './misbehaviour.ts'

/** One JSON-RPC request as it arrived. */
export interface RpcRequest {
  readonly method: RpcMethod
  readonly params: readonly (string | number)[]
  readonly id: number
}

/** An error in Kamailio's words. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** What stands behind the RPC port: executes one request, or throws RpcError. */
export interface Executor {
  execute(request: RpcRequest): unknown
  /** which rpc.cfg it has: ours of today, ours of the release before batches, or an open jsonrpcs */
  readonly rpcFile: 'ours' | 'former' | 'none'
  /** `DC_RPC_END_CALLS` */
  readonly endsCalls: boolean
  bootId(): string
}

/** `pv_buffer_size`, which the reply to a batch is printed through. */
const replyBytes = 32_768
const refusedByPolicy = 'Request refused by edge policy'
const malformedBatch = 'Malformed batch'
/** What jsonrpcs itself answers to what is JSON and no request: it executes nothing. */
const emptyResult: HttpReply = { status: 200, body: '{"jsonrpc":"2.0","result":{}}' }
const errorOf = {
  busy: 'Ongoing reload',
  'empty-list': 'No Destination Sets',
  unsupported: 'Method Not Found',
}

/**
 * The RPC port of a Kamailio in memory, in the words of the real one and in the order in which
 * kamailio/rpc.cfg looks at a request: size, form, policy, fence. It has a boot id and its own clock, the one
 * that it is given.
 */
export class MemoryRpcPort implements RpcTransport {
  misbehaviour: Misbehaviour = {}
  /** Every request that arrived, in order, e.g. `dispatcher.set_state d 1 sip:10.0.0.1:5060`. */
  readonly requests: string[] = []
  /** HTTP requests that arrived */
  posts = 0
  /** told of each HTTP request before anything of it is done */
  onArrival: (message: RpcMessage) => void = () => undefined
  private readonly clock: Clock
  private readonly timeoutMs: number
  private readonly edge: Executor
  private highestGeneration: number | undefined

  constructor(clock: Clock, timeoutMs: number, edge: Executor) {
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.edge = edge
  }

  /** At a restart. */
  forget(): void {
    this.highestGeneration = undefined
  }

  async post(message: RpcMessage): Promise<RpcOutcome> {
    const now = this.misbehaviour
    const silence = { failure: 'unreachable', why: `no answer within ${this.timeoutMs} ms` } as const
    if (now.unreachable) {
      await this.clock.sleep(this.timeoutMs)
      return silence
    }
    this.posts += 1
    if (now.executesAfterMs !== undefined) {
      void this.clock.sleep(now.executesAfterMs).then(() => this.answer(message))
      await this.clock.sleep(this.timeoutMs)
      return silence
    }
    // The request arrives at once and is answered late: what is asked is done even when the answer is lost.
    const outcome = this.answer(message)
    const lost = now.losesReplies || outcome === undefined
    const latency = lost ? this.timeoutMs + 1 : (now.latencyMs ?? 0)
    if (latency > 0) await this.clock.sleep(Math.min(latency, this.timeoutMs))
    if (latency > this.timeoutMs || outcome === undefined) return silence
    if (now.halvesReplies) return { failure: 'broken', why: 'UND_ERR_SOCKET (other side closed)' }
    return outcome
  }

  async close(): Promise<void> {
    // It has no connections.
  }

  /** @returns undefined where it answers nothing */
  private answer(message: RpcMessage): RpcOutcome | undefined {
    this.onArrival(message)
    const { body, generation } = message
    if (this.edge.rpcFile === 'none') return this.answerOfOthers(body)
    const outcome = this.looked(body, generation)
    if ('failure' in outcome || this.edge.rpcFile === 'former') return outcome
    return { ...outcome, boot: this.edge.bootId() }
  }

  /** jsonrpcs alone answers nothing to what is no JSON, and executes nothing of a batch. */
  private answerOfOthers(body: string): RpcOutcome | undefined {
    const request = requestIn(body)
    if (request !== undefined) return this.executed([request], false)
    return isJson(body) ? emptyResult : undefined
  }

  private looked(body: string, generation: number | undefined): RpcOutcome {
    const ours = this.edge.rpcFile === 'ours'
    const bytes = Buffer.byteLength(body)
    if (ours && bytes > batchLimits.bytes)
      return refusal(413, -32600, `Body of ${bytes} bytes, at most ${batchLimits.bytes}`)
    const isBatch = ours && body.startsWith('[')
    const lines = isBatch ? linesOf(body) : [body]
    if ('status' in lines) return lines
    const requests: (RpcRequest | undefined)[] = []
    for (const [index, given] of lines.entries()) {
      const data = isBatch ? index + 1 : undefined
      const line = isBatch ? withoutComma(given, index === lines.length - 1) : given
      if (line === undefined) return refusal(400, -32600, malformedBatch, data)
      if (this.isRefused(line)) return refusal(400, -32600, refusedByPolicy, data)
      requests.push(requestIn(line))
    }
    return (ours && this.fenced(requests, generation)) || this.executed(requests, isBatch)
  }

  private isRefused(line: string): boolean {
    const ends = /"method":"dlg\.(profile_list|terminate_dlg)"/i.test(line)
    const isNew =
      /"params":\["(begun|dc)"/i.test(line) || /"method":"dispatcher\.list","params":\["/i.test(line)
    if (this.edge.rpcFile === 'former' && isNew) return true
    return (ends && !this.edge.endsCalls) || !isAllowedRequest(line)
  }

  /** @returns the refusal of a generation that can't be read or is too low */
  private fenced(
    requests: readonly (RpcRequest | undefined)[],
    generation: number | undefined,
  ): RpcOutcome | undefined {
    const seen = this.highestGeneration
    if (generation !== undefined && !/^[0-9]{1,15}$/.test(String(generation)))
      return refusal(400, -32600, 'Generation is no number')
    const writes = requests.some((request) => request && isWrite(request.method))
    const stale = generation === undefined ? writes : seen !== undefined && generation < seen
    if (stale && seen !== undefined) return refusal(409, -32001, 'Stale generation', seen)
    if (generation !== undefined) this.highestGeneration = generation
    return undefined
  }

  /**
   * @param requests undefined for what the policy allows and is no JSON all the same, such as the id `007`
   */
  private executed(requests: readonly (RpcRequest | undefined)[], isBatch: boolean): RpcOutcome {
    const { swapsReplies, losesLastReply, replyTooLong, faults } = this.misbehaviour
    const broken = requests.map((request) => request && faults?.[request.method]).find(isOfTheWay)
    if (broken === 'unauthorized') return { status: 401, body: '' }
    if (broken) return { failure: 'unreachable', why: 'planted' }
    if (!isBatch) {
      const [request] = requests
      return request ? this.reply(request) : refusal(400, -32700, 'Parse Error')
    }
    const unread = refusal(200, -32603, 'No reply')
    const replies = requests.map((request) => (request ? this.reply(request) : unread))
    const kept = losesLastReply ? replies.slice(0, -1) : replies
    const given = swapsReplies ? replies.toReversed() : kept
    const body = `[${given.map((reply) => reply.body).join(',')}]`
    if (replyTooLong || Buffer.byteLength(body) > replyBytes)
      return refusal(500, -32002, 'Executed, but the reply does not fit pv_buffer_size')
    return { status: 200, body }
  }

  private reply(request: RpcRequest): HttpReply {
    const { method, params, id } = request
    this.requests.push([method, ...params].join(' '))
    try {
      const planted = this.misbehaviour.faults?.[method]
      if (planted === 'malformed') return json(200, { jsonrpc: '2.0', result: {}, id })
      if (planted !== undefined) throw new RpcError(500, wordsOf(planted))
      // The policy ignores case, and Kamailio does not.
      if (!rpcMethods.includes(method)) throw new RpcError(500, 'Method Not Found')
      return json(200, { jsonrpc: '2.0', result: this.edge.execute(request), id })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return json(error.code, { jsonrpc: '2.0', error: { code: error.code, message: error.message }, id })
    }
  }
}

/** The lines between the brackets of a batch, with their commas; or why there are none. */
function linesOf(body: string): readonly string[] | HttpReply {
  const lines = body.split('\n')
  const framed = lines.length >= 3 && lines[0] === '[' && lines.at(-1) === ']' && !body.includes('\r')
  if (!framed) return refusal(400, -32600, malformedBatch)
  const requests = lines.slice(1, -1)
  if (requests.length <= batchLimits.requests) return requests
  return refusal(413, -32600, `Batch of ${requests.length} requests, at most ${batchLimits.requests}`)
}

/** @returns undefined where the comma is missing, or is one too many, or nothing is left */
function withoutComma(line: string, isLast: boolean): string | undefined {
  if (line.endsWith(',') === isLast) return undefined
  return (isLast ? line : line.slice(0, -1)) || undefined
}

/** In any case, as the policy takes it. */
function isWrite(method: string): boolean {
  const known = rpcMethods.find((name) => name === method.toLowerCase())
  return known !== undefined && methodRules[known].write
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** @returns undefined where the text is no request */
function requestIn(text: string): RpcRequest | undefined {
  if (!isJson(text)) return undefined
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) return undefined
  // Kamailio finds a key in any case.
  const request = Object.fromEntries(Object.entries(value).map(([key, given]) => [key.toLowerCase(), given]))
  return 'method' in request && 'params' in request ? (request as unknown as RpcRequest) : undefined
}

function isOfTheWay(fault: string | undefined): fault is 'unreachable' | 'unauthorized' {
  return fault === 'unreachable' || fault === 'unauthorized'
}

function wordsOf(fault: string): string {
  return Object.entries(errorOf).find(([known]) => known === fault)?.[1] ?? 'State Update Failed'
}

function json(status: number, value: unknown): HttpReply {
  return { status, body: JSON.stringify(value) }
}

function refusal(status: number, code: number, message: string, data?: number): HttpReply {
  return json(status, {
    jsonrpc: '2.0',
    error: { code, message, ...(data !== undefined && { data }) },
    id: 0,
  })
}
