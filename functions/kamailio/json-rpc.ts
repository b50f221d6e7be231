import type * as z from 'zod'
import { batchOf, type HttpReply, isAllowedRequest, type RpcMethod } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'
import { grouped, inTurn, type RpcAnswer } from './in-turn.ts'
import { createExchange, type RpcSettings } from './rpc-exchange.ts'
import { BatchRefused, resultOf, resultsOf } from './rpc-faults.ts'
import { methodRules } from './rpc-methods.ts'
import { splitBatches } from './split-batches.ts'

/** One request: `params` are positional, and numbers stay JSON numbers (Kamailio reads the group `"1"` as 0). */
export interface RpcCall<T> {
  readonly method: RpcMethod
  readonly params: readonly (string | number)[]
  /** the shape of its result */
  readonly result: z.ZodType<T>
}

/** JSON-RPC of one Kamailio. */
export interface JsonRpc {
  /**
   * One request. Never repeated after a timeout, which says neither done nor failed.
   * @throws EdgeError; `malformed` when the result does not have its shape
   */
  call<T>(call: RpcCall<T>): Promise<T>
  /**
   * Many requests, executed in order, in as few HTTP requests as take them where the edge has our rpc.cfg, and otherwise one by one:
   * then neighbours of the same method are asked at once, 16 at the most.
   * @returns one answer for each, in order; it never throws
   */
  batch<const R extends readonly unknown[]>(
    calls: {
      readonly [I in keyof R]: RpcCall<R[I]>
    },
  ): Promise<{ [I in keyof R]: RpcAnswer<R[I]> }>
  /** The boot that the edge's last reply named; null where it named none: it has none of our rpc.cfg. Undefined: no reply yet. */
  boot(): string | null | undefined
  /** The same edge over the same connections; every request carries the generation of a lease. */
  under(generation: number): JsonRpc
}

interface Request<T> extends RpcCall<T> {
  readonly id: number
  readonly text: string
}

/** HTTP requests under way to one edge, at the most. */
const atOnce = 16
/** Of a batch's reply, in bytes: more than an edge can send. */
const batchReplyLimit = 65_536

export function createJsonRpc(settings: RpcSettings): JsonRpc {
  let lastId = 0
  const nextId = () => ++lastId
  return rpcUnder({ edge: settings.edge, exchange: createExchange(settings), nextId, known: {} }, undefined)
}

interface Shared {
  readonly edge: string
  readonly exchange: ReturnType<typeof createExchange>
  readonly nextId: () => number
  /** `boot` of the last reply; null: it named none, which an edge without our rpc.cfg does. Undefined: no reply yet. */
  readonly known: { boot?: string | null }
}

