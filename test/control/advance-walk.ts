import fc from 'fast-check'
import {
  type Advance,
  type AdvanceRules,
  advance,
  type Found,
  isLate,
  type Seen,
} from '../../functions/control/advance.ts'
import { type DeadlinePolicy, mayRetain } from '../../functions/control/deadline.ts'
import type { CompletingDrain, Drain } from '../../functions/control/drain.ts'
import {
  completed,
  isCompleting,
  looking,
  openAction,
  refused,
  restsOnCalls,
  retained,
  withoutUs,
} from '../../functions/control/phases.ts'
import { actionDrain, claimed, found, holdDrain, until } from './drain-samples.ts'

/** A drain from its claim on: what its looks find one after another, and what Auto Scaling answers. */

export const rules: AdvanceRules = {
  minWaitSeconds: 5,
  retainedMaxAgeSeconds: 600,
  failoverWindowSeconds: 7,
}

export const policies: readonly DeadlinePolicy[] = (['retain', 'end-calls', 'terminate'] as const).flatMap(
  (callsLeft) => (['retain', 'terminate'] as const).map((unknown) => ({ callsLeft, unknown })),
)

export const anyClaimed: fc.Arbitrary<Drain> = fc.constantFrom(
  holdDrain(claimed),
  ...policies.map((policy) => actionDrain(claimed, policy)),
)

const anyLook = fc.record({
  afterMs: fc.constantFrom(0, 1_000, 4_999, 5_000, 32_000, 120_000, 700_000),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('readings' as const) },
    fc.constantFrom('unseen' as const, 'hold-missing' as const),
    fc.constantFrom('hold-lifted' as const, 'action-over' as const),
  ),
  machineGone: fc.boolean(),
  /** what the readings come to, if it may be so */
  over: fc.constantFrom(undefined, undefined, undefined, undefined, 'drained' as const, 'absent' as const),
  gone: fc.nat(19).map((n) => n === 0),
  /** on edges a and b */
  calls: fc.constantFrom<readonly number[]>([0, 0], [0, 0], [3, 0], [1, 30]),
  unknown: fc.constantFrom([], [], ['edge b: timeout']),
  isPending: fc.boolean(),
  calm: fc.boolean(),
  lacks: fc.constantFrom([], [], ['edge b: src']),
  answer: fc.constantFrom('completed', 'over', 'refused'),
})
type Look = typeof anyLook extends fc.Arbitrary<infer One> ? One : never
/** The first time is about the deadline, so that a short walk passes it. */
export const anyLooks = fc.array(anyLook, { minLength: 1, maxLength: 25 })

export interface Looked extends Advance {
  readonly at: number
  readonly before: Drain
  readonly seen: Seen
}

/** @returns each look with what followed; it ends with the drain */
export function walked(begun: Drain, looks: readonly Look[]): Looked[] {
  const done: Looked[] = []
  let drain = begun
  let at = until - 300_000
  for (const look of looks) {
    at += look.afterMs
    if (drain.phase.name === 'ended') break
    // A completion that calls can't make wrong is only tried again.
    if (!isCompleting(drain) || restsOnCalls(drain)) {
      const seen = seenBy(look, drain, at)
      if (!seen) continue
      const next = advance(drain, seen, at, rules)
      done.push({ ...next, at, before: drain, seen })
      drain = { ...next.drain, steps: drain.steps + 1 }
    }
    if (isCompleting(drain)) drain = answered(drain, look, at)
    drain = { ...drain, events: [] }
  }
  return done
}

/** @returns undefined where a look in this phase can't find it */
function seenBy(look: Look, drain: Drain, at: number): Seen | undefined {
  const { kind, machineGone } = look
  switch (kind) {
    case 'readings':
      return drain.phase.name === 'claimed' ? { kind: 'hold-placed' } : readings(look, at)
    case 'unseen':
      return isLate(drain, at, rules) ? { kind, reason: 'EC2 refuses' } : undefined
    case 'hold-missing':
      return { kind }
    default:
      if (drain.phase.name === 'claimed' || (kind === 'action-over' && !openAction(drain))) return undefined
      return { kind, machineGone: machineGone && drain.action !== undefined }
  }
}

function readings({ over, gone, calls, unknown, isPending, calm, lacks }: Look, at: number): Found {
  const known = over === undefined ? calls : []
  const callsLeft = known.reduce((sum, one) => sum + one, 0)
  const why = over === undefined ? unknown : []
  const zeroPending = isPending && callsLeft === 0 && over === undefined && why.length === 0
  const going = why.length > 0 ? 'unknown' : 'draining'
  const verdict = gone ? 'gone' : (over ?? (at >= until ? 'overdue' : going))
  const onEdges = known.flatMap((count, edge) =>
    count === 0 ? [] : [{ edge: edge === 0 ? 'a' : 'b', calls: count }],
  )
  return found(
    { verdict, callsLeft, unknown: why, zeroPending, unconfirmed: zeroPending },
    {
      onEdges,
      calm,
      lacks,
      results: [{ edge: 'a', outcome: calm ? 'applied' : 'unreachable', entries: [] }],
    },
  )
}

function answered(drain: CompletingDrain, { answer, machineGone }: Look, at: number): Drain {
  const { phase, action } = drain
  if (answer === 'refused') return refused(drain, 'throttled')
  if (phase.completion === 'ABANDON') return retained(drain, at)
  if (answer === 'over' && phase.completion === 'CONTINUE' && mayRetain(action.policy))
    return withoutUs(drain, machineGone, at)
  return completed(drain, answer === 'over' ? 'over' : 'completed')
}

/** What it remembers of what its looks have shown. */
export function shownBefore({ before, seen }: Looked): string | undefined {
  const isUp = seen.kind === 'readings' && before.phase.name === 'held' && seen.judgement.callsLeft > 0
  return isUp ? undefined : looking(before).memory.progress
}
