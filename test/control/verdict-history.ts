import type { DrainRecord } from '../../functions/control/drain-record.ts'
import { holdKey } from '../../functions/control/hold.ts'
import type { CallCount, EdgeReading, Round, Unknown } from '../../functions/control/round.ts'
import { type Judgement, judge, observation, type VerdictRules } from '../../functions/control/verdict.ts'
import { hold, listed, machine } from './samples.ts'

/** Drains as a sequence of rounds, and what is concluded after each. */

export const rules: VerdictRules = { failoverWindowSeconds: 32, longestCallSeconds: 7_200 }
export const drained = hold({ wholeInstance: true })
export const key = holdKey(drained)
export const deadlineAt = 10_000_000
const stranger = listed('sip:10.0.1.2:5060')

export type Look = {
  /** `partly`: open in one group, disabled in the other */
  readonly flags?: 'disabled' | 'open' | 'partly' | 'unlisted'
  readonly count?: CallCount | Unknown | undefined
  readonly bootTime?: string
  readonly uptimeSeconds?: number
  readonly restoresDialogs?: boolean
  readonly at?: number
}

export const profile = (calls: number): CallCount => ({ calls, source: 'profile', outbound: true })

/** What an edge shows; left out: disabled, no calls, up for long. `undefined` as count: the hold was not asked about. */
export function reading(edge: string, time: number, look: Look | 'unreachable'): EdgeReading {
  if (look === 'unreachable') return { edge, readable: false, at: time, reason: 'timeout' }
  const { flags = 'disabled', at = time, bootTime = 'monday', uptimeSeconds = 90_000 } = look
  const count = 'count' in look ? look.count : profile(0)
  const mine = [
    listed(machine.uri, { flags: flags === 'open' ? 'AX' : 'DX' }),
    listed(machine.uri, { group: 2, flags: flags === 'disabled' ? 'DX' : 'AX' }),
  ]
  return {
    edge,
    readable: true,
    at,
    bootTime,
    uptimeSeconds,
    restoresDialogs: look.restoresDialogs ?? false,
    listSize: 3,
    listed: flags === 'unlisted' ? [stranger] : [...mine, stranger],
    calls: count === undefined ? {} : { [key]: count },
  }
}

export interface Moment {
  readonly at: number
  /** how long the round took, in ms */
  readonly took?: number
  readonly edges: Readonly<Record<string, Look | 'unreachable'>>
  readonly mediaServer?: number | Unknown
  /** what EC2 shows as gone */
  readonly gone?: readonly string[]
  readonly lifted?: boolean
  /** when it is judged; left out: when the round is finished */
  readonly now?: number
}

export function roundOf(moment: Moment): Round {
  const { at, took = 0, edges, mediaServer, gone = [] } = moment
  return {
    id: `round-${at}`,
    startedAt: at,
    finishedAt: at + took,
    holds: [key],
    goneInstances: gone,
    edges: Object.entries(edges).map(([edge, look]) => reading(edge, at, look)),
    mediaServers: mediaServer === undefined ? {} : { [key]: mediaServer },
  }
}

type Memory = Pick<DrainRecord, 'edges' | 'absentSince'>

/** Judges one round after another, each with what was remembered of those before it. */
export function judgements(
  moments: readonly Moment[],
  begun: Memory = { edges: { a: { everListed: true } } },
  by: VerdictRules = rules,
  released: readonly string[] = [],
): Judgement[] {
  let memory = begun
  return moments.map((moment) => {
    const { uris, addresses, wholeInstance, subject } = drained
    const drain = { uris, addresses, wholeInstance, subject, deadlineAt, ...memory }
    const round = roundOf(moment)
    const seen = observation(drain, key, round, by, released)
    const judgement = judge(drain, seen, moment.lifted ?? false, moment.now ?? round.finishedAt, by)
    const { edges, absentSince } = judgement
    memory = { edges, ...(absentSince !== undefined && { absentSince }) }
    return judgement
  })
}

export function verdicts(...moments: readonly Moment[]): string[] {
  return judgements(moments).map(({ verdict }) => verdict)
}
