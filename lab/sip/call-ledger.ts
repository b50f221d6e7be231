import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { CallOutcome, CallRecord } from './call-record.ts'
import { followLines } from './new-lines.ts'

/**
 * What one end of a call saw. Caller: placed, answered, ended (its BYE was answered), failed (never
 * answered), broken (an answered call in which something went wrong), hungup (a BYE that was not its own).
 * Media server: invite, answered (the ACK came), reinvite, bye, refused.
 */
const eventName = z.enum([
  'placed',
  'answered',
  'ended',
  'failed',
  'broken',
  'hungup',
  'invite',
  'reinvite',
  'bye',
  'refused',
])

export interface CallEvent {
  readonly kind: z.infer<typeof eventName>
  /** Unix time in ms, by the clock of the program that saw it. */
  readonly at: number
  readonly callId: string
  /** The status or reason that came with `failed` and `broken`, else ''. */
  readonly detail: string
  /** The caller or media server that saw it. */
  readonly seenBy: string
  readonly side: 'caller' | 'server'
}

/** How much later than the caller a media server may write down that a call is over. */
const graceMs = 2000

interface Source {
  readonly name: string
  readonly side: 'caller' | 'server'
  readonly edge: string | undefined
  readonly newLines: () => readonly string[]
  /** The program is gone: what it had not finished will never be. */
  gone: boolean
}

interface OpenRecord {
  callId: string
  caller: Source | undefined
  invites: { server: string; at: number }[]
  placedAt?: number
  answeredAt?: number
  endedAt?: number
  byeAtServerAt?: number
  failure?: string
  broken?: string
  hungUpAt?: number
}

export interface CallLedger {
  /**
   * Follows one program's event lines.
   * @returns to be called when the program is gone and will write no more
   */
  readonly follow: (source: {
    name: string
    side: 'caller' | 'server'
    file: string
    edge?: string
  }) => () => void
  /** Reads every file to its end now. Everything below shows what was read last (every 100 ms by itself). */
  readonly sync: () => void
  readonly calls: () => readonly CallRecord[]
  /** Calls that are up at that server, those it placed itself included. */
  readonly live: (server: string) => number
  /** INVITEs that the server itself got at or after `since` (Unix ms). */
  readonly invitesAt: (server: string, since?: number) => readonly { callId: string; at: number }[]
  /**
   * Calls each listener for each event as it is read, in the order of its file.
   * @returns ends the subscription
   */
  readonly subscribe: (listener: (event: CallEvent) => void) => () => void
  /** Resolves to true when no call is ringing or up, to false when `timeoutMs` has passed. */
  readonly awaitQuiet: (timeoutMs: number) => Promise<boolean>
  readonly totals: () => {
    placed: number
    answered: number
    ended: number
    failed: number
    cut: number
    up: number
  }
  /** Stops following. */
  readonly close: () => void
}

/** Collects what all callers and media servers write down about their calls. */
export function openLedger(): CallLedger {
  const sources: Source[] = []
  const records = new Map<string, OpenRecord>()
  const listeners = new Set<(event: CallEvent) => void>()
  const isGone = (name: string) =>
    sources.some((source) => source.side === 'server' && source.name === name && source.gone)

  const take = (source: Source) => {
    for (const line of source.newLines()) {
      const event = parseLine(line, source)
      if (event === undefined) continue
      note(records, source, event)
      for (const listener of listeners) listener(event)
    }
  }
  // Callers first: when a caller has seen its BYE answered, the server's line about that BYE is already
  // written.
  const sync = () => {
    for (const side of ['caller', 'server'] as const)
      for (const source of sources) if (source.side === side) take(source)
  }
  const timer = setInterval(sync, 100)
  timer.unref()
  const calls = () => [...records.values()].map((record) => recordOf(record, isGone))
  return {
    follow: ({ name, side, file, edge }) => {
      const source: Source = { name, side, edge, newLines: followLines(file), gone: false }
      sources.push(source)
      return () => {
        sync()
        source.gone = true
      }
    },
    sync,
    calls,
    live: (server) =>
      calls().filter((call) => call.outcome === 'up' && (call.server === server || call.caller === server))
        .length,
    invitesAt: (server, since = 0) =>
      [...records.values()].flatMap(({ callId, invites }) =>
        invites
          .filter((invite) => invite.server === server && invite.at >= since)
          .map(({ at }) => ({ callId, at })),
      ),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    awaitQuiet: async (timeoutMs) => {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        sync()
        if (!calls().some((call) => call.outcome === 'ringing' || call.outcome === 'up')) return true
        if (Date.now() >= deadline) return false
        await sleep(100)
      }
    },
    totals: () => totalsOf(calls()),
    close: () => clearInterval(timer),
  }
}

