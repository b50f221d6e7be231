import {
  batchLimits,
  type HttpReply,
  isAllowedRequest,
  type RpcMessage,
  type RpcMethod,
  type RpcOutcome,
  type RpcTransport,
  requestsOf,
} from '../../functions/contracts/rpc.ts'
import { methodRules } from '../../functions/kamailio/rpc-methods.ts'
import type { Clock } from '../../functions/use-cases/ports.ts'
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

const refusedByPolicy = 'Request refused by edge policy'
const errorOf = {
  busy: 'Ongoing reload',
  'empty-list': 'No Destination Sets',
  unsupported: 'Method Not Found',
}

/**
 * The RPC port of a Kamailio in memory, in the words of the real one (kamailio/rpc.cfg on 6.1.5 and 5.6.3): policy, batches, fence, boot id,
 * on the clock that it is given.
 */
export class MemoryRpcPort implements RpcTransport {
  misbehaviour: Misbehaviour = {}
  /** Every request that arrived, in order, e.g. `dispatcher.set_state d 1 sip:10.0.0.1:5060`. */
  readonly requests: string[] = []
  /** HTTP requests that arrived */
  posts = 0
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
    const latency = now.losesReplies ? this.timeoutMs + 1 : (now.latencyMs ?? 0)
    if (latency > 0) await this.clock.sleep(Math.min(latency, this.timeoutMs))
    if (latency > this.timeoutMs) return silence
    if (now.halvesReplies) return { failure: 'broken', why: 'UND_ERR_SOCKET (other side closed)' }
    return outcome
  }

  async close(): Promise<void> {
    // It has no connections.
  }

  private answer({ body, generation }: RpcMessage): RpcOutcome {
    const isBatch = body.startsWith('[')
    if (this.edge.rpcFile === 'none' && isBatch) return { status: 200, body: '{"jsonrpc":"2.0","result":{}}' }
    const lines = isBatch ? requestsOf(body) : [body]
    if (this.edge.rpcFile === 'former' && isBatch) return refusal(400, -32600, refusedByPolicy)
    const outcome =
      lines === undefined
        ? refusal(400, -32600, 'Malformed batch')
        : this.executed(lines, isBatch, generation)
    if ('failure' in outcome || this.edge.rpcFile !== 'ours') return outcome
    return { ...outcome, boot: this.edge.bootId() }
  }

  private executed(lines: readonly string[], isBatch: boolean, generation: number | undefined): RpcOutcome {
    if (lines.length > batchLimits.requests)
      return refusal(413, -32600, `Batch of ${lines.length} requests, at most ${batchLimits.requests}`)
    const requests = lines.map((line): RpcRequest => JSON.parse(line))
    const bad = requests.findIndex((request, index) => this.isRefused(request, lines[index] ?? ''))
    if (bad >= 0) return refusal(400, -32600, refusedByPolicy, isBatch ? bad + 1 : undefined)
    const stale = this.staleBelow(requests, generation)
    if (stale !== undefined) return refusal(409, -32001, 'Stale generation', stale)
    const broken = requests.map(({ method }) => this.misbehaviour.faults?.[method]).find(isOfTheWay)
    if (broken === 'unauthorized') return { status: 401, body: '' }
    if (broken) return { failure: 'unreachable', why: 'planted' }
    const replies = requests.map((request) => this.reply(request))
    if (!isBatch) return replies[0] ?? { status: 500, body: '' }
    const { swapsReplies, losesLastReply } = this.misbehaviour
    const given = swapsReplies ? replies.reverse() : losesLastReply ? replies.slice(0, -1) : replies
    return { status: 200, body: `[${given.map(({ body }) => body).join(',')}]` }
  }

  private isRefused({ method }: RpcRequest, line: string): boolean {
    if (this.edge.rpcFile === 'none') return false
    const ends = method === 'dlg.profile_list' || method === 'dlg.terminate_dlg'
    const tooNew =
      /"params":\["(begun|dc)"/.test(line) || (method === 'dispatcher.list' && !line.includes('[]'))
    if (this.edge.rpcFile === 'former' && tooNew) return true
    return (ends && !this.edge.endsCalls) || !isAllowedRequest(line)
  }

  /** @returns the highest generation seen, where it forbids this one */
  private staleBelow(requests: readonly RpcRequest[], generation: number | undefined): number | undefined {
    if (this.edge.rpcFile !== 'ours') return undefined
    const seen = this.highestGeneration
    const writes = requests.some(({ method }) => methodRules[method].write)
    const stale = generation === undefined ? writes : seen !== undefined && generation < seen
    if (stale && seen !== undefined) return seen
    if (generation !== undefined) this.highestGeneration = generation
    return undefined
  }

  private reply(request: RpcRequest): HttpReply {
    const { method, params, id } = request
    this.requests.push([method, ...params].join(' '))
    try {
      const planted = this.misbehaviour.faults?.[method]
      if (planted === 'malformed') return json(200, { jsonrpc: '2.0', result: {}, id })
      if (planted !== undefined) throw new RpcError(500, wordsOf(planted))
      return json(200, { jsonrpc: '2.0', result: this.edge.execute(request), id })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return json(error.code, { jsonrpc: '2.0', error: { code: error.code, message: error.message }, id })
    }
  }
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