function rpcUnder(shared: Shared, generation: number | undefined): JsonRpc {
  const { edge, exchange, nextId, known } = shared

  function requestOf<T>({ method, params, result }: RpcCall<T>): Request<T> {
    const id = nextId()
    return { method, params, result, id, text: JSON.stringify({ jsonrpc: '2.0', method, params, id }) }
  }

  function noted(reply: HttpReply): HttpReply {
    if (!gatewayFault(reply)) known.boot = reply.boot ?? null
    return reply
  }

  /** @throws EdgeError */
  async function single<T>(request: Request<T>): Promise<T> {
    const { method, text } = request
    if (!isAllowedRequest(text))
      throw new EdgeError(edge, 'refused', `${method}: a parameter can not be sent: ${text.slice(0, 200)}`)
    const { idempotent, limit } = methodRules[method]
    const reply = noted(await exchange({ what: method, body: text, generation, idempotent, limit }))
    return shaped(edge, request, resultOf(edge, request, reply))
  }

  async function answered<T>(asked: () => T | Promise<T>): Promise<RpcAnswer<T>> {
    try {
      return { result: await asked() }
    } catch (error) {
      if (error instanceof EdgeError) return { error }
      throw error
    }
  }

  /** Neighbours of one method at once, unless they write to the same destination: such writes depend on their order. */
  async function oneByOne<T>(requests: readonly Request<T>[], most: number): Promise<RpcAnswer<T>[]> {
    const groups = grouped(
      requests,
      (group, next) =>
        group.length < most && group[0]?.method === next.method && !group.some(isSameWrite(next)),
    )
    return inTurn(
      groups.map((group) => ({
        size: group.length,
        run: () => Promise.all(group.map((request) => answered(() => single(request)))),
      })),
    )
  }

  async function together<T>(requests: readonly Request<T>[], most: number): Promise<RpcAnswer<T>[]> {
    if (requests.length === 1 || known.boot === null) return oneByOne(requests, most)
    const message = {
      what: `batch of ${requests.length}`,
      body: batchOf(requests.map(({ text }) => text)),
      generation,
      idempotent: requests.every(({ method }) => methodRules[method].idempotent),
      limit: batchReplyLimit,
    }
    try {
      const replies = resultsOf(edge, requests, noted(await exchange(message)))
      return await Promise.all(
        requests.map((request, index) => answered(() => shaped(edge, request, resultIn(replies[index])))),
      )
    } catch (error) {
      if (error instanceof BatchRefused && (message.idempotent || !error.executed))
        return oneByOne(requests, most)
      if (error instanceof EdgeError) return requests.map(() => ({ error }))
      throw error
    }
  }

  async function inBatches<T>(requests: readonly Request<T>[]): Promise<RpcAnswer<T>[]> {
    const reads = requests.every(({ method }) => !methodRules[method].write)
    // A count is read between two counters: only what asks for one thing goes at once.
    const turns = grouped(
      splitBatches(requests),
      (turn, next) => reads && turn.length < atOnce / 4 && isOneMethod([...turn, next].flat()),
    )
    return inTurn(
      turns.map((turn) => ({
        size: turn.flat().length,
        run: async () => (await Promise.all(turn.map((part) => together(part, atOnce / turn.length)))).flat(),
      })),
    )
  }

  // Typed by its first line: each answer has the type of its own call.
  function batch<const R extends readonly unknown[]>(
    calls: {
      readonly [I in keyof R]: RpcCall<R[I]>
    },
  ): Promise<{ [I in keyof R]: RpcAnswer<R[I]> }>
  async function batch(calls: readonly RpcCall<unknown>[]): Promise<RpcAnswer<unknown>[]> {
    const requests = calls.map(requestOf)
    const allowed = requests.filter(({ text }) => isAllowedRequest(text))
    const answers = await inBatches(allowed)
    const found = new Map(allowed.map((request, index) => [request, answers[index]] as const))
    return Promise.all(requests.map((request) => found.get(request) ?? answered(() => single(request))))
  }

  return {
    call: (call) => single(requestOf(call)),
    batch,
    boot: () => known.boot,
    under: (next) => rpcUnder(shared, next),
  }
}

/** Whether both write to the same entry of a list or table: all parameters but the first, a state or a table, name it. */
function isSameWrite(one: RpcCall<unknown>): (other: RpcCall<unknown>) => boolean {
  const target = one.params.slice(1).join()
  return (other) => methodRules[one.method].write && other.params.slice(1).join() === target
}

function isOneMethod(requests: readonly { readonly method: RpcMethod }[]): boolean {
  return requests.every(({ method }) => method === requests[0]?.method)
}

function resultIn(answer: RpcAnswer<unknown> | undefined): unknown {
  if (answer && 'error' in answer) throw answer.error
  return answer?.result
}

/** @throws EdgeError, `malformed` when the result does not have its shape */
function shaped<T>(edge: string, { method, result }: RpcCall<T>, value: unknown): T {
  const parsed = result.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = ['result', ...(issue?.path ?? [])].join('.')
  throw new EdgeError(edge, 'malformed', `${method}: ${where}: ${issue?.message}`)
}
