import { describe, expect, it } from 'vitest'
import { advance, isLate, type Seen } from '../../functions/control/advance.ts'
import type { Drain, Phase } from '../../functions/control/drain.ts'
import { present } from '../present.ts'
import * as samples from './drain-samples.ts'
import { actionDrain, calls, draining, found, holdDrain, now } from './drain-samples.ts'

const rules = { minWaitSeconds: 5, retainedMaxAgeSeconds: 3_600, failoverWindowSeconds: 7 }
const keeps = { callsLeft: 'retain', unknown: 'retain' } as const
const endsCalls = { callsLeft: 'end-calls', unknown: 'retain' } as const
const empty = { completion: 'CONTINUE', because: 'drained' } as const

const drains: Record<string, Drain> = {
  claimed: actionDrain(samples.claimed),
  draining: actionDrain(draining),
  'draining, keeps': actionDrain(draining, keeps),
  'draining, ends calls': actionDrain(draining, endsCalls),
  'ending-calls': actionDrain(samples.endingCalls, endsCalls),
  'ending-calls, just now': actionDrain({ ...samples.endingCalls, lastStepAt: now - 4_999 }, endsCalls),
  'ending-calls, too long': actionDrain({ ...samples.endingCalls, since: now - 600_000 }, endsCalls),
  completing: actionDrain({ name: 'completing', ...empty, from: draining }),
  'completing, keeps': actionDrain({ name: 'completing', ...empty, from: draining }, keeps),
  'completing, retained': actionDrain({
    ...{ name: 'completing', completion: 'TERMINATE', because: 'drained' },
    from: samples.retained,
  }),
  retained: actionDrain(samples.retained, keeps),
  'retained for long': actionDrain({ ...samples.retained, since: now - 3_600_000 }, keeps),
  'retained for long, published': actionDrain(
    { ...samples.retained, since: now - 3_600_000, tooLongPublished: true },
    keeps,
  ),
  "operator's, claimed": holdDrain(samples.claimed),
  "operator's": holdDrain(draining),
  "operator's, late": holdDrain({ ...draining, memory: { ...draining.memory, overdue: true } }),
  "operator's, held": holdDrain(samples.held),
}

const unknown = ['edge a: timeout']
const seens: Record<string, Seen> = {
  'hold placed': { kind: 'hold-placed' },
  'hold missing': { kind: 'hold-missing' },
  'hold lifted': { kind: 'hold-lifted', machineGone: false },
  'hold lifted, gone': { kind: 'hold-lifted', machineGone: true },
  'action over': { kind: 'action-over', machineGone: false },
  'action over, gone': { kind: 'action-over', machineGone: true },
  unseen: { kind: 'unseen', reason: 'EC2 refuses' },
  calls: calls(25),
  'first zero': found({ zeroPending: true }),
  unknown: found({ verdict: 'unknown', unknown }),
  'calls and unknown': { ...calls(25, { verdict: 'unknown', unknown }) },
  drained: found({ verdict: 'drained' }),
  absent: found({ verdict: 'absent' }),
  gone: found({ verdict: 'gone' }),
  'late, calls': calls(25, { verdict: 'overdue' }),
  'late, unknown': found({ verdict: 'overdue', unknown }),
  'late, calls and unknown': calls(25, { verdict: 'overdue', unknown }),
  'late, first zero': found({ verdict: 'overdue', zeroPending: true, unconfirmed: true }),
}

function inShort(phase: Phase): string {
  if (phase.name === 'completing') return `completing ${phase.completion} ${phase.because}`
  if (phase.name === 'held') return `held ${phase.verdict}`
  return phase.name === 'ended' ? `ended ${phase.because}` : phase.name
}

/**
 * The next phase; its events, but for progress, which is published by rules of its own; what is to be done;
 * the wait.
 */
function following(drain: string, seen: string): string {
  const [from, what] = [drains[drain], seens[seen]]
  if (!from || !what) throw new Error(`no sample: ${drain}, ${seen}`)
  const next = advance(from, what, now, rules)
  const events = next.drain.events.map(({ name }) => name).filter((name) => name !== 'drainProgress')
  return [inShort(next.drain.phase), events.join(' '), next.act?.kind ?? '', next.wait].join(' | ')
}

