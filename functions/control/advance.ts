import { concludedAnew } from './claim.ts'
import { type CallsCounted, counting } from './counts.ts'
import { chooseAtDeadline, dealOut, type Left } from './deadline.ts'
import type { ActionDrain, Drain, Draining, EndingCalls, Held, HoldDrain, Retained } from './drain.ts'
import type { EdgeResult } from './edge-result.ts'
import { isOnSomeEdge } from './edge-result.ts'
import { countEndedCalls, type EndedOnEdge } from './ended-calls.ts'
import { endingOf } from './ending.ts'
import type { Hold } from './hold.ts'
import type { Wait } from './pace.ts'
import { completing, ended, looking, resolvedBy, withEvent, withMemory, withoutUs } from './phases.ts'
import type { Judgement } from './verdict.ts'

/** Calls of one drain that an edge has. */
export interface CallsOnEdge {
  readonly edge: string
  readonly calls: number
}

/** What a look has read. */
export interface Found {
  readonly kind: 'readings'
  /** as it is stored now */
  readonly hold: Hold
  readonly judgement: Judgement
  /** edges whose number of calls is known */
  readonly counted: readonly CallsCounted[]
  /** those of them that have some */
  readonly onEdges: readonly CallsOnEdge[]
  readonly endedOn: readonly EndedOnEdge[]
  /** two readings of every edge show all of it disabled */
  readonly calm: boolean
  /** what came of the hold on each edge, and its Kamailio's version */
  readonly results: readonly EdgeResult[]
  readonly kamailio: Readonly<Record<string, string>>
  readonly released: readonly string[]
  readonly lacks: readonly string[]
}

/** What a look found. */
export type Seen =
  | Found
  /** its hold is in place; only for a drain that was claimed */
  | { readonly kind: 'hold-placed' }
  | { readonly kind: 'hold-missing' }
  | { readonly kind: 'hold-lifted'; readonly machineGone: boolean }
  /** Auto Scaling knows no such action any more */
  | { readonly kind: 'action-over'; readonly machineGone: boolean }
  /** past the deadline it could not look at all */
  | { readonly kind: 'unseen'; readonly reason: string }

/** What is to be done once the next drain is saved. */
export type Act =
  | { readonly kind: 'place-hold' }
  | { readonly kind: 'end-calls'; readonly step: number; readonly shares: Readonly<Record<string, number>> }

/** What follows from a look. A drain that is `completing` is to be completed. */
export interface Advance {
  readonly drain: Drain
  readonly act?: Act
  /** how long until the next look */
  readonly wait: Wait
}

export interface AdvanceRules {
  readonly minWaitSeconds: number
  /** after so long it is published that an instance is still retained */
  readonly retainedMaxAgeSeconds: number
  readonly failoverWindowSeconds: number
}

/**
 * What follows for a drain from what a look found: its next phase, its events, and the next wait. What
 * follows from Auto Scaling's answer to a completion is in `phases.ts`.
 */
export function advance(drain: Drain, seen: Seen, now: number, rules: AdvanceRules): Advance {
  switch (seen.kind) {
    case 'hold-placed':
      return { drain: started(drain), wait: 'shortest' }
    case 'hold-missing':
      // What was found before proves nothing of the time without it.
      return { drain: started(concludedAnew(drain)), act: { kind: 'place-hold' }, wait: 'shortest' }
    case 'hold-lifted':
      return {
        // Its address was launched anew, which lifted the hold, before a look could see that the machine is
        // gone: its action is open still.
        drain: drain.action && seen.machineGone ? completing(drain, 'gone') : ended(drain, 'lifted'),
        wait: 'paced',
      }
    case 'action-over':
      return { drain: drain.action ? withoutUs(drain, seen.machineGone, now) : drain, wait: 'paced' }
    case 'unseen':
      // Its first look: that one fails proves nothing of its calls, however late its message came.
      if (drain.phase.name === 'claimed') return { drain: started(drain), wait: 'shortest' }
      // What it concluded at a look before is old.
      return overdue(withMemory(drain, {}), unseen(seen.reason), now, rules)
    case 'readings':
      return follow(remembering(resolvedBy(drain, seen.hold), seen, now, rules), seen, now, rules)
    default:
      return seen satisfies never
  }
}

