import fc from 'fast-check'
import { expect, it } from 'vitest'
import { drainId } from '../../functions/control/drain.ts'
import { looking } from '../../functions/control/phases.ts'
import { anyClaimed, anyLooks, type Looked, rules, shownBefore, walked } from './advance-walk.ts'
import { endCalls } from './drain-samples.ts'

/**
 * What each look is judged by;
 * @returns whether it was one that the rule speaks of, so that a rule which none meets is noticed.
 */
function always(rule: (look: Looked, earlier: readonly Looked[]) => boolean): void {
  let met = 0
  const property = fc.property(anyClaimed, anyLooks, (drain, looks) => {
    const done = walked(drain, looks)
    met += done.filter((look, index) => rule(look, done.slice(0, index))).length
  })
  fc.assert(property, { numRuns: 2_000 })
  expect(met).toBeGreaterThan(20)
}

const over = ['drained', 'absent', 'gone'] as const
const verdictOf = ({ seen }: Looked) => (seen.kind === 'readings' ? seen.judgement.verdict : seen.kind)
const eventsOf = ({ drain }: Looked, name: string) => drain.events.filter((event) => event.name === name)

it('CONTINUE and TERMINATE are for calls that are over, and for what EC2 shows gone', () => {
  always((look) => {
    const { drain, seen } = look
    const { phase } = drain
    if (phase.name !== 'completing' || phase.because === 'terminated-at-deadline') return false
    if (phase.completion === 'ABANDON') return false
    const isGone = seen.kind === 'hold-lifted' && seen.machineGone
    expect(isGone ? ['gone'] : over).toContain(isGone ? phase.because : verdictOf(look))
    expect(phase.because).toBe(isGone ? 'gone' : verdictOf(look))
    return true
  })
})

it('past the deadline CONTINUE is for a policy that terminates all that is left, and published as such', () => {
  always((look) => {
    const { before, drain, seen, at } = look
    const { phase } = drain
    if (phase.name !== 'completing' || phase.because !== 'terminated-at-deadline') return false
    expect(phase.completion).toBe('CONTINUE')
    expect(['overdue', 'unseen']).toContain(verdictOf(look))
    const { callsLeft, unknown } =
      seen.kind === 'readings' ? seen.judgement : { callsLeft: 0, unknown: ['?'] }
    const from = looking(before)
    const isOutOfTime = from.name === 'ending-calls' && at - from.since >= endCalls.withinSeconds * 1000
    const policy = drain.action?.policy
    expect(unknown.length === 0 || policy?.unknown === 'terminate').toBe(true)
    expect(callsLeft === 0 || policy?.callsLeft === (isOutOfTime ? 'end-calls' : 'terminate')).toBe(true)
    const published = { policy: 'terminate', callsLeft, because: expect.any(String) }
    expect(eventsOf(look, 'drainOverdue')).toMatchObject([{ detail: published }])
    return true
  })
})

it('ABANDON is only for a policy that retains, past the deadline, and published as such', () => {
  always((look) => {
    const { phase, action } = look.drain
    if (phase.name !== 'completing' || phase.completion !== 'ABANDON') return false
    expect(phase.because).toBe('retained')
    expect(['overdue', 'unseen']).toContain(verdictOf(look))
    expect(Object.values(action?.policy ?? {})).toContain('retain')
    expect(eventsOf(look, 'drainOverdue')).toMatchObject([{ detail: { policy: 'retain' } }])
    return true
  })
})

it('what is retained is terminated, and nothing else is', () => {
  always(({ drain, before }) => {
    if (drain.phase.name !== 'completing') return false
    const isRetained = looking(before).name === 'retained'
    expect(drain.phase.completion === 'TERMINATE').toBe(isRetained)
    expect(drain.phase.from.name === 'retained').toBe(isRetained)
    return isRetained
  })
})

it('only a drain without an action is held, and only while it is empty as far as anybody knows', () => {
  always((look) => {
    const { drain, before, seen } = look
    if (drain.phase.name !== 'held') return false
    expect(drain.action).toBeUndefined()
    expect(seen.kind === 'readings' && seen.judgement.callsLeft === 0).toBe(true)
    expect(before.phase.name === 'held' || ['drained', 'absent'].includes(verdictOf(look))).toBe(true)
    return true
  })
})

it('a drain ends with its hold or its action, or when an operator’s is gone; that is its last event', () => {
  always((look) => {
    const { drain } = look
    expect(eventsOf(look, 'drainEnded')).toHaveLength(drain.phase.name === 'ended' ? 1 : 0)
    if (drain.phase.name !== 'ended') return false
    expect(drain.action ? ['hold-lifted', 'action-over'] : ['hold-lifted', 'gone']).toContain(verdictOf(look))
    expect(drain.events.at(-1)?.name).toBe('drainEnded')
    return true
  })
})