/** drain, what its look finds: phase | events | act | wait */
const table: readonly (readonly [string, string, string])[] = [
  ['claimed', 'hold placed', 'draining | drainStarted |  | shortest'],
  ['claimed', 'hold missing', 'draining | drainStarted | place-hold | shortest'],
  ['claimed', 'unseen', 'draining | drainStarted |  | shortest'],
  ["operator's, claimed", 'hold placed', 'draining | drainStarted |  | shortest'],
  ["operator's, claimed", 'hold missing', 'draining | drainStarted | place-hold | shortest'],

  ['draining', 'hold missing', 'draining |  | place-hold | shortest'],
  ['draining', 'hold lifted', 'ended lifted | drainEnded |  | paced'],
  ['draining', 'hold lifted, gone', 'completing CONTINUE gone |  |  | paced'],
  ['draining', 'action over', 'ended action-over | lifecycleCompleted drainEnded |  | paced'],
  ['draining, keeps', 'action over', 'retained | instanceRetained |  | paced'],
  ['draining, keeps', 'action over, gone', 'ended action-over | lifecycleCompleted drainEnded |  | paced'],
  ['draining', 'calls', 'draining |  |  | calls-up'],
  ['draining', 'first zero', 'draining |  |  | confirm'],
  ['draining', 'unknown', 'draining |  |  | paced'],
  ['draining', 'calls and unknown', 'draining |  |  | paced'],
  ['draining', 'drained', 'completing CONTINUE drained |  |  | paced'],
  ['draining', 'absent', 'completing CONTINUE absent |  |  | paced'],
  ['draining', 'gone', 'completing CONTINUE gone |  |  | paced'],
  ['draining', 'late, calls', 'completing CONTINUE terminated-at-deadline | drainOverdue |  | paced'],
  ['draining', 'unseen', 'completing CONTINUE terminated-at-deadline | drainOverdue |  | paced'],
  ['draining, keeps', 'late, calls', 'completing ABANDON retained | drainOverdue |  | paced'],
  ['draining, keeps', 'unseen', 'completing ABANDON retained | drainOverdue |  | paced'],
  ['draining, ends calls', 'late, calls', 'ending-calls | drainOverdue | end-calls | shortest'],
  ['draining, ends calls', 'late, first zero', 'ending-calls | drainOverdue |  | confirm'],
  ['draining, ends calls', 'late, unknown', 'completing ABANDON retained | drainOverdue |  | paced'],

  ['ending-calls', 'hold missing', 'ending-calls |  | place-hold | shortest'],
  ['ending-calls', 'late, calls', 'ending-calls |  | end-calls | shortest'],
  ['ending-calls, just now', 'late, calls', 'ending-calls |  |  | shortest'],
  ['ending-calls', 'late, calls and unknown', 'ending-calls |  |  | shortest'],
  ['ending-calls', 'late, first zero', 'ending-calls |  |  | confirm'],
  ['ending-calls', 'drained', 'completing CONTINUE drained |  |  | paced'],
  ['ending-calls', 'action over', 'retained | instanceRetained |  | paced'],
  [
    ...(['ending-calls, too long', 'late, calls'] as const),
    'completing CONTINUE terminated-at-deadline | drainOverdue |  | paced',
  ],
  [
    'ending-calls, too long',
    'late, calls and unknown',
    'completing ABANDON retained | drainOverdue |  | paced',
  ],
  ['ending-calls, too long', 'unseen', 'completing ABANDON retained | drainOverdue |  | paced'],

  ['completing', 'hold missing', 'draining |  | place-hold | shortest'],
  ['completing', 'hold lifted', 'ended lifted | drainEnded |  | paced'],
  ['completing', 'calls', 'draining |  |  | calls-up'],
  ['completing', 'unknown', 'draining |  |  | paced'],
  ['completing', 'drained', 'completing CONTINUE drained |  |  | paced'],
  ['completing', 'action over', 'ended drained | lifecycleCompleted drainEnded |  | paced'],
  ['completing, keeps', 'action over', 'retained | instanceRetained |  | paced'],
  ['completing, retained', 'late, calls', 'retained |  |  | paced'],
  ['completing, retained', 'unseen', 'retained |  |  | paced'],

  ['retained', 'hold missing', 'retained |  | place-hold | shortest'],
  ['retained', 'hold lifted', 'ended lifted | drainEnded |  | paced'],
  ['retained', 'late, calls', 'retained |  |  | paced'],
  ['retained', 'late, first zero', 'retained |  |  | confirm'],
  ['retained', 'drained', 'completing TERMINATE drained |  |  | paced'],
  ['retained', 'gone', 'completing TERMINATE gone |  |  | paced'],
  ['retained for long', 'late, calls', 'retained | retainedTooLong |  | paced'],
  ['retained for long', 'unseen', 'retained | retainedTooLong |  | paced'],
  ['retained for long, published', 'late, calls', 'retained |  |  | paced'],

  ["operator's", 'hold missing', 'draining |  | place-hold | shortest'],
  ["operator's", 'hold lifted', 'ended lifted | drainEnded |  | paced'],
  ["operator's", 'calls', 'draining |  |  | calls-up'],
  ["operator's", 'drained', 'held drained | drained |  | paced'],
  ["operator's", 'absent', 'held absent | drained |  | paced'],
  ["operator's", 'gone', 'ended gone | drainEnded |  | paced'],
  ["operator's", 'late, calls', 'draining | drainOverdue |  | paced'],
  ["operator's, late", 'late, calls', 'draining |  |  | paced'],
  ["operator's, held", 'drained', 'held drained |  |  | paced'],
  ["operator's, held", 'unknown', 'held drained |  |  | paced'],
  ["operator's, held", 'calls', 'draining | drainConfirmed |  | calls-up'],
  ["operator's, held", 'hold missing', 'draining |  | place-hold | shortest'],
  ["operator's, held", 'hold lifted', 'ended lifted | drainEnded |  | paced'],
  ["operator's, held", 'gone', 'ended gone | drainEnded |  | paced'],
]

