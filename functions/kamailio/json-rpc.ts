import type * as z from 'zod'
import { batchOf, type HttpReply, isAllowedRequest, type RpcMethod } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import { gatewayFault } from './gateway-faults.ts'
import { createExchange, type RpcSettings, requestsAtOnce } from './rpc-exchange.ts'
import { BatchRefused, resultOf, resultsOf } from './rpc-faults.ts'
import { methodRules } from './rpc-methods.ts'
import { grouped, type RpcAnswer, runSteps } from './rpc-steps.ts'
import { splitBatches } from './split-batches.ts'

/**
 * One request: `params` are positional, and numbers stay JSON numbers (Kamailio reads the set `"1"` as 0).
 */
export interface RpcCall<T> {
  readonly method: RpcMethod
  readonly params: readonly (string | number)[]
  /** the shape of its result */
  readonly result: z.ZodType<T>
}

/** JSON-RPC of one Kamailio. */
export interface JsonRpc {
  /**
   * One request. Never repeated after a timeout, which proves neither done nor failed.
   * @throws EdgeError; `malformed` when the result does not have its shape
   */
  call<T>(call: RpcCall<T>): Promise<T>
  /**
   * Many requests, executed in order, in as few HTTP requests as take them where the edge has our rpc.cfg.
   * Otherwise one by one: then neighbours of the same method are asked at once, 16 at the most.
   * @returns one answer for each, in order; it never throws
   */
  batch<const R extends readonly unknown[]>(
    calls: {
      readonly [I in keyof R]: RpcCall<R[I]>
    },
  ): Promise<{ [I in keyof R]: RpcAnswer<R[I]> }>
  /**
   * The boot that the edge's last reply named. null: it named none, which an edge without our rpc.cfg does.
   * Undefined: no reply yet.
   */
  boot(): string | null | undefined
  /** All that replies to this generation's requests have named. */
  boots(): readonly string[]
  /**
   * The same edge over the same connections; every request carries the generation of a lease.
   * @throws RangeError unless it is a whole number from 0 of at most 15 digits
   */
  under(generation: number): JsonRpc
}

interface Request<T> extends RpcCall<T> {
  readonly id: number
  readonly text: string
}

/** Of a batch's reply, in bytes: more than an edge can send. */
const batchReplyLimit = 65_536
/** Batches of reads under way at once: an edge's RPC socket has two workers. */
const batchesAtOnce = 4
const highestGeneration = 999_999_999_999_999

export function createJsonRpc(settings: RpcSettings): JsonRpc {
  let lastId = 0
  const nextId = () => ++lastId
  const shared = { edge: settings.edge, exchange: createExchange(settings), nextId, known: {} }
  return new Rpc(shared, undefined)
}

interface Shared {
  readonly edge: string
  readonly exchange: ReturnType<typeof createExchange>
  readonly nextId: () => number
  /** what the edge's last reply has shown, to all leases */
  readonly known: { boot?: string | null }
}

class Rpc implements JsonRpc {
  private readonly shared: Shared
  private readonly generation: number | undefined
  private readonly named = new Set<string>()

  constructor(shared: Shared, generation: number | undefined) {
    this.shared = shared
    this.generation = generation
  }

  boot(): string | null | undefined {
    return this.shared.known.boot
  }

  boots(): readonly string[] {
    return [...this.named]
  }

  under(generation: number): JsonRpc {
    if (!Number.isInteger(generation) || generation < 0 || generation > highestGeneration)
      throw new RangeError(`a generation is a whole number of at most 15 digits, not ${generation}`)
    return new Rpc(this.shared, generation)
  }

  call<T>(call: RpcCall<T>): Promise<T> {
    return this.single(this.requestOf(call))
  }

  // Typed by its first line: each answer has the type of its own call.
  batch<const R extends readonly unknown[]>(
    calls: {
      readonly [I in keyof R]: RpcCall<R[I]>
    },
  ): Promise<{ [I in keyof R]: RpcAnswer<R[I]> }>
  async batch(calls: readonly RpcCall<unknown>[]): Promise<RpcAnswer<unknown>[]> {
    const requests = calls.map((call) => this.requestOf(call))
    const allowed = requests.filter(({ text }) => isAllowedRequest(text))
    const answers = await this.inBatches(allowed)
    const found = new Map(allowed.map((request, index) => [request, answers[index]] as const))
    return Promise.all(requests.map((request) => found.get(request) ?? answered(() => this.single(request))))
  }