function totalsOf(calls: readonly CallRecord[]): ReturnType<CallLedger['totals']> {
  const count = (outcome: CallOutcome) => calls.filter((call) => call.outcome === outcome).length
  return {
    placed: calls.filter((call) => call.placedAt !== undefined).length,
    answered: calls.filter((call) => call.answeredAt !== undefined).length,
    ended: count('ended'),
    failed: count('failed'),
    cut: count('cut'),
    up: count('up'),
  }
}

/** SIPp's [timestamp] is `date<TAB>time<TAB>seconds.microseconds`; only the last is used. */
function parseLine(line: string, source: Source): CallEvent | undefined {
  const [, seconds, name, callId, detail] =
    // What SIPp itself logs of a BYE that its scenario did not wait for; it answers it.
    /(\d+\.\d+): Aborting call on an unexpected (BYE) for call: (\S+)$/.exec(line) ??
    /(\d+\.\d+) (\w+) (\S+)(?: (.*))?$/.exec(line) ??
    []
  const kind = eventName.safeParse(name === 'BYE' ? 'hungup' : name)
  if (!kind.success || callId === undefined) return undefined
  return {
    kind: kind.data,
    at: Math.floor(Number(seconds) * 1000),
    callId,
    detail: detail ?? '',
    seenBy: source.name,
    side: source.side,
  }
}

function note(records: Map<string, OpenRecord>, source: Source, event: CallEvent): void {
  const record = records.get(event.callId) ?? { callId: event.callId, caller: undefined, invites: [] }
  records.set(event.callId, record)
  if (event.side === 'caller') {
    record.caller ??= source
    if (event.kind === 'hungup') record.hungUpAt = event.at
    if (event.kind === 'placed') record.placedAt = event.at
    if (event.kind === 'answered') record.answeredAt = event.at
    if (event.kind === 'ended') record.endedAt = event.at
    if (event.kind === 'failed') record.failure = event.detail
    if (event.kind === 'broken') record.broken = event.detail
  } else {
    if (event.kind === 'invite') record.invites.push({ server: event.seenBy, at: event.at })
    if (event.kind === 'bye') record.byeAtServerAt = event.at
  }
}

function recordOf(record: OpenRecord, isGone: (name: string) => boolean): CallRecord {
  const server = record.invites.at(-1)?.server
  const { outcome, why } = outcomeOf(record, server, isGone)
  return {
    callId: record.callId,
    caller: record.caller?.name ?? 'unknown',
    edge: record.caller?.edge,
    invites: record.invites,
    server,
    placedAt: record.placedAt,
    answeredAt: record.answeredAt,
    endedAt: record.endedAt,
    byeAtServerAt: record.byeAtServerAt,
    hungUpAt: record.hungUpAt,
    outcome,
    why,
  }
}

function outcomeOf(
  record: OpenRecord,
  server: string | undefined,
  isGone: (name: string) => boolean,
): { outcome: CallOutcome; why?: string } {
  const callerGone = record.caller?.gone === true
  if (record.failure !== undefined) return { outcome: 'failed', why: record.failure }
  if (record.answeredAt === undefined)
    return callerGone ? { outcome: 'failed', why: 'the caller went away' } : { outcome: 'ringing' }
  if (record.broken !== undefined) return { outcome: 'cut', why: record.broken }
  if (record.endedAt !== undefined) {
    if (record.byeAtServerAt !== undefined) return { outcome: 'ended' }
    // Asterisk answers a BYE before its dialplan writes it down.
    if (Date.now() - record.endedAt < graceMs && !(server !== undefined && isGone(server)))
      return { outcome: 'up' }
    return { outcome: 'cut', why: 'the media server never saw the BYE' }
  }
  if (record.hungUpAt !== undefined) {
    const where = record.byeAtServerAt === undefined ? 'the caller alone' : 'both of its ends'
    return { outcome: 'cut', why: `a BYE that was not the caller's own reached ${where}` }
  }
  if (callerGone) return { outcome: 'cut', why: 'it did not end by the BYE of its caller' }
  if (record.byeAtServerAt === undefined && server !== undefined && isGone(server))
    return { outcome: 'cut', why: `${server} went away` }
  return { outcome: 'up' }
}