it('its begin is published once, with its first look', () => {
  always((look, earlier) => {
    const isFirst = earlier.length === 0
    expect(eventsOf(look, 'drainStarted')).toHaveLength(isFirst ? 1 : 0)
    return isFirst
  })
})

it('progress is published only where something shows that the last one did not', () => {
  const shows = ({ seen, drain }: Looked) => {
    if (seen.kind !== 'readings') return undefined
    const { verdict, callsLeft, unknown } = seen.judgement
    const isConfirmed = 'memory' in drain.phase && drain.phase.memory.confirmedAt !== undefined
    return JSON.stringify([verdict, callsLeft, unknown, seen.lacks, isConfirmed || seen.results])
  }
  always((look, earlier) => {
    const published = eventsOf(look, 'drainProgress')
    expect(published.length).toBeLessThanOrEqual(look.seen.kind === 'readings' ? 1 : 0)
    const last = earlier.findLast((one) => eventsOf(one, 'drainProgress').length > 0)
    // What was concluded anew is published anew.
    const isAnew = shownBefore(look) === undefined
    if (look.seen.kind !== 'readings' || !('memory' in look.drain.phase)) return false
    if (!last || isAnew || !('memory' in last.drain.phase)) return false
    expect(published.length === 1).toBe(shows(look) !== shows(last))
    return published.length === 0
  })
})

it('that it is disabled everywhere is published once, and again only of what was concluded anew', () => {
  always((look) => {
    const published = eventsOf(look, 'drainConfirmed').length
    if (published === 0) return false
    const isAnew = looking(look.before).memory.confirmedAt === undefined || shownBefore(look) === undefined
    expect(look.seen).toMatchObject({ kind: 'readings', calm: true })
    expect([published, isAnew]).toEqual([1, true])
    return true
  })
})

it('that an operator’s is late is published once, and again only of what was concluded anew', () => {
  always((look) => {
    if (look.drain.action || eventsOf(look, 'drainOverdue').length === 0) return false
    expect(looking(look.before).memory.overdue && shownBefore(look) !== undefined).not.toBe(true)
    return true
  })
})

it('each event names its drain, who asked for it, and why', () => {
  always(({ drain }) => {
    const { who, why, source } = drain.hold
    const named = { drainId: drainId(drain), attempt: drain.attempt, source, who, why }
    expect(drain.events).toEqual(
      drain.events.map(() => expect.objectContaining({ detail: expect.objectContaining(named) })),
    )
    return drain.events.length > 0
  })
})

it('calls are ended only by that policy, past the deadline, and never sooner than the shortest wait', () => {
  always((look, earlier) => {
    const { act, drain, seen, at } = look
    if (act?.kind !== 'end-calls') return false
    expect(drain).toMatchObject({
      action: { policy: { callsLeft: 'end-calls' } },
      phase: { name: 'ending-calls', lastStepAt: act.step },
    })
    expect(act.step).toBe(at)
    expect(verdictOf(look)).toBe('overdue')
    // What is unknown would have it retained: it would be in vain.
    const isUnknown = seen.kind === 'readings' && seen.judgement.unknown.length > 0
    expect(isUnknown && drain.action?.policy.unknown === 'retain').toBe(false)
    const before = earlier.findLast((one) => one.act?.kind === 'end-calls')
    expect(at - (before?.at ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(rules.minWaitSeconds * 1000)
    const has = new Map(seen.kind === 'readings' ? seen.onEdges.map(({ edge, calls }) => [edge, calls]) : [])
    expect(Object.entries(act.shares).filter(([edge, share]) => share > (has.get(edge) ?? 0))).toEqual([])
    const shares = Object.values(act.shares).reduce((sum, share) => sum + share, 0)
    expect(shares).toBeGreaterThan(0)
    expect(shares).toBeLessThanOrEqual(endCalls.perStep)
    return true
  })
})

it('that an instance is retained for too long is published once, and not before', () => {
  always((look, earlier) => {
    const published = eventsOf(look, 'retainedTooLong')
    if (published.length === 0) return false
    expect(published).toHaveLength(1)
    const { phase } = look.drain
    expect(phase).toMatchObject({ name: 'retained' })
    const since = phase.name === 'retained' ? phase.since : Number.NaN
    expect(look.at - since).toBeGreaterThanOrEqual(rules.retainedMaxAgeSeconds * 1000)
    expect(earlier.flatMap((one) => eventsOf(one, 'retainedTooLong'))).toEqual([])
    return true
  })
})

it('after a first zero, and only then, a look waits for the fail-over window', () => {
  always((look) => {
    const { seen, wait, drain } = look
    const isOver = drain.phase.name === 'completing' || drain.phase.name === 'ended'
    const isPending = seen.kind === 'readings' && seen.judgement.zeroPending && verdictOf(look) !== 'gone'
    expect(wait === 'confirm').toBe(isPending && !isOver)
    return wait === 'confirm'
  })
})
