import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { requestsOf } from '../../functions/contracts/rpc.ts'
import type { EdgeFault } from '../../functions/control/errors.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { createJsonRpc, type RpcCall } from '../../functions/kamailio/json-rpc.ts'
import type { RpcSettings } from '../../functions/kamailio/rpc-exchange.ts'
import type { RpcAnswer } from '../../functions/kamailio/rpc-steps.ts'
import { type HttpRequest, isBatch, type Loopback, loopback, noBatches, reply } from './loopback.ts'

const request = z.object({
  method: z.string(),
  params: z.array(z.union([z.string(), z.number()])),
  id: z.int(),
})
type Request = z.output<typeof request>

export interface Envelope {
  readonly jsonrpc: string
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/**
 * Does something else than to answer one HTTP request. `envelopes` executes it and is what would have been
 * answered.
 */
export type Instead = (socket: Socket, envelopes: () => Envelope[], request: HttpRequest) => void

/** An edge that a test changes meanwhile, and its HTTP requests. */
export interface ScriptedEdge {
  readonly server: Loopback
  /** `X-DC-Boot`; undefined: it has not our rpc.cfg of today */
  boot: string | undefined
  /** what is done with the next HTTP requests, one each, before it answers again as it should */
  readonly instead: Instead[]
  /** what it did, in order, e.g. `htable.seti held sip:10.0.1.20 1` */
  readonly executed: string[]
  /** HTTP requests since the last time it was asked for: how many requests were in each */
  sizes(): number[]
}

/** Numbers a destination: an answer that belongs to another question shows. */
export const numbered = (n: number) => `sip:10.0.${n >> 8}.${n & 255}`
export const sizeOf = (n: number): RpcCall<number> => ({
  method: 'dlg.profile_get_size',
  params: ['dst', numbered(n)],
  result: z.int(),
})
export const sizesTo = (count: number) => Array.from({ length: count }, (_, n) => sizeOf(n))
export const answersTo = (count: number) => Array.from({ length: count }, (_, n) => ({ result: n }))

/** What is wrong with each answer. */
export function faults(answers: readonly RpcAnswer<unknown>[]): (EdgeFault | 'none')[] {
  return answers.map((given) => ('error' in given ? given.error.fault : 'none'))
}

export async function scriptedEdge(boot: string | undefined = '1795724058-4711'): Promise<ScriptedEdge> {
  const executed: string[] = []
  const instead: Instead[] = []
  let counted = 0
  const server = await loopback((asked, socket) => {
    const lines = isBatch(asked) ? requestsOf(asked.body) : [asked.body]
    if (lines === undefined) throw new Error(`no batch: ${asked.body}`)
    const envelopes = () => lines.map((line) => executedBy(executed, request.parse(JSON.parse(line))))
    const other = instead.shift()
    if (other) return other(socket, envelopes, asked)
    if (edge.boot === undefined && isBatch(asked)) return reply(socket, noBatches)
    const given = envelopes()
    answer(socket, isBatch(asked) ? given : given[0], edge.boot)
  })
  const edge: ScriptedEdge = {
    server,
    boot,
    instead,
    executed,
    sizes: () => {
      const since = server.requests.slice(counted)
      counted = server.requests.length
      return since.map(({ body }) => requestsOf(body)?.length ?? 1)
    },
  }
  return edge
}

function executedBy(executed: string[], { method, params, id }: Request): Envelope {
  executed.push([method, ...params].join(' '))
  return { jsonrpc: '2.0', result: resultTo(method, params), id }
}

function resultTo(method: string, params: Request['params']): unknown {
  if (method === 'dlg.profile_get_size') {
    const [, third = 0, fourth = 0] = /10\.0\.(\d+)\.(\d+)/.exec(String(params[1])) ?? []
    return Number(third) * 256 + Number(fourth)
  }
  const results: Readonly<Record<string, unknown>> = {
    'core.uptime': { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 },
    'dispatcher.set_state': 'Ok. Dispatcher state updated.',
    'dispatcher.reload': 'Ok. Dispatcher successfully reloaded.',
    'htable.seti': 'Ok. Key set to new value.',
    'htable.delete': 'Ok. Key deleted.',
  }
  return results[method] ?? {}
}

/** Any JSON value, as this edge would send it. */
export function answer(socket: Socket, value: unknown, boot?: string, status = '200 OK'): void {
  reply(
    socket,
    typeof value === 'string' ? value : JSON.stringify(value),
    status,
    boot === undefined ? [] : [`X-DC-Boot: ${boot}`],
  )
}

/** What rpc.cfg answers to what it does not execute. */
export const refusal = (message: string, code = -32600, data?: number) => ({
  jsonrpc: '2.0',
  error: { code, message, ...(data !== undefined && { data }) },
  id: 0,
})

/** Our JSON-RPC of that edge, closed with the test. */
export function rpcOf({ server }: ScriptedEdge, settings: Partial<RpcSettings> = {}) {
  const { timeoutMs = 2000 } = settings
  const transport = createHttpTransport({ url: server.url, timeoutMs })
  onTestFinished(() => transport.close())
  return createJsonRpc({ edge: 'edge-a', transport, timeoutMs, ...settings })
}

/** The same, when the edge's first answer has shown which boot it is. */
export async function knownRpcOf(edge: ScriptedEdge, settings: Partial<RpcSettings> = {}) {
  const rpc = rpcOf(edge, settings)
  await rpc.call(sizeOf(1))
  edge.sizes()
  edge.executed.length = 0
  return rpc
}
