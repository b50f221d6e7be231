import { createServer, type IncomingMessage } from 'node:http'
import * as z from 'zod'
import { freePort } from '../programs/free-port.ts'
import type { Edge } from './edge.ts'
import { type HttpReply, send } from './edge-rpc.ts'
import type { Interposed } from './interposed.ts'

/** What the proxy lies about. */
export type Lie = 'state' | 'count'

const call = z.object({
  method: z.string(),
  params: z.array(z.union([z.string(), z.number()])),
  id: z.number(),
})
type Call = z.output<typeof call>

const list = z.looseObject({
  result: z.looseObject({
    RECORDS: z.array(
      z.looseObject({
        SET: z.looseObject({
          ID: z.number(),
          TARGETS: z.array(z.looseObject({ DEST: z.looseObject({ URI: z.string(), FLAGS: z.string() }) })),
        }),
      }),
    ),
  }),
})

/**
 * Stands between an edge and whoever was lied its URL. `state`: answers Ok to every write without doing it,
 * and shows it done in `dispatcher.list`. `count`: answers that nobody has a call. All else goes through
 * untouched.
 */
export async function startLyingProxy(edge: Edge, lie: Lie): Promise<Interposed> {
  const port = await freePort(edge.address)
  /** `set uri` → the state that was asked for */
  const pretended = new Map<string, string>()
  const server = createServer((request, response) => {
    void answer(request, edge, lie, pretended).then(
      (reply) => response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body),
      (error: unknown) => response.writeHead(502).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(port, edge.address, resolve))
  return {
    url: `http://${edge.address}:${port}/rpc`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  edge: Edge,
  lie: Lie,
  pretended: Map<string, string>,
): Promise<HttpReply> {
  const body = await bodyOf(request)
  const asked = call.parse(JSON.parse(body))
  const lied = lie === 'count' ? lieAboutCount(asked) : lieAboutState(asked, pretended)
  if (lied !== undefined)
    return { status: 200, body: JSON.stringify({ jsonrpc: '2.0', result: lied, id: asked.id }) }
  const reply = await send(
    { host: edge.address, port: edge.rpcPort },
    {
      body,
      headers: {
        'content-type': 'application/json',
        ...passedOn(request, ['x-rpc-key', 'x-correlation-id']),
      },
    },
  )
  return lie === 'state' && asked.method === 'dispatcher.list' && reply.status === 200
    ? { ...reply, body: paint(reply.body, pretended) }
    : reply
}

function passedOn({ headers }: IncomingMessage, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  request.setEncoding('utf8')
  for await (const chunk of request) body += String(chunk)
  return body
}

function lieAboutCount({ method }: Call): unknown {
  return method === 'dlg.profile_get_size' ? 0 : undefined
}

function lieAboutState({ method, params }: Call, pretended: Map<string, string>): unknown {
  switch (method) {
    case 'dispatcher.set_state':
      pretended.set(`${params[1]} ${params[2]}`, `${params[0]}`)
      return 'Ok. Dispatcher state updated.'
    case 'htable.seti':
      return 'Ok. Key set to new value.'
    case 'htable.delete':
      return 'Ok. Key deleted.'
    default:
      return undefined
  }
}

/** The list as it would be, had the proxy done what it answered. */
function paint(body: string, pretended: ReadonlyMap<string, string>): string {
  const shown = list.parse(JSON.parse(body))
  for (const { SET } of shown.result.RECORDS)
    for (const { DEST } of SET.TARGETS) {
      const state = pretended.get(`${SET.ID} ${DEST.URI}`)
      if (state !== undefined)
        DEST.FLAGS = `${state.charAt(0).toUpperCase()}${state.startsWith('d') ? 'X' : DEST.FLAGS.charAt(1)}`
    }
  return JSON.stringify(shown)
}