/** What is left, and where. */
type Remains = Left & Pick<Found, 'onEdges'> & { readonly zeroPending: boolean }

function unseen(reason: string): Remains {
  return { callsLeft: 0, unknown: [reason], unconfirmed: false, zeroPending: false, onEdges: [] }
}

function started(drain: Drain): Drain {
  if (drain.phase.name !== 'claimed') return drain
  return withEvent(withMemory(drain, {}), 'drainStarted', {})
}

/** What was read is remembered, and published where it shows something new. */
function remembering(before: Drain, found: Found, now: number, rules: AdvanceRules): Drain {
  const { judgement, results, released, lacks } = found
  // Somebody opened it: what was concluded of an operator's or alarm's drain is so no more.
  const isUpAgain = before.phase.name === 'held' && judgement.callsLeft > 0
  const counted = countEndedCalls(isUpAgain ? concludedAnew(before) : before, found.endedOn)
  const known = looking(counted).memory
  const isNew = known.confirmedAt === undefined && found.calm
  const isKnown = (known.confirmedAt !== undefined || isNew) && judgement.unknown.length === 0
  const counts = counting(known.counts, found.counted, isKnown ? judgement.callsLeft : undefined)
  const seen = withMemory(counted, { edges: judgement.edges, counts, ...(isNew && { confirmedAt: now }) })
  const isConfirmed = looking(seen).memory.confirmedAt !== undefined
  const confirmed =
    isNew && isOnSomeEdge(results)
      ? withEvent(seen, 'drainConfirmed', { edges: results, kamailio: found.kamailio })
      : seen
  const { verdict, callsLeft, unknown } = judgement
  const shown = { verdict, callsLeft, unknown, released, lacks }
  const progress = digest(JSON.stringify([shown, isConfirmed ? [] : results]))
  if (known.progress === progress) return confirmed
  const ending = verdict === 'draining' ? endingOf(seen, judgement, counts, rules) : undefined
  const judged = { ...shown, ...(ending && { ending }) }
  // Until it is disabled everywhere, what keeps it from being so.
  const more = isConfirmed ? judged : { ...judged, edges: results }
  return withEvent(withMemory(confirmed, { progress }), 'drainProgress', more)
}

/** FNV-1a of 64 bits: a drain's row has no room for what 50 edges showed. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const character of text)
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n)
  return hash.toString(16)
}

function follow(drain: Drain, found: Found, now: number, rules: AdvanceRules): Advance {
  const { judgement, onEdges } = found
  const { verdict, zeroPending, unknown } = judgement
  switch (verdict) {
    case 'drained':
    case 'absent':
      if (drain.action) return { drain: completing(drain, verdict), wait: 'paced' }
      return { drain: held(drain, verdict), wait: 'paced' }
    case 'gone':
      return { drain: drain.action ? completing(drain, 'gone') : ended(drain, 'gone'), wait: 'paced' }
    case 'overdue':
      return overdue(drain, { ...judgement, onEdges }, now, rules)
    case 'draining':
    case 'unknown': {
      const isBusy =
        looking(drain).memory.confirmedAt !== undefined && onEdges.length > 0 && unknown.length === 0
      if (zeroPending) return { drain, wait: 'confirm' }
      return { drain, wait: isBusy ? 'calls-up' : 'paced' }
    }
    default:
      return verdict satisfies never
  }
}

/** It keeps its hold until that is lifted. */
function held(drain: HoldDrain, verdict: Held['verdict']): Drain {
  const phase = looking(drain)
  if (phase.name === 'held') return drain
  return withEvent({ ...drain, phase: { name: 'held', verdict, memory: phase.memory } }, 'drained', {})
}

/** At the deadline calls are left, or unknown: the group's stated policy decides, and it is published. */
function overdue(drain: Drain, left: Remains, now: number, rules: AdvanceRules): Advance {
  if (drain.action) return overdueAction(drain, left, { now, rules })
  const { callsLeft, unknown, zeroPending } = left
  const wait = zeroPending ? 'confirm' : 'paced'
  const phase = looking(drain)
  const isEmpty = phase.name === 'held' && callsLeft === 0
  if (phase.memory.overdue || isEmpty) return { drain, wait }
  return {
    drain: withMemory(withEvent(drain, 'drainOverdue', { callsLeft, unknown }), { overdue: true }),
    wait,
  }
}

