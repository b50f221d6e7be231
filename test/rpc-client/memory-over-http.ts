import type { MemoryEdge } from '../memory/edge.ts'
import { type HttpRequest, reply } from './loopback.ts'

/** Answers one HTTP request from an edge in memory, in the words of a real Kamailio. */
export async function answerFrom(
  edge: MemoryEdge,
  request: HttpRequest,
  socket: Parameters<typeof reply>[0],
) {
  const generation = /^x-dc-generation: (\d+)/im.exec(request.head)?.[1]
  const outcome = await edge.transport.post({
    body: request.body,
    secret: undefined,
    limit: Number.MAX_SAFE_INTEGER,
    signal: AbortSignal.timeout(10_000),
    ...(generation !== undefined && { generation: Number(generation) }),
  })
  if ('failure' in outcome) return void socket.destroy()
  const boot = outcome.boot === undefined ? [] : [`X-DC-Boot: ${outcome.boot}`]
  reply(socket, outcome.body, `${outcome.status} In Memory`, boot)
}