it.each(table)('%s, %s: %s', (drain, seen, follows) => {
  expect(following(drain, seen)).toBe(follows)
})

describe('what was found before a hold was missing says nothing of the time without it', () => {
  it.each(['draining', 'ending-calls', 'completing', 'retained', "operator's, held"])('%s', (name) => {
    const drain = drains[name] ?? holdDrain(samples.claimed)
    const { phase } = advance(drain, { kind: 'hold-missing' }, now, rules).drain
    expect(phase).toMatchObject({ memory: { edges: { a: { everListed: true } } } })
    expect(phase).not.toHaveProperty('memory.edges.a.zero')
    expect(phase).not.toHaveProperty('memory.confirmedAt')
  })
})

describe('that it is disabled everywhere', () => {
  const anew = holdDrain({ name: 'draining', memory: { edges: {} } })
  const look = (more: Parameters<typeof found>[1]) => {
    const { drain, wait } = advance(anew, { ...calls(1), ...more }, now, rules)
    return { names: drain.events.map(({ name }) => name), wait, phase: drain.phase }
  }

  it('is published once, before the progress, and remembered', () => {
    expect(look({})).toMatchObject({
      names: ['drainConfirmed', 'drainProgress'],
      phase: { memory: { confirmedAt: now } },
    })
  })

  it('is not published of what no edge lists', () => {
    expect(look({ results: [{ edge: 'a', outcome: 'unlisted', entries: [] }] }).names).toEqual([
      'drainProgress',
    ])
  })

  it('is not so before two readings of every edge show it: until then no long wait', () => {
    expect(look({ calm: false })).toMatchObject({ names: ['drainProgress'], wait: 'paced' })
  })
})

