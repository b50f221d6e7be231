import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, claim, type DrainRequest } from '../../functions/control/claim.ts'
import type { ChosenHold, Drain, Memory } from '../../functions/control/drain.ts'
import { type Hold, orderOf, type Subject } from '../../functions/control/hold.ts'
import { withEvent } from '../../functions/control/phases.ts'
import { some } from '../present.ts'
import { anAction, holdDrain } from './drain-samples.ts'
import { hold, machine } from './samples.ts'

const untilEnd = 3_600_000

/** An operator's for one URI. */
function request(time: number, changes: Partial<Hold> = {}): { readonly hold: ChosenHold } {
  const asked = { placedAt: time, until: time + untilEnd, order: orderOf(time) }
  const subject = { kind: 'uri', uri: machine.uri } as const
  return { hold: { ...hold({ subject, ...changes }), source: 'operator', ...asked } }
}

function terminating(time: number, token: string): Extract<DrainRequest, { action: object }> {
  const { instanceId } = machine
  const { hold: asked } = request(time, { id: `${instanceId}/hook` })
  return { hold: { ...asked, source: 'lifecycle' }, action: { ...anAction, token } }
}

/** Some way into the drain of a request. */
function draining(from: DrainRequest, memory: Memory = { edges: {} }): Drain {
  return { ...claim(undefined, from).drain, phase: { name: 'draining', memory }, steps: 12 }
}

function over(drain: Drain): Drain {
  return { ...drain, phase: { name: 'ended', because: 'lifted' } }
}

describe('a lifecycle action is told by its token', () => {
  it('the first request is a new drain, claimed for its first attempt', () => {
    const first = claim(undefined, terminating(1_000, 'a'))
    expect(first).toMatchObject({
      kind: 'new',
      drain: { attempt: 1, version: 1, phase: { name: 'claimed' }, steps: 0, events: [] },
    })
  })

  it.each([-5_000, 0, 5_000])('the same token is the same action, its event %d ms later', (later) => {
    const running = draining(terminating(10_000, 'a'))
    for (const drain of [running, over(running)])
      expect(claim(drain, terminating(10_000 + later, 'a'))).toEqual({ kind: 'duplicate', drain })
  })

  it('a newer token is the next attempt, whatever became of the last one', () => {
    const running = { ...draining(terminating(1_000, 'a')), attempt: 3, version: 9 }
    for (const existing of [running, over(running)])
      expect(claim(existing, terminating(2_000, 'b'))).toMatchObject({
        kind: 'new',
        drain: { attempt: 4, version: 10, phase: { name: 'claimed' }, steps: 0, action: { token: 'b' } },
      })
  })

  it('one that a sweep found has no token: it joins what is under way, and is a next attempt after its end', () => {
    const { action, hold: asked } = terminating(5_000, 'a')
    const { token: _, ...found } = { ...anAction, ...action }
    const running = draining(terminating(1_000, 'a'))
    expect(claim(running, { hold: asked, action: found })).toEqual({ kind: 'duplicate', drain: running })
    expect(claim(over(running), { hold: asked, action: found })).toMatchObject({
      kind: 'new',
      drain: { attempt: 2 },
    })
  })

  it('what the last attempt has not published yet is kept for the next one', () => {
    const existing = withEvent(over(draining(terminating(1_000, 'a'))), 'drainEnded', {})
    expect(existing.events).toHaveLength(1)
    expect(claim(existing, terminating(2_000, 'b')).drain.events).toEqual(existing.events)
  })

  it('an older token that comes late is stale', () => {
    const existing = draining(terminating(2_000, 'b'))
    expect(claim(existing, terminating(1_000, 'a'))).toEqual({ kind: 'stale', drain: existing })
  })
})

