import type { Memory } from '../../functions/control/drain.ts'
import { holdKey, type Subject } from '../../functions/control/hold.ts'
import { observation } from '../../functions/control/observation.ts'
import type {
  CallCount,
  EdgeReading,
  HoldReading,
  Readings,
  RemovedEdge,
  Unknown,
} from '../../functions/control/reading.ts'
import { type Judgement, judge, type VerdictRules } from '../../functions/control/verdict.ts'
import { aReading } from './reading-samples.ts'
import { hold, machine } from './samples.ts'

/** Drains as a sequence of looks, and what is concluded after each. */

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
  /** when a settle last found it open */
  readonly openAt?: number
  /** the edge was last counted that many ms before the look began */
  readonly askedBefore?: number
}

export const profile = (calls: number): CallCount => ({ calls, source: 'profile', outbound: true })

/**
 * What an edge shows; left out: disabled, no calls, up for long. `undefined` as count: the reading does not
 * know the hold.
 */
function readingOf(edge: string, at: number, look: Look | 'unreachable', took: number): EdgeReading {
  if (look === 'unreachable') return { edge, readable: false, reason: 'timeout' }
  const { flags = 'disabled', bootTime = 'monday', uptimeSeconds = 90_000, askedBefore } = look
  const count = 'count' in look ? look.count : profile(0)
  const askedAt = at - (askedBefore ?? 0)
  const counted = count && { count, at: askedAt, readBy: askedAt + (askedBefore === undefined ? took : 0) }
  const opened = look.openAt !== undefined && { openAt: look.openAt }
  const shown = aReading(edge, {
    ...{ askedAt, answeredAt: askedAt, boot: bootTime, uptimeSeconds },
    restoresDialogs: look.restoresDialogs ?? false,
    holds: counted === undefined ? {} : { [key]: { flags, counted, ...opened } },
  })
  return { readable: true, ...shown }
}

export interface Moment {
  readonly at: number
  /** how long the edges took to answer, in ms */
  readonly took?: number
  readonly edges: Readonly<Record<string, Look | 'unreachable'>>
  readonly removed?: readonly RemovedEdge[]
  readonly mediaServer?: number | Unknown
  /** the media server was last asked that many ms before the look began */
  readonly serverAskedBefore?: number
  /** what EC2 shows as gone */
  readonly gone?: readonly string[]
  /** when it is judged; left out: when the edges have answered */
  readonly now?: number
}

function readingsOf(moment: Moment): Readings {
  const { at, took = 0, edges, removed = [], mediaServer, serverAskedBefore = 0, gone = [] } = moment
  const askedAt = at - serverAskedBefore
  return {
    at,
    edges: Object.entries(edges).map(([edge, look]) => readingOf(edge, at, look, took)),
    removed,
    machines: {
      ...{ askedAt, answeredAt: askedAt, gone },
      calls: mediaServer === undefined ? {} : { [key]: mediaServer },
    },
  }
}

/** Judges one look after another, each with what was remembered of those before it. */
export function judgements(
  moments: readonly Moment[],
  begun: Pick<Memory, 'edges'> = { edges: { a: { everListed: true } } },
  by: VerdictRules = rules,
  released: readonly string[] = [],
  subject: Subject = drained.subject,
): Judgement[] {
  let memory = begun
  return moments.map((moment) => {
    const drain = { subject, deadlineAt, ...memory }
    const seen = observation(drain, key, readingsOf(moment), { ...by, released })
    const now = moment.now ?? moment.at + (moment.took ?? 0)
    const judgement = judge(drain, seen, now, by)
    memory = { edges: judgement.edges }
    return judgement
  })
}

export function verdicts(...moments: readonly Moment[]): string[] {
  return judgements(moments).map(({ verdict }) => verdict)
}
