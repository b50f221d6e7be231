import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../programs/free-port.ts'
import { type Child, startChild, untilReady } from '../programs/leash.ts'
import type { Program } from '../programs/program.ts'
import type { CallLedger } from './call-ledger.ts'

const scenarios = join(import.meta.dirname, 'sipp')

/** What every SIPp of one lab shares. */
export interface SippLab {
  readonly sipp: Program
  readonly runDir: string
  readonly ledger: CallLedger
}

/** A SIP server of the lab: SIPp or Asterisk. */
export interface MediaServer {
  readonly name: string
  readonly address: string
  readonly port: number
  /** As in dispatcher.list. */
  readonly uri: string
  readonly alive: () => boolean
  /** SIGTERM; its calls are over. */
  readonly stop: () => Promise<void>
  /** SIGKILL, as EC2 ends a machine. Answered calls that it still had count as cut. */
  readonly kill: () => Promise<void>
}

export interface MediaServerSpec {
  readonly name: string
  /** 127.0.2.x or ::1. */
  readonly address: string
  /** `answer` (default), or `refuse`: 503 to every INVITE after ringing for `ringMs`. */
  readonly behaviour?: 'answer' | 'refuse'
  readonly ringMs?: number
  /** Default: a free one. A replacement of a machine takes the port that is listed. */
  readonly port?: number
}

export interface CallerSpec {
  readonly name: string
  /** 127.0.3.x; a media server's own address when it is the caller. */
  readonly address: string
  /** Where the INVITEs are sent. */
  readonly via: { readonly name?: string; readonly address: string; readonly sipPort: number }
  /** User of the R-URI: `long…` goes to set 2. */
  readonly called: string
  /**
   * Host of the R-URI, host:port; default: the edge itself. A media server that dials out names the phone
   * here.
   */
  readonly calledHost?: string
  readonly callsPerSecond: number
  /** From the answer to the BYE. */
  readonly callMs: number
  /** Ends by itself after that many calls; default: goes on until finish(). */
  readonly maxCalls?: number
  /** The media server that places these calls: they count as its own in the ledger. */
  readonly placedBy?: string
}

/** A SIPp that places calls. */
export interface Caller {
  readonly name: string
  readonly alive: () => boolean
  /** No new calls from now on (SIGUSR1); those it has go on to their BYE. */
  readonly stopPlacing: () => void
  /**
   * stopPlacing() and wait until the last call is over; after `timeoutMs` the rest is killed, which counts as
   * cut.
   */
  readonly finish: (timeoutMs: number) => Promise<void>
  /** SIGKILL: answered calls count as cut. */
  readonly kill: () => Promise<void>
  /** Resolves when it has placed and ended its `maxCalls`, or is gone. */
  readonly done: Promise<void>
}

/** Starts a SIPp media server on a free port of its own address and waits until it answers OPTIONS. */
export async function startMediaServer(lab: SippLab, spec: MediaServerSpec): Promise<MediaServer> {
  const port = spec.port ?? (await freePort(spec.address))
  const events = join(lab.runDir, `${spec.name}.events`)
  const scenario = spec.behaviour === 'refuse' ? 'uas-refuse.xml' : 'uas.xml'
  const child = await startSipp(
    lab,
    spec,
    port,
    ['-sf', join(scenarios, scenario), '-d', `${spec.ringMs ?? 0}`],
    events,
  )
  const closed = lab.ledger.follow({ name: spec.name, side: 'server', file: events })
  void child.exited.then(closed)
  await untilReady(child, () => answersOptions(spec.address, port))
  return {
    name: spec.name,
    address: spec.address,
    port,
    uri: `sip:${bracketed(spec.address)}:${port}`,
    alive: child.alive,
    stop: () => child.stop(),
    kill: () => child.kill(),
  }
}

/** Starts a SIPp that places calls at a steady rate, each with a re-INVITE in three of ten cases. */
export async function startCaller(lab: SippLab, spec: CallerSpec): Promise<Caller> {
  const events = join(lab.runDir, `${spec.name}.events`)
  const port = await freePort(spec.address)
  const via = `${bracketed(spec.via.address)}:${spec.via.sipPort}`
  const keys = { called: spec.called, called_host: spec.calledHost ?? via, called_by: spec.name }
  const args = [
    via,
    ...['-sf', join(scenarios, 'uac.xml')],
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
    // Two pauses make the call.
    ...['-d', `${Math.round(spec.callMs / 2)}`],
    ...['-r', `${Math.round(spec.callsPerSecond * 100)}`, '-rp', '100000', '-l', '5000'],
    ...['-cid_str', `%u-%p-${spec.name}@%s`],
    ...(spec.maxCalls === undefined ? [] : ['-m', `${spec.maxCalls}`]),
  ]
  const child = await startSipp(lab, spec, port, args, events)
  const closed = [events, errorsOf(lab, spec)].map((file) =>
    lab.ledger.follow({
      name: spec.placedBy ?? spec.name,
      side: 'caller',
      file,
      ...(spec.via.name === undefined ? {} : { edge: spec.via.name }),
    }),
  )
  const done = child.exited.then(() => {
    for (const each of closed) each()
  })
  return {
    name: spec.name,
    alive: child.alive,
    stopPlacing: () => child.signal('SIGUSR1'),
    finish: async (timeoutMs) => {
      child.signal('SIGUSR1')
      const timer = setTimeout(() => void child.kill(), timeoutMs)
      await done
      clearTimeout(timer)
    },
    kill: () => child.kill(),
    done,
  }
}

function startSipp(
  lab: SippLab,
  spec: { name: string; address: string },
  port: number,
  args: readonly string[],
  events: string,
): Promise<Child> {
  const { address } = spec
  return startChild({
    name: spec.name,
    runDir: lab.runDir,
    argv: [
      ...lab.sipp.argv,
      ...args,
      ...['-i', address, '-p', `${port}`, '-mi', address, '-nostdin'],
      // SIPp's control socket knows no IPv6.
      ...['-ci', address.includes(':') ? '127.0.0.1' : address],
      ...['-trace_logs', '-log_file', events, '-trace_err', '-error_file', errorsOf(lab, spec)],
    ],
  })
}

function errorsOf(lab: SippLab, { name }: { name: string }): string {
  return join(lab.runDir, `${name}.errors`)
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Sends OPTIONS and waits up to 300 ms for a 200. */
export async function answersOptions(address: string, port: number): Promise<boolean> {
  const family = address.includes(':') ? 'udp6' : 'udp4'
  const socket = createSocket(family)
  try {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    socket.once('error', reject)
    socket.once('message', (message) => resolve(message.toString().startsWith('SIP/2.0 200')))
    socket.bind(0, family === 'udp6' ? '::1' : '127.0.0.1', () => {
      const me = `${bracketed(socket.address().address)}:${socket.address().port}`
      const id = `${Date.now()}-${Math.random()}`
      const lines = [
        `OPTIONS sip:${bracketed(address)}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${me};branch=z9hG4bK-${id};rport`,
        `From: <sip:lab@${me}>;tag=${id}`,
        `To: <sip:${bracketed(address)}:${port}>`,
        `Call-ID: ${id}`,
        'CSeq: 1 OPTIONS',
        `Contact: <sip:lab@${me}>`,
        'Max-Forwards: 70',
        'Content-Length: 0',
      ]
      socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, address)
    })
    return await Promise.race([promise, sleep(300, false)])
  } finally {
    socket.close()
  }
}