describe('an operator’s or alarm’s drain is told by its order', () => {
  it('the same order again is a duplicate, running or ended', () => {
    const running = draining(request(1_000))
    for (const drain of [running, over(running)])
      expect(claim(drain, request(1_000))).toEqual({ kind: 'duplicate', drain })
  })

  it('an older one is stale', () => {
    const existing = draining(request(2_000))
    expect(claim(existing, request(1_000)).kind).toBe('stale')
  })

  it('a newer one while it runs renews who, why, force, deadline and end, and keeps its destinations, by its next attempt', () => {
    const before = request(1_000)
    const hold = { ...before.hold, force: 'it burns', endsAt: 9_000 }
    const existing = { ...draining({ hold }), version: 5, attempt: 2 }
    const newer = request(2_000, { who: 'bob', why: 'still failing', uris: [], addresses: [] })
    const { order, who, why, placedAt, until } = newer.hold
    const kept = { ...before.hold, order, who, why, placedAt, until }
    expect(claim(existing, newer)).toEqual({
      kind: 'refresh',
      drain: { ...existing, hold: kept, version: 6, attempt: 3, steps: 0 },
    })
    const again = request(3_000, { force: 'it burns still', endsAt: 10_000 })
    expect(claim(existing, again).drain.hold).toMatchObject({ force: 'it burns still', endsAt: 10_000 })
    const claimed = claim(undefined, request(1_000)).drain
    expect(claim(claimed, newer).drain.phase).toEqual({ name: 'claimed' })
  })

  it('nothing concluded before a newer one is believed: its hold may have been lifted in between', () => {
    const zero = { at: 900, bootTime: 'b' }
    const edges = { a: { everListed: true, zero }, b: { everListed: false, zero } }
    const memory = { edges, confirmedAt: 950, overdue: true, progress: '[]' } as const
    const { hold: asked } = request(1_000)
    const held: Drain = { ...holdDrain({ name: 'held', verdict: 'drained', memory }), hold: asked }
    for (const existing of [held, draining(request(1_000), memory)])
      expect(claim(existing, request(2_000)).drain.phase).toEqual({
        name: 'draining',
        memory: { edges: { a: { everListed: true }, b: { everListed: false } } },
      })
  })

  it('a newer one of another machine or URI is a new attempt, also while the former one runs', () => {
    const life = (launchedAt: number) => ({ kind: 'instance', instanceId: 'i-1', launchedAt }) as const
    const again = (before: Subject, now: Subject) =>
      claim(draining(request(1_000, { subject: before })), request(2_000, { subject: now })).kind
    expect(again(life(1), { kind: 'uri', uri: machine.uri })).toBe('new')
    expect(again(life(1), { ...life(1), instanceId: 'i-2' })).toBe('new')
    expect(again(life(1), life(2))).toBe('new')
    expect(again(life(0), life(2))).toBe('refresh')
  })

  it('a newer one after its end is a new attempt', () => {
    expect(claim(over(draining(request(1_000))), request(2_000))).toMatchObject({
      kind: 'new',
      drain: { attempt: 2, version: 2, phase: { name: 'claimed' } },
    })
  })
})

describe('whatever comes, in whatever order, however often', () => {
  const messages = fc.array(fc.record({ time: fc.integer({ min: 1, max: 6 }), end: fc.boolean() }), {
    minLength: 1,
    maxLength: 20,
  })
  const make = fc.constantFrom(
    (time: number) => request(time),
    (time: number) => terminating(time, `token-${time}`),
  )

  it('the version rises by one with each write, and the order and attempt never fall', () => {
    fc.assert(
      fc.property(messages, make, (sent, from) => {
        let stored: Drain | undefined
        for (const { time, end } of some(sent)) {
          const decision: Claim = claim(stored, from(time))
          const {
            version,
            hold: { order },
            attempt,
          } = stored ?? { version: 0, hold: { order: '' }, attempt: 0 }
          const isWritten = decision.kind !== 'duplicate' && decision.kind !== 'stale'
          expect(decision.drain).toEqual(
            isWritten ? expect.objectContaining({ version: version + 1 }) : stored,
          )
          expect(decision.drain.hold.order >= order).toBe(true)
          expect(decision.drain.attempt - attempt).toBe(decision.kind === 'new' ? 1 : 0)
          stored = decision.drain
          if (end) stored = { ...over(stored), version: stored.version + 1 }
        }
        expect(stored?.hold.order).toBe(orderOf(Math.max(...sent.map((m) => m.time))))
      }),
    )
  })
})
