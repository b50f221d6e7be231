import { request } from 'node:http'
import { z } from 'zod'

/** Where an edge's JSON-RPC listens and what it asks for. */
export interface RpcEndpoint {
  readonly host: string
  readonly port: number
  readonly secret: string
}

/** What an edge answered, as it came. */
export interface HttpReply {
  readonly status: number
  readonly body: string
  /** X-DC-Boot, where the edge has one. */
  readonly boot?: string
}

/** The edge answered something that is not a result; the message has its words. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault'
  constructor(method: string, reply: HttpReply) {
    super(`${method}: HTTP ${reply.status} ${reply.body}`)
  }
}

/** One destination in one set, as the edge shows it. */
export interface Destination {
  readonly set: number
  readonly uri: string
  readonly flags: string
  readonly duid: string | undefined
}

const resultSchema = z.object({ result: z.unknown() })
const listSchema = z.object({
  RECORDS: z.array(
    z.object({
      SET: z.object({
        ID: z.number(),
        TARGETS: z.array(
          z.object({
            DEST: z.object({
              URI: z.string(),
              FLAGS: z.string(),
              ATTRS: z.object({ DUID: z.string().nullish() }).optional(),
            }),
          }),
        ),
      }),
    }),
  ),
})

/**
 * Sends any HTTP request to an edge, on a connection of its own (an edge that restarts leaves stale ones).
 * @throws when nothing came within 3 s
 */
export function send(
  endpoint: { host: string; port: number },
  options: {
    path?: string
    method?: string
    headers?: Record<string, string>
    body?: string
    localAddress?: string
  },
): Promise<HttpReply> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>()
  const outgoing = request({
    host: endpoint.host,
    port: endpoint.port,
    path: options.path ?? '/rpc',
    method: options.method ?? 'POST',
    agent: false,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    headers: { 'content-length': Buffer.byteLength(options.body ?? ''), ...options.headers },
    signal: AbortSignal.timeout(3000),
  })
  outgoing.on('error', reject)
  outgoing.on('response', (incoming) => {
    let body = ''
    incoming.setEncoding('utf8')
    incoming.on('data', (chunk: string) => {
      body += chunk
    })
    incoming.on('error', reject)
    const boot = incoming.headers['x-dc-boot']
    incoming.on('end', () =>
      resolve({
        status: incoming.statusCode ?? 0,
        body,
        ...(typeof boot === 'string' && { boot }),
      }),
    )
  })
  outgoing.end(options.body)
  return promise
}

const staleSchema = z.object({ error: z.object({ data: z.number() }) })

/**
 * One JSON-RPC call, as somebody else makes it who may write: where a settle has raised the edge's fence,
 * with the generation that the edge names. @throws RpcFault when there is no `result`
 */
export async function rpc(
  endpoint: RpcEndpoint,
  method: string,
  params: readonly (string | number)[],
): Promise<unknown> {
  const ask = (generation: Record<string, string> = {}) =>
    send(endpoint, {
      headers: { 'x-rpc-key': endpoint.secret, 'content-type': 'application/json', ...generation },
      body: JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }),
    })
  const first = await ask()
  const stale = first.status === 409 ? staleSchema.safeParse(JSON.parse(first.body)).data : undefined
  const reply = stale ? await ask({ 'x-dc-generation': String(stale.error.data) }) : first
  if (reply.status !== 200) throw new RpcFault(method, reply)
  const parsed = resultSchema.safeParse(JSON.parse(reply.body))
  if (!parsed.success) throw new RpcFault(method, reply)
  return parsed.data.result
}

/** Every destination of every set. @throws RpcFault (`No Destination Sets` when the list is empty) */
export async function readList(endpoint: RpcEndpoint): Promise<readonly Destination[]> {
  const list = listSchema.parse(await rpc(endpoint, 'dispatcher.list', []))
  return list.RECORDS.flatMap(({ SET }) =>
    SET.TARGETS.map(({ DEST }) => ({
      set: SET.ID,
      uri: DEST.URI,
      flags: DEST.FLAGS,
      duid: DEST.ATTRS?.DUID ?? undefined,
    })),
  )
}
