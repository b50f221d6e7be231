import { z } from 'zod'
import type { Edge } from '../../lab/sip/edge.ts'
import { type HttpReply, send } from '../../lab/sip/edge-rpc.ts'

const errorSchema = z.object({
  jsonrpc: z.literal('2.0'),
  error: z.object({ code: z.number(), message: z.string(), data: z.number().optional() }),
  id: z.literal(0),
})
const repliesSchema = z.array(z.looseObject({ jsonrpc: z.literal('2.0'), id: z.number() }))
const itemSchema = z.object({ item: z.object({ value: z.string() }) })

const aboutSchema = z.strictObject({
  version: z.string(),
  now: z.coerce.number(),
  end_calls: z.string(),
  keepalives: z.string(),
  longest_call: z.string(),
  sip_error: z.string().optional(),
})

/** One request as the control plane writes it; `params` is JSON without spaces. */
export function requestLine(method: string, params = '[]', id = 1): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${params},"id":${id}}`
}

/** A standard JSON-RPC batch, one request a line. */
export function batchOf(lines: readonly string[]): string {
  return `[\n${lines.join(',\n')}\n]`
}

/** Sends any body to an edge's JSON-RPC with its secret, unless the headers have another. */
export function askEdge(edge: Edge, options: Parameters<typeof send>[1]): Promise<HttpReply> {
  return send(
    { host: edge.address, port: edge.rpcPort },
    { ...options, headers: { 'x-rpc-key': edge.secret, ...options.headers } },
  )
}

/** The error that the edge's own route answers. @throws when it is none */
export function errorOf(reply: HttpReply): { code: number; message: string; data?: number | undefined } {
  return errorSchema.parse(JSON.parse(reply.body)).error
}

/** The elements of a batch's reply. @throws when it is none */
export function repliesOf(reply: HttpReply): z.infer<typeof repliesSchema> {
  return repliesSchema.parse(JSON.parse(reply.body))
}

/** What the edge says about itself. */
export async function about(edge: Edge): Promise<z.infer<typeof aboutSchema>> {
  const { item } = itemSchema.parse(await edge.call('htable.get', ['dc', 'about']))
  return aboutSchema.parse(Object.fromEntries(item.value.split(';').map((pair) => pair.split('=', 2))))
}
