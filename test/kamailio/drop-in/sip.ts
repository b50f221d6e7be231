import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type SipTransport = 'udp' | 'tcp' | 'tls'

/** Where a SIP message is sent. */
export interface SipVia {
  readonly transport: SipTransport
  readonly host: string
  readonly port: number
  /** The caller's own address. */
  readonly from: string
  /** How long a final reply is waited for; shorter than the default where none is expected. */
  readonly patienceMs?: number | undefined
}

/** A call that was answered or refused; `status` is the final reply's, 0 when there was none in time. */
export interface PlacedCall {
  readonly status: number
  /** Sends the BYE and returns the status of its reply. */
  readonly hangUp: () => Promise<number>
  readonly close: () => void
}

/** One way to send SIP messages and get some back, bodies left out. */
interface Wire {
  readonly local: string
  readonly send: (message: string) => void
  readonly onMessage: (listener: (message: string) => void) => void
  readonly close: () => void
}

const defaultPatienceMs = 5000
let last = 0

export interface SipServer {
  readonly host: string
  readonly port: number
  /** What it answers to an INVITE; 200 by default. To everything else it answers 200. */
  readonly invite?: number | undefined
}

/** Answers over UDP and TCP on one port; `onInvite` gets the Request-URI of each INVITE. */
export async function startServer(server: SipServer, onInvite: (uri: string) => void): Promise<void> {
  const { host, port } = server
  const answer = (message: string, contact: string) => {
    const [method = '', uri = ''] = message.split(' ', 2)
    if (method === 'ACK' || method.startsWith('SIP/')) return undefined
    if (method === 'INVITE') onInvite(uri)
    return replyTo(message, contact, method === 'INVITE' ? (server.invite ?? 200) : 200)
  }
  const udp = createSocket('udp4')
  udp.on('message', (message, peer) => {
    const reply = answer(message.toString(), `<sip:${host}:${port}>`)
    if (reply !== undefined) udp.send(reply, peer.port, peer.address)
  })
  udp.bind(port, host)
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    eachMessage(socket, (message) => {
      const reply = answer(message, `<sip:${host}:${port};transport=tcp>`)
      if (reply !== undefined) socket.write(reply)
    })
  })
  tcp.listen(port, host)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
}

function replyTo(message: string, contact: string, status: number): string {
  const kept = headers(message, 'Via', 'Record-Route', 'From', 'Call-ID', 'CSeq')
  const [to = ''] = headers(message, 'To')
  return lines([
    `SIP/2.0 ${status} ${status === 200 ? 'OK' : 'Refused'}`,
    ...kept,
    to.includes(';tag=') ? to : `${to};tag=answered`,
    `Contact: ${contact}`,
  ])
}

/** Sends one request outside of any call and returns the status of its reply, 0 when none came. */
export async function ask(
  via: SipVia,
  request: { method: string; uri: string; to: string; contact?: string },
): Promise<number> {
  const wire = await open(via)
  const message = requestLines(via, wire, { ...request, callId: `ask-${process.pid}-${++last}`, cseq: 1 })
  wire.send(lines(message))
  const reply = await finalReply(wire, request.method, via)
  wire.close()
  return statusOf(reply)
}

/** Places a call and returns when it is answered or refused. */
export async function place(via: SipVia, uri: string): Promise<PlacedCall> {
  const wire = await open(via)
  const callId = `call-${process.pid}-${++last}`
  const invite = { method: 'INVITE', uri, to: uri, callId, cseq: 1 }
  wire.send(lines(requestLines(via, wire, invite)))
  const reply = await finalReply(wire, 'INVITE', via)
  const status = statusOf(reply)
  if (reply === undefined || status >= 300)
    return { status, hangUp: () => Promise.resolve(0), close: wire.close }
  // What the callee named, by the way that the proxies asked for.
  const [contact = ''] = headers(reply, 'Contact')
  const within = {
    uri: /<([^>]+)>/.exec(contact)?.[1] ?? uri,
    to: uri,
    callId,
    toHeader: headers(reply, 'To')[0] ?? '',
    routes: headers(reply, 'Record-Route')
      .reverse()
      .map((line) => line.replace('Record-Route', 'Route')),
  }
  wire.send(lines(requestLines(via, wire, { ...within, method: 'ACK', cseq: 1 })))
  return {
    status,
    hangUp: async () => {
      wire.send(lines(requestLines(via, wire, { ...within, method: 'BYE', cseq: 2 })))
      return statusOf(await finalReply(wire, 'BYE', via))
    },
    close: wire.close,
  }
}

interface Request {
  readonly method: string
  readonly uri: string
  readonly to: string
  readonly callId: string
  readonly cseq: number
  readonly contact?: string
  readonly toHeader?: string
  readonly routes?: readonly string[]
}

function requestLines(via: SipVia, wire: Wire, request: Request): readonly string[] {
  const own = `<sip:caller@${wire.local};transport=${via.transport}>`
  return [
    `${request.method} ${request.uri} SIP/2.0`,
    `Via: SIP/2.0/${via.transport.toUpperCase()} ${wire.local};branch=z9hG4bK-${request.callId}-${request.cseq}-${request.method};rport`,
    ...(request.routes ?? []),
    `From: <sip:caller@${via.host}>;tag=caller`,
    request.toHeader ?? `To: <${request.to}>`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.cseq} ${request.method}`,
    `Contact: ${request.contact ?? own}`,
    'Max-Forwards: 70',
  ]
}

function lines(message: readonly string[]): string {
  return [...message, 'Content-Length: 0', '', ''].join('\r\n')
}

function headers(message: string, ...names: readonly string[]): string[] {
  return message.split('\r\n').filter((line) => names.some((name) => line.startsWith(`${name}:`)))
}

function statusOf(reply: string | undefined): number {
  return Number(/^SIP\/2\.0 (\d+)/.exec(reply ?? '')?.[1] ?? 0)
}

function finalReply(
  wire: Wire,
  method: string,
  { patienceMs = defaultPatienceMs }: SipVia,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const timer = setTimeout(() => resolve(undefined), patienceMs)
  wire.onMessage((message) => {
    if (statusOf(message) < 200 || !headers(message, 'CSeq')[0]?.endsWith(` ${method}`)) return
    clearTimeout(timer)
    resolve(message)
  })
  return promise
}

async function open(via: SipVia): Promise<Wire> {
  if (via.transport === 'udp') {
    const socket = createSocket('udp4')
    socket.bind(0, via.from)
    await once(socket, 'listening')
    return {
      local: `${via.from}:${socket.address().port}`,
      send: (message) => socket.send(message, via.port, via.host),
      onMessage: (listener) => socket.on('message', (message) => listener(message.toString())),
      close: () => socket.close(),
    }
  }
  const to = { host: via.host, port: via.port, localAddress: via.from }
  // The test's own certificate: what counts is that SIP over TLS goes through.
  const socket = via.transport === 'tls' ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to)
  await once(socket, via.transport === 'tls' ? 'secureConnect' : 'connect')
  socket.on('error', () => socket.destroy())
  return {
    local: `${via.from}:${socket.localPort}`,
    send: (message) => socket.write(message),
    onMessage: (listener) => eachMessage(socket, listener),
    close: () => socket.destroy(),
  }
}

/** No message of these tests has a body, so the empty line ends it. */
function eachMessage(socket: Socket, listener: (message: string) => void): void {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      listener(text.slice(0, end))
      text = text.slice(end + 4)
    }
  })
}
