import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Edge } from '../../lab/sip/edge.ts'
import type { Identity } from '../rpc-client/tls-certificates.ts'

/** A SIP server that answers every INVITE with one status and keeps what it got. */
export interface SipStub {
  readonly uri: string
  /** Whole INVITEs, in their order. */
  readonly invites: readonly string[]
  readonly stop: () => Promise<void>
}

/**
 * Listens on a free port of `address`, with `identity` by TLS. `status` 486 ends a call without fail-over,
 * 503 starts one.
 */
export async function startStub(
  address: string,
  spec: { transport?: 'udp' | 'tcp'; status?: number; identity?: Identity } = {},
): Promise<SipStub> {
  const { transport = 'udp', status = 486, identity } = spec
  const invites: string[] = []
  const answer = (message: string): string | undefined => {
    if (message.startsWith('ACK') || message.startsWith('SIP/')) return undefined
    if (message.startsWith('INVITE')) invites.push(message)
    return replyTo(message, message.startsWith('INVITE') ? status : 200)
  }
  if (transport === 'tcp' || identity !== undefined) {
    const onConnection = (socket: Socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', (data) => {
        const reply = answer(data.toString())
        if (reply !== undefined) socket.write(reply)
      })
    }
    const server =
      identity === undefined
        ? createServer(onConnection)
        : createTlsServer({ cert: identity.certificate, key: identity.key }, onConnection)
    server.listen(0, address)
    await once(server, 'listening')
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error(`no port on ${address}`)
    const stop = async () => void server.close()
    return {
      uri: `sip:${address}:${bound.port};transport=${identity === undefined ? 'tcp' : 'tls'}`,
      invites,
      stop,
    }
  }
  const socket = createSocket('udp4')
  socket.on('message', (data, peer) => {
    const reply = answer(data.toString())
    if (reply !== undefined) socket.send(reply, peer.port, peer.address)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  const { port } = socket.address()
  const stop = async () => void socket.close()
  return { uri: `sip:${address}:${port}`, invites, stop }
}

function replyTo(message: string, status: number): string {
  const kept = message.split('\r\n').filter((line) => /^(Via|Record-Route|From|Call-ID|CSeq):/i.test(line))
  const to = message.split('\r\n').filter((line) => /^To:/i.test(line))
  return [
    `SIP/2.0 ${status} A Reply`,
    ...kept,
    ...to.map((line) => (line.includes(';tag=') ? line : `${line};tag=stub`)),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

let last = 0

/** A whole request outside of any call. */
export function sipRequest(
  method: string,
  spec: { uri: string; via: string; from: string; callId?: string },
): string {
  const callId = spec.callId ?? `raw-${++last}@${spec.from}`
  return [
    `${method} ${spec.uri} SIP/2.0`,
    `Via: SIP/2.0/${spec.via} ${spec.from};branch=z9hG4bK-${callId}`,
    'Max-Forwards: 70',
    `From: <sip:raw@${spec.from}>;tag=raw`,
    `To: <${spec.uri}>`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:raw@${spec.from}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

/**
 * Sends an INVITE over UDP and resolves to the status of its final reply.
 * @throws when none came within 5 s
 */
export async function inviteStatus(
  edge: Pick<Edge, 'address' | 'sipPort'>,
  spec: { from?: string; uri?: string } = {},
): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, spec.from ?? '127.0.3.9')
  await once(socket, 'listening')
  const me = `${socket.address().address}:${socket.address().port}`
  const uri = spec.uri ?? `sip:short@${edge.address}:${edge.sipPort}`
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const timer = setTimeout(() => reject(new Error(`no final reply to an INVITE from ${me}`)), 5000)
  socket.on('message', (message) => {
    const status = Number(message.toString().split(' ', 2)[1])
    if (status >= 200) resolve(status)
  })
  socket.send(sipRequest('INVITE', { uri, via: 'UDP', from: me }), edge.sipPort, edge.address)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.close()
  }
}
