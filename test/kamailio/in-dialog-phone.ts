import { createSocket } from 'node:dgram'
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

/** A phone that answers each call at once, and whose memory of each of its calls a test decides. */
export interface Phone {
  readonly address: string
  readonly port: number
  readonly uri: string
  /** Every call of this phone so far, oldest first. */
  readonly legs: readonly Leg[]
  /** Places a call; resolves when it is up. */
  readonly call: (via: { address: string; sipPort: number }, callee?: string) => Promise<Leg>
  readonly close: () => void
}

export async function openPhone(address: string): Promise<Phone> {
  const socket = createSocket('udp4')
  socket.setMaxListeners(0)
  socket.bind(0, address)
  await once(socket, 'listening')
  const { port } = socket.address()
  const me = `${address}:${port}`
  const dialogs = new Map<string, Dialog>()
  let count = 0
  const send = (lines: readonly string[], host: string, to: number) =>
    socket.send([...lines, 'Content-Length: 0', '', ''].join('\r\n'), to, host)
  const request = (method: string, cseq: number, dialog: Omit<Dialog, keyof Leg> & { callId: string }) => [
    `${method} ${dialog.target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${me};branch=z9hG4bK-${method}-${port}-${++count}`,
    ...dialog.routes.map((route) => `Route: ${route}`),
    `From: ${dialog.from}`,
    `To: ${dialog.to}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:phone@${me}>`,
    'Max-Forwards: 70',
  ]
  const keep = (edge: Hop, dialog: Omit<Dialog, Exclude<keyof Leg, 'callId'>>): Dialog => {
    const hangUp = async () => {
      const answered = once(socket, `BYE ${dialog.callId}`)
      send(request('BYE', 90, dialog), edge.address, edge.port)
      await answered
    }
    const kept = { ...dialog, memory: 'knows' as Memory, keepalives: 0, byes: 0, hangUp }
    dialogs.set(dialog.callId, kept)
    return kept
  }
  socket.on('message', (bytes, hop) => {
    const message = parse(bytes.toString())
    if (message.first.startsWith('SIP/2.0 ')) {
      if (!message.first.startsWith('SIP/2.0 1')) socket.emit(`${message.method} ${message.callId}`, message)
      return
    }
    answer(message, hop, dialogs, { me, send, keep })
  })
  return {
    address,
    port,
    uri: `sip:${me}`,
    get legs() {
      return [...dialogs.values()]
    },
    call: async (via, callee) => {
      const callId = `call-${++count}@${me}`
      const from = `<sip:phone@${me}>;tag=caller-${count}`
      const edge = { address: via.address, port: via.sipPort }
      const target = callee ?? `sip:svc@${via.address}:${via.sipPort}`
      const answered = once(socket, `INVITE ${callId}`)
      send(
        request('INVITE', 1, { callId, from, to: `<${target}>`, target, routes: [] }),
        edge.address,
        edge.port,
      )
      const [reply]: Message[] = await answered
      if (!reply?.first.startsWith('SIP/2.0 200')) throw new Error(`the call got ${reply?.first}`)
      const dialog = keep(edge, {
        callId,
        from,
        to: reply.value('To'),
        target: /<(.*)>/.exec(reply.value('Contact'))?.[1] ?? target,
        routes: reply.values('Record-Route').toReversed(),
      })
      send(request('ACK', 1, dialog), edge.address, edge.port)
      return dialog
    },
    close: () => socket.close(),
  }
}

interface Hop {
  readonly address: string
  readonly port: number
}

function answer(
  message: Message,
  hop: Hop,
  dialogs: ReadonlyMap<string, Dialog>,
  phone: {
    me: string
    send: (lines: readonly string[], host: string, port: number) => void
    keep: (edge: Hop, dialog: Omit<Dialog, Exclude<keyof Leg, 'callId'>>) => Dialog
  },
): void {
  const dialog = dialogs.get(message.callId)
  const reply = (status: string, to = message.value('To')) =>
    phone.send(
      [
        `SIP/2.0 ${status}`,
        ...message.values('Via').map((via) => `Via: ${via}`),
        ...message.values('Record-Route').map((route) => `Record-Route: ${route}`),
        `From: ${message.value('From')}`,
        `To: ${to}`,
        `Call-ID: ${message.callId}`,
        `CSeq: ${message.value('CSeq')}`,
        `Contact: <sip:phone@${phone.me}>`,
      ],
      hop.address,
      hop.port,
    )
  if (message.method === 'ACK') return
  if (message.method === 'INVITE' && !dialog) {
    const from = `${message.value('To')};tag=callee`
    phone.keep(hop, {
      callId: message.callId,
      from,
      to: message.value('From'),
      target: /<(.*)>/.exec(message.value('Contact'))?.[1] ?? '',
      routes: message.values('Record-Route'),
    })
    reply('200 OK', from)
    return
  }
  if (message.method === 'BYE' && dialog) dialog.byes++
  const isKeepalive = message.method === 'OPTIONS' && message.value('To').includes('tag=')
  if (isKeepalive && dialog) dialog.keepalives++
  if (isKeepalive && dialog?.memory === 'silent') return
  reply(isKeepalive && dialog?.memory !== 'knows' ? '481 Call Does Not Exist' : '200 OK')
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
