import { type Drain, drainId } from './drain.ts'
import { totalCalls } from './edge-facts.ts'
import { believed } from './observation.ts'
import { waitsForCalls } from './phases.ts'
import { isUnknown, type Reading } from './reading.ts'

/** What a restart of one edge's Kamailio would forget or harm; `means` is what that makes of the answer. */
export interface RestartFinding {
  readonly finding:
    | 'unreadable'
    | 'calls-unknown'
    | 'calls-up'
    | 'drains-held-up'
    | 'ending-calls'
    | 'holds-forgotten'
    | 'zeros-forgotten'
    | 'later-drains'
  readonly means: 'no' | 'unknown' | 'note'
  readonly words: string
  /** ids of the drains that it is about */
  readonly drains?: readonly string[]
}

/** One edge that was read just now, and who would be harmed. */
export interface RestartView {
  readonly reading: Reading
  /** entries of its list that are held */
  readonly held: number
  /** that have not ended */
  readonly drains: readonly Drain[]
  /** Auto Scaling groups whose media servers show their own count of calls */
  readonly countThemselves: readonly string[]
  readonly longestCallSeconds: number
}

/** `yes` only where nothing that matters is lost. */
export function restartResult(findings: readonly RestartFinding[]): 'yes' | 'no' | 'unknown' {
  if (findings.some(({ means }) => means === 'no')) return 'no'
  return findings.some(({ means }) => means === 'unknown') ? 'unknown' : 'yes'
}

/**
 * What is up on an edge, or being set up, whoever has it; undefined where it can't tell: an edge without call
 * profiles may track no call as a dialog, and then shows 0.
 */
export function callsUp({ description }: Pick<Reading, 'description'>): number | undefined {
  const calls = Math.max(description.dialogs ?? 0, totalCalls(description) ?? 0)
  const isCounted = description.dialogs !== undefined && description.profiles.includes('dst')
  return calls > 0 || isCounted ? calls : undefined
}

export function restartFindings(view: RestartView): readonly RestartFinding[] {
  return [...ofCalls(view), ...ofDrains(view), ...ofHolds(view)]
}

function ofCalls({ reading }: RestartView): RestartFinding[] {
  const calls = callsUp(reading)
  if (calls === undefined)
    return [
      {
        ...{ finding: 'calls-unknown', means: 'unknown' },
        words: 'how many calls are up is unknown: it has no dialog module, or no call profiles',
      },
    ]
  if (calls === 0) return []
  return [
    reading.restoresDialogs
      ? {
          ...{ finding: 'calls-up', means: 'note' },
          words: `${calls} calls are up or being set up; it restores its dialogs, and counts those that are up again`,
        }
      : {
          ...{ finding: 'calls-up', means: 'no' },
          words: `${calls} calls are up or being set up; it restores no dialogs, so that it forgets them, and nobody counts them there any more`,
        },
  ]
}

function ofDrains({ reading, drains, countThemselves, longestCallSeconds }: RestartView): RestartFinding[] {
  const { edge, restoresDialogs, holds } = reading
  const open = drains.filter(waitsForCalls)
  // The media server's own zero vouches for an edge that may have forgotten calls.
  const isVouchedFor = ({ hold }: Drain) => countThemselves.includes(hold.group ?? '')
  const heldUp = restoresDialogs ? [] : open.filter((drain) => !isVouchedFor(drain))
  const ending = open.filter(
    (drain) => drain.phase.name === 'ending-calls' && !isEmpty(holds[drainId(drain)]),
  )
  const found: readonly [RestartFinding, readonly Drain[]][] = [
    [
      {
        ...{ finding: 'drains-held-up', means: 'no' },
        words: `these drains could not end on its zeros for ${longestCallSeconds} s after it, the longest call's time: it may have forgotten calls`,
      },
      heldUp,
    ],
    [
      {
        ...{ finding: 'ending-calls', means: 'no' },
        words: 'it is ending calls of these drains, whose BYEs may be lost',
      },
      ending,
    ],
    [
      {
        ...{ finding: 'zeros-forgotten', means: 'note' },
        words:
          'the zeros of these drains there begin anew, with another boot, and begun counters at 0 where it keeps them',
      },
      open.filter((drain) => hasZero(drain, edge)),
    ],
  ]
  const later: RestartFinding = {
    ...{ finding: 'later-drains', means: 'note' },
    words: `drains that begin within ${longestCallSeconds} s after it wait for that time or their deadline, unless the server was launched after it or shows its own count`,
  }
  const its = found.flatMap(([finding, of]) => (of.length > 0 ? { ...finding, drains: of.map(drainId) } : []))
  return restoresDialogs ? its : [...its, later]
}

function isEmpty(shown: Reading['holds'][string] | undefined): boolean {
  const count = shown && believed(shown.counted.count)
  return count !== undefined && !isUnknown(count) && count.calls === 0
}

function hasZero({ phase }: Drain, edge: string): boolean {
  return 'memory' in phase && phase.memory.edges[edge]?.zero !== undefined
}

function ofHolds({ held }: RestartView): RestartFinding[] {
  if (held === 0) return []
  return [
    {
      ...{ finding: 'holds-forgotten', means: 'note' },
      words: `${held} held entries get new calls from its start on, until the next settle holds them again, within a minute; the drain guard is forgotten too`,
    },
  ]
}