interface Now {
  readonly now: number
  readonly rules: AdvanceRules
}

function overdueAction(drain: ActionDrain, left: Remains, at: Now): Advance {
  const phase = looking(drain)
  if (phase.name !== 'retained') return decide(drain, phase, left, at)
  const { now, rules } = at
  const { callsLeft, unknown, zeroPending } = left
  const wait = zeroPending ? 'confirm' : 'paced'
  if (!isRetainedTooLong(phase, now, rules)) return { drain, wait }
  const noted = withEvent(drain, 'retainedTooLong', { ageMs: now - phase.since, callsLeft, unknown })
  return { drain: { ...noted, phase: { ...phase, tooLongPublished: true } } as const, wait }
}

function decide(drain: ActionDrain, phase: Draining | EndingCalls, left: Remains, at: Now): Advance {
  const { now } = at
  const isEnding = phase.name === 'ending-calls'
  if (isEnding && !isOutOfTime(phase, drain, now)) return endCalls(drain, phase, left, at)
  // Calls that could not be ended in time go with the instance; what is unknown still goes by its own rule.
  const { policy } = drain.action
  const { choice, because } = chooseAtDeadline(
    isEnding ? { ...policy, callsLeft: 'terminate' } : policy,
    left,
  )
  const before = isEnding ? `${drain.callsEnded ?? 0} calls were ended and the time for it is over: ` : ''
  const { callsLeft, unknown } = left
  const noted = withEvent(drain, 'drainOverdue', {
    policy: choice,
    because: `${before}${because}`,
    callsLeft,
    unknown,
  })
  switch (choice) {
    case 'end-calls': {
      const begun = { name: 'ending-calls', since: now, memory: phase.memory } as const
      return endCalls(noted, begun, left, at)
    }
    case 'terminate': {
      const how = { completion: 'CONTINUE', because: 'terminated-at-deadline' } as const
      return { drain: { ...noted, phase: { name: 'completing', ...how, from: phase } }, wait: 'paced' }
    }
    case 'retain': {
      const how = { completion: 'ABANDON', because: 'retained' } as const
      return { drain: { ...noted, phase: { name: 'completing', ...how, from: phase } }, wait: 'paced' }
    }
    default:
      return choice satisfies never
  }
}

/**
 * Some calls are ended with BYEs, a few over all edges, by the next settle of each. While something is
 * unknown that would have the instance retained, no call is ended: it would be in vain.
 */
function endCalls(drain: ActionDrain, phase: EndingCalls, left: Remains, { now, rules }: Now): Advance {
  const { policy, endCalls: how } = drain.action
  const wait = left.callsLeft === 0 && left.zeroPending ? 'confirm' : 'shortest'
  const ends = how !== undefined && chooseAtDeadline(policy, left).choice === 'end-calls'
  const { lastStepAt = Number.NEGATIVE_INFINITY } = phase
  const isTooSoon = now - lastStepAt < rules.minWaitSeconds * 1000
  const calls = Object.fromEntries(left.onEdges.map((one) => [one.edge, one.calls]))
  const shares = ends && !isTooSoon ? dealOut(calls, how.perStep, drain.steps) : {}
  if (Object.keys(shares).length === 0) return { drain: { ...drain, phase }, wait }
  return {
    drain: { ...drain, phase: { ...phase, lastStepAt: now } },
    act: { kind: 'end-calls', step: now, shares },
    wait,
  }
}

function isOutOfTime({ since }: EndingCalls, { action }: ActionDrain, now: number): boolean {
  return action.endCalls === undefined || now - since >= action.endCalls.withinSeconds * 1000
}

function isRetainedTooLong(
  { since, tooLongPublished }: Retained,
  now: number,
  { retainedMaxAgeSeconds }: AdvanceRules,
): boolean {
  return !tooLongPublished && now - since >= retainedMaxAgeSeconds * 1000
}

/**
 * Whether there is something to decide, or to publish, of a drain that can't look; before that its look
 * fails, and is tried again.
 */
export function isLate(drain: Drain, now: number, rules: AdvanceRules): boolean {
  const phase = looking(drain)
  if (phase.name === 'retained') return isRetainedTooLong(phase, now, rules)
  if (!drain.action || now < drain.hold.until) return false
  return phase.name !== 'ending-calls' || isOutOfTime(phase, drain, now)
}