  private requestOf<T>({ method, params, result }: RpcCall<T>): Request<T> {
    const id = this.shared.nextId()
    return { method, params, result, id, text: JSON.stringify({ jsonrpc: '2.0', method, params, id }) }
  }

  /**
   * Only a reply of Kamailio's own shows that an edge names no boot: whatever stands on the way names none
   * either.
   */
  private noted(reply: HttpReply): HttpReply {
    const { known } = this.shared
    if (reply.boot !== undefined) this.named.add(reply.boot)
    if (reply.boot !== undefined) known.boot = reply.boot
    else if (!gatewayFault(reply) && /"jsonrpc":\s*"2\.0"/.test(reply.body.slice(0, 200))) known.boot = null
    return reply
  }

  /** @throws EdgeError */
  private async single<T>(request: Request<T>): Promise<T> {
    const { edge, exchange } = this.shared
    const { method, text } = request
    if (!isAllowedRequest(text))
      throw new EdgeError(edge, 'refused', `${method}: it can not be sent: ${text.slice(0, 200)}`)
    const { idempotent, limit } = methodRules[method]
    const { generation } = this
    const reply = this.noted(await exchange({ what: method, body: text, generation, idempotent, limit }))
    return shaped(edge, request, resultOf(edge, request, reply))
  }

  /**
   * Neighbours of one method at once, unless they write to the same destination: such writes depend on their
   * order.
   */
  private oneByOne<T>(requests: readonly Request<T>[]): Promise<RpcAnswer<T>[]> {
    const joins = (neighbours: readonly Request<T>[], next: Request<T>) =>
      neighbours.length < requestsAtOnce &&
      neighbours[0]?.method === next.method &&
      !neighbours.some(isSameWrite(next))
    return runSteps(
      grouped(requests, joins).map((neighbours) => ({
        size: neighbours.length,
        run: () => Promise.all(neighbours.map((request) => answered(() => this.single(request)))),
      })),
    )
  }

  private async inBatches<T>(requests: readonly Request<T>[]): Promise<RpcAnswer<T>[]> {
    const reads = requests.every(({ method }) => !methodRules[method].write)
    // A count is read between two counters: only what asks for one thing goes at once.
    const joins = (batches: readonly Request<T>[][], next: Request<T>[]) =>
      reads && batches.length < batchesAtOnce && isOneMethod([...batches, next].flat())
    return runSteps(
      grouped(splitBatches(requests), joins).map((batches) => ({
        size: batches.flat().length,
        run: async () => (await Promise.all(batches.map((part) => this.together(part)))).flat(),
      })),
    )
  }

  /** @param again whether a batch that was refused for one line is sent once more without it */
  private async together<T>(requests: readonly Request<T>[], again = true): Promise<RpcAnswer<T>[]> {
    if (requests.length === 1 || this.shared.known.boot === null) return this.oneByOne(requests)
    const idempotent = requests.every(({ method }) => methodRules[method].idempotent)
    try {
      return await this.executed(requests, idempotent)
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      if (!(error instanceof BatchRefused) || (error.executed && !idempotent))
        return requests.map(() => ({ error }))
      const { line } = error
      const refused = line === undefined ? undefined : requests[line - 1]
      if (!again || refused === undefined) return this.oneByOne(requests)
      const others = requests.filter((request) => request !== refused)
      const answers = await this.together(others, false)
      return requests.map((request) => answers[others.indexOf(request)] ?? { error })
    }
  }

  /** @throws EdgeError when the batch as a whole brought no answers */
  private async executed<T>(requests: readonly Request<T>[], idempotent: boolean): Promise<RpcAnswer<T>[]> {
    const { edge, exchange } = this.shared
    const reply = await exchange({
      what: `batch of ${requests.length}`,
      body: batchOf(requests.map(({ text }) => text)),
      generation: this.generation,
      idempotent,
      limit: batchReplyLimit,
    })
    const results = resultsOf(edge, requests, this.noted(reply))
    return Promise.all(
      requests.map((request, index) => answered(() => shaped(edge, request, resultIn(results[index])))),
    )
  }
}

async function answered<T>(asked: () => T | Promise<T>): Promise<RpcAnswer<T>> {
  try {
    return { result: await asked() }
  } catch (error) {
    if (error instanceof EdgeError) return { error }
    throw error
  }
}

/**
 * Whether both write to the same entry of a list or table: all parameters but the first, a state or a table,
 * name it.
 */
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