describe('calls are ended a few at a time', () => {
  it('a step is on record with its time before it is asked for, and deals out no more than it may', () => {
    const seen = calls(25, { verdict: 'overdue' })
    const both = { ...seen, onEdges: [...seen.onEdges, { edge: 'b', calls: 3 }] }
    const next = advance(actionDrain(draining, endsCalls), both, now, rules)
    expect(next.act).toEqual({ kind: 'end-calls', step: now, shares: { a: 7, b: 3 } })
    expect(next.drain.phase).toMatchObject({ name: 'ending-calls', since: now, lastStepAt: now })
  })

  it('what they came to is published, and why an edge ended none; an older step’s reason is not', () => {
    const drain = { ...actionDrain(samples.endingCalls, endsCalls), callsEnded: 4 }
    const step = { edge: 'a', step: samples.until, total: 9, ended: 5 }
    const late = { edge: 'b', step: 1, total: 0, ended: 0, failed: 'refused' }
    const seen = { ...calls(20, { verdict: 'overdue' }), endedOn: [step, late] } as const
    const { drain: next } = advance(drain, seen, now, rules)
    expect(next.callsEnded).toBe(9)
    expect(next.events[0]).toMatchObject({
      name: 'callsEnded',
      detail: { policy: 'end-calls', ended: 5, callsEnded: 9, edges: [{ edge: 'a', ended: 5 }] },
    })
  })
})

describe('what a look read is kept and published', () => {
  it('with what its hold covers by now', () => {
    const { hold } = found()
    const more = { ...hold, uris: [], addresses: ['10.0.1.21'], group: 'media-servers' }
    const { drain } = advance(holdDrain(draining), found({}, { hold: more }), now, rules)
    expect(drain.hold).toMatchObject({ uris: [], addresses: ['10.0.1.21'], group: 'media-servers' })
    expect(drain.events.at(-1)?.detail).toMatchObject({ uris: [], group: 'media-servers' })
  })

  it('with each edge, until all of them show it disabled', () => {
    const anew = holdDrain({ name: 'draining', memory: { edges: {} } })
    const results = [{ edge: 'a', outcome: 'refused', entries: [] } as const]
    const of = (calm: boolean) => advance(anew, found({}, { calm, results }), now, rules).drain.events.at(-1)
    expect(of(false)).toMatchObject({ name: 'drainProgress', detail: { edges: results } })
    expect(of(true)).toMatchObject({ name: 'drainProgress', detail: { verdict: 'draining' } })
    expect(present(of(true), 'progress').detail).not.toHaveProperty('edges')
  })

  it('and where the last of 50 edges shows something else', () => {
    const edges = Array.from({ length: 50 }, (_, at) => `edge-${at}`)
    const lines = edges.map((edge) => `${edge}: it was not read: timeout`)
    const unread = (unknown: readonly string[]) => found({ verdict: 'unknown', unknown })
    const shown = (last: 'applied' | 'unreachable') => {
      const results = edges.map((edge, at) => ({
        ...{ edge, entries: [] },
        outcome: at === 49 ? last : ('applied' as const),
      }))
      return found({}, { calm: false, results })
    }
    const anew = holdDrain({ name: 'draining', memory: { edges: {} } })
    const published = (first: Seen, second: Seen) => {
      const after = advance(anew, first, now, rules).drain
      return advance(after, second, now, rules).drain.events.length - after.events.length
    }
    expect(published(unread(lines), unread(lines))).toBe(0)
    expect(published(unread(lines), unread(lines.slice(0, 49)))).toBe(1)
    expect(published(shown('unreachable'), shown('unreachable'))).toBe(0)
    expect(published(shown('unreachable'), shown('applied'))).toBe(1)
  })

  it('and what is remembered of it stays short', () => {
    const unknown = Array.from({ length: 500 }, (_, edge) => `edge ${edge}: timeout`)
    const { phase } = advance(holdDrain(draining), found({ verdict: 'unknown', unknown }), now, rules).drain
    expect(phase).toMatchObject({ memory: { progress: expect.stringMatching(/^[0-9a-f]{1,16}$/) } })
  })
})

it('a drain that can’t look is decided only where its deadline, or its time, is over', () => {
  const late = (name: string, at: number) => isLate(drains[name] ?? holdDrain(draining), at, rules)
  expect(late('draining', samples.until - 1)).toBe(false)
  expect(late('draining', samples.until)).toBe(true)
  expect(late('ending-calls', now)).toBe(false)
  expect(late('ending-calls', samples.until + samples.endCalls.withinSeconds * 1000)).toBe(true)
  expect(late('retained', samples.until + 3_599_999)).toBe(false)
  expect(late('retained for long', now)).toBe(true)
  expect(late('retained for long, published', now)).toBe(false)
  expect(late("operator's", now)).toBe(false)
})
