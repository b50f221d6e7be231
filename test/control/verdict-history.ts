import type { DrainRecord } from '../../functions/control/drain-record.ts'
import { holdKey, type Subject } from '../../functions/control/hold.ts'
import { observation } from '../../functions/control/observation.ts'
import type { CallCount, EdgeReading, HoldReading, Round, Unknown } from '../../functions/control/round.ts'
import { type Judgement, judge, type VerdictRules } from '../../functions/control/verdict.ts'
import { hold, machine } from './samples.ts'

/** Drains as a sequence of rounds, and what is concluded after each. */

/** With the clocks' difference of 2 s a zero counts after 32 s. */
export const rules: VerdictRules = { failoverWindowSeconds: 30, longestCallSeconds: 7_200 }
/** Of a machine that is older than any edge's boot. */
export const drained = hold({
  wholeInstance: true,
  subject: { kind: 'instance', instanceId: machine.instanceId, launchedAt: -1_000_000_000 },
})
export const key = holdKey(drained)
export const deadlineAt = 10_000_000

export type Look = {
  readonly flags?: HoldReading['flags']
  readonly count?: CallCount | Unknown | undefined
  readonly bootTime?: string
  readonly uptimeSeconds?: number
  readonly restoresDialogs?: boolean
  readonly at?: number
  /** when a settle last found it open */
  readonly openAt?: number
  /** counted in an earlier round, that many ms before this one */
  readonly carriedFor?: number
}

export const profile = (calls: number): CallCount => ({ calls, source: 'profile', outbound: true })

/** What an edge shows; left out: disabled, no calls, up for long. `undefined` as count: the hold was not asked about. */
export function reading(edge: string, time: number, look: Look | 'unreachable', took = 0): EdgeReading {
  if (look === 'unreachable') return { edge, readable: false, at: time, reason: 'timeout' }
  const { flags = 'disabled', at = time, bootTime = 'monday', uptimeSeconds = 90_000 } = look
  const count = 'count' in look ? look.count : profile(0)
  const countedAt = at - (look.carriedFor ?? 0)
  const counted = count && {
    count,
    at: countedAt,
    readBy: countedAt + (look.carriedFor === undefined ? took : 0),
  }
  const opened = look.openAt !== undefined && { openAt: look.openAt }
  return {
    edge,
    readable: true,
    at,
    bootTime,
    uptimeSeconds,
    restoresDialogs: look.restoresDialogs ?? false,
    holds: counted === undefined ? {} : { [key]: { flags, counted, ...opened } },
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
    edges: Object.entries(edges).map(([edge, look]) => reading(edge, at, look, took)),
    mediaServers: mediaServer === undefined ? {} : { [key]: mediaServer },
  }
}

type Memory = Pick<DrainRecord, 'edges'>

/** Judges one round after another, each with what was remembered of those before it. */
export function judgements(
  moments: readonly Moment[],
  begun: Memory = { edges: { a: { everListed: true } } },
  by: VerdictRules = rules,
  released: readonly string[] = [],
  subject: Subject = drained.subject,
): Judgement[] {
  let memory = begun
  return moments.map((moment) => {
    const drain = { subject, deadlineAt, ...memory }
    const round = roundOf(moment)
    const seen = observation(drain, key, round, by, released)
    const judgement = judge(drain, seen, moment.lifted ?? false, moment.now ?? round.finishedAt, by)
    memory = { edges: judgement.edges }
    return judgement
  })
}

export function verdicts(...moments: readonly Moment[]): string[] {
  return judgements(moments).map(({ verdict }) => verdict)
}
