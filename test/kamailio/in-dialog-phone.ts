import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** What a phone answers to a keepalive: 200, 481, or nothing. */
export type Memory = 'knows' | 'forgot' | 'silent'

/** One end of one call. */
export interface Leg {
  readonly callId: string
  memory: Memory
  /** Keepalives that came, answered or not. */
  keepalives: number
  /** Whether somebody ended the call with a BYE. */
  byes: number
  /** Ends the call as a phone does. Resolves when the other end has answered the BYE. */
  readonly hangUp: () => Promise<void>
}

interface Dialog extends Leg {
  readonly to: string
  readonly from: string
  readonly target: string
  readonly routes: readonly string[]
}

interface Hop {
  readonly address: string
  readonly port: number
}

/** What a request in a dialog needs of it. */
type Route = Omit<Dialog, Exclude<keyof Leg, 'callId'>>

export async function openPhone(address: string): Promise<Phone> {
  const socket = createSocket('udp4')
  socket.setMaxListeners(0)
  socket.bind(0, address)
  await once(socket, 'listening')
  return new Phone(socket)
}

/** A phone that answers each call at once, and whose memory of each of its calls a test decides. */
export class Phone {
  readonly address: string
  readonly port: number
  readonly uri: string
  private readonly socket: Socket
  private readonly me: string
  private readonly dialogs = new Map<string, Dialog>()
  private count = 0

  /** @param socket bound already */
  constructor(socket: Socket) {
    const { address, port } = socket.address()
    this.address = address
    this.port = port
    this.me = `${address}:${port}`
    this.uri = `sip:${this.me}`
    this.socket = socket
    socket.on('message', (bytes, hop) => this.receive(parse(bytes.toString()), hop))
  }

  /** Every call of this phone so far, oldest first. */
  get legs(): readonly Leg[] {
    return [...this.dialogs.values()]
  }

  /** Places a call; resolves when it is up. */
  async call(via: { address: string; sipPort: number }, callee?: string): Promise<Leg> {
    this.count += 1
    const callId = `call-${this.count}@${this.me}`
    const from = `<sip:phone@${this.me}>;tag=caller-${this.count}`
    const edge = { address: via.address, port: via.sipPort }
    const target = callee ?? `sip:svc@${via.address}:${via.sipPort}`
    const answered = once(this.socket, `INVITE ${callId}`)
    this.request('INVITE', 1, { callId, from, to: `<${target}>`, target, routes: [] }, edge)
    const [reply]: Message[] = await answered
    if (!reply?.first.startsWith('SIP/2.0 200')) throw new Error(`the call got ${reply?.first}`)
    const dialog = this.keep(edge, {
      callId,
      from,
      to: reply.value('To'),
      target: /<(.*)>/.exec(reply.value('Contact'))?.[1] ?? target,
      routes: reply.values('Record-Route').toReversed(),
    })
    this.request('ACK', 1, dialog, edge)
    return dialog
  }

  close(): void {
    this.socket.close()
  }

  private receive(message: Message, hop: Hop): void {
    if (!message.first.startsWith('SIP/2.0 ')) this.answer(message, hop)
    else if (!message.first.startsWith('SIP/2.0 1'))
      this.socket.emit(`${message.method} ${message.callId}`, message)
  }

  private answer(message: Message, hop: Hop): void {
    const dialog = this.dialogs.get(message.callId)
    if (message.method === 'ACK') return
    if (message.method === 'INVITE' && !dialog) {
      const from = `${message.value('To')};tag=callee`
      this.keep(hop, {
        callId: message.callId,
        from,
        to: message.value('From'),
        target: /<(.*)>/.exec(message.value('Contact'))?.[1] ?? '',
        routes: message.values('Record-Route'),
      })
      this.reply(message, hop, '200 OK', from)
      return
    }
    if (message.method === 'BYE' && dialog) dialog.byes++
    const isKeepalive = message.method === 'OPTIONS' && message.value('To').includes('tag=')
    if (isKeepalive && dialog) dialog.keepalives++
    if (isKeepalive && dialog?.memory === 'silent') return
    this.reply(message, hop, isKeepalive && dialog?.memory !== 'knows' ? '481 Call Does Not Exist' : '200 OK')
  }

  private reply(message: Message, hop: Hop, status: string, to = message.value('To')): void {
    const lines = [
      `SIP/2.0 ${status}`,
      ...message.values('Via').map((via) => `Via: ${via}`),
      ...message.values('Record-Route').map((route) => `Record-Route: ${route}`),
      `From: ${message.value('From')}`,
      `To: ${to}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${message.value('CSeq')}`,
      `Contact: <sip:phone@${this.me}>`,
    ]
    this.send(lines, hop)
  }

  private keep(edge: Hop, route: Route): Dialog {
    const hangUp = async () => {
      const answered = once(this.socket, `BYE ${route.callId}`)
      this.request('BYE', 90, route, edge)
      await answered
    }
    const kept = { ...route, memory: 'knows' as Memory, keepalives: 0, byes: 0, hangUp }
    this.dialogs.set(route.callId, kept)
    return kept
  }

  private request(
    method: string,
    cseq: number,
    { target, routes, from, to, callId }: Route,
    edge: Hop,
  ): void {
    this.count += 1
    const lines = [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.me};branch=z9hG4bK-${method}-${this.port}-${this.count}`,
      ...routes.map((route) => `Route: ${route}`),
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:phone@${this.me}>`,
      'Max-Forwards: 70',
    ]
    this.send(lines, edge)
  }

  private send(lines: readonly string[], { address, port }: Hop): void {
    this.socket.send([...lines, 'Content-Length: 0', '', ''].join('\r\n'), port, address)
  }
}

interface Message {
  readonly first: string
  readonly method: string
  readonly callId: string
  readonly value: (name: string) => string
  readonly values: (name: string) => readonly string[]
}

function parse(text: string): Message {
  const [first = '', ...lines] = text.split('\r\n')
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
  const value = (name: string) => values(name)[0] ?? ''
  const method = value('CSeq').split(' ')[1] ?? ''
  return { first, method, callId: value('Call-ID'), value, values }
}
