import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, claim, type DrainRequest } from '../../functions/control/claim.ts'
import type { Drain } from '../../functions/control/drain.ts'
import { orderOf, type Subject } from '../../functions/control/hold.ts'
import { some } from '../present.ts'
import { machine } from './samples.ts'

function request(time: number, changes: Partial<DrainRequest> = {}): DrainRequest {
  return {
    id: 'operator/sip:10.0.1.20:5060',
    source: 'operator',
    holdId: 'sip:10.0.1.20:5060',
    who: 'alice',
    why: 'disk failing',
    order: orderOf(time),
    requestedAt: time,
    deadlineAt: time + 3_600_000,
    uris: [machine.uri],
    subject: { kind: 'uri', uri: machine.uri },
    addresses: [machine.address],
    wholeInstance: false,
    ...changes,
  }
}

function terminating(time: number, token: string): DrainRequest {
  const { instanceId } = machine
  return request(time, {
    id: `lifecycle/${instanceId}/hook`,
    source: 'lifecycle',
    instanceId,
    lifecycle: {
      group: 'media-servers',
      hook: 'hook',
      token,
      instanceId,
      transition: 'terminating',
      policy: { callsLeft: 'terminate', unknown: 'terminate' },
      heartbeatSeconds: 100,
    },
  })
}

/** The record of a request, some way into its drain. */
function record(from: DrainRequest, changes: Partial<Drain> = {}): Drain {
  return { ...claim(undefined, from).record, state: 'draining', steps: 12, ...changes }
}

const ended: Partial<Drain> = { state: 'ended', result: 'lifted' }

describe('a lifecycle action is told by its token', () => {
  it('the first request is a new record, claimed for its first attempt', () => {
    const first = claim(undefined, terminating(1_000, 'a'))
    expect(first).toMatchObject({
      kind: 'new',
      record: { attempt: 1, version: 1, state: 'claimed', steps: 0 },
    })
  })

  it.each([-5_000, 0, 5_000])('the same token is the same action, its event %d ms later', (later) => {
    for (const changes of [{}, ended, { state: 'retired' } as const]) {
      const existing = record(terminating(10_000, 'a'), changes)
      expect(claim(existing, terminating(10_000 + later, 'a'))).toEqual({
        kind: 'duplicate',
        record: existing,
      })
    }
  })

  it('a newer token is the next attempt, whatever became of the last one', () => {
    for (const changes of [{}, ended, { state: 'retired' } as const]) {
      const existing = record(terminating(1_000, 'a'), { attempt: 3, version: 9, ...changes })
      const next = claim(existing, terminating(2_000, 'b'))
      expect(next).toMatchObject({
        kind: 'new',
        record: { attempt: 4, version: 10, state: 'claimed', edges: {}, steps: 0, lifecycle: { token: 'b' } },
      })
      expect(next.record.result).toBeUndefined()
    }
  })

  it('an older token that comes late is stale', () => {
    const existing = record(terminating(2_000, 'b'))
    expect(claim(existing, terminating(1_000, 'a'))).toEqual({ kind: 'stale', record: existing })
  })
})

describe('an operator’s or alarm’s drain is told by its order', () => {
  it('the same order again is a duplicate, running or ended', () => {
    for (const changes of [{}, ended]) {
      const existing = record(request(1_000), changes)
      expect(claim(existing, request(1_000))).toEqual({ kind: 'duplicate', record: existing })
    }
  })

  it('an older one is stale', () => {
    const existing = record(request(2_000))
    expect(claim(existing, request(1_000)).kind).toBe('stale')
  })

  it('a newer one while it runs renews who, why and deadline, and keeps its attempt and destinations', () => {
    const existing = record(request(1_000), { version: 5, attempt: 2 })
    const newer = request(2_000, { who: 'bob', why: 'still failing' })
    const { order, who, why, requestedAt, deadlineAt } = newer
    expect(claim(existing, newer)).toEqual({
      kind: 'refresh',
      record: { ...existing, order, who, why, requestedAt, deadlineAt, version: 6 },
    })
    expect(claim({ ...existing, state: 'claimed' }, newer).record.state).toBe('claimed')
  })

  it('nothing concluded before a newer one is believed: its hold may have been lifted in between', () => {
    const zero = { at: 900, bootTime: 'b' }
    const existing = record(request(1_000), {
      state: 'drained',
      result: 'drained',
      edges: { a: { everListed: true, zero }, b: { everListed: false, zero } },
      confirmedAt: 950,
      overdueSaid: true,
    })
    const renewed = claim(existing, request(2_000)).record
    expect(renewed.edges).toEqual({ a: { everListed: true }, b: { everListed: false } })
    expect(renewed.state).toBe('draining')
    for (const key of ['result', 'confirmedAt', 'overdueSaid']) expect(renewed).not.toHaveProperty(key)
  })

  it('a newer one of another machine or URI is a new attempt, also while the former one runs', () => {
    const life = (launchedAt: number) => ({ kind: 'instance', instanceId: 'i-1', launchedAt }) as const
    const again = (before: Subject, now: Subject) =>
      claim(record(request(1_000, { subject: before })), request(2_000, { subject: now })).kind
    expect(again(life(1), { kind: 'uri', uri: machine.uri })).toBe('new')
    expect(again(life(1), { ...life(1), instanceId: 'i-2' })).toBe('new')
    expect(again(life(1), life(2))).toBe('new')
    expect(again(life(0), life(2))).toBe('refresh')
  })

  it('a newer one after its end is a new attempt', () => {
    expect(claim(record(request(1_000), ended), request(2_000))).toMatchObject({
      kind: 'new',
      record: { attempt: 2, version: 2, state: 'claimed' },
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
          const { version, order, attempt } = stored ?? { version: 0, order: '', attempt: 0 }
          const isWritten = decision.kind !== 'duplicate' && decision.kind !== 'stale'
          expect(decision.record).toEqual(
            isWritten ? expect.objectContaining({ version: version + 1 }) : stored,
          )
          expect(decision.record.order >= order).toBe(true)
          expect(decision.record.attempt - attempt).toBe(decision.kind === 'new' ? 1 : 0)
          stored = decision.record
          if (end && stored) stored = { ...stored, ...ended, version: stored.version + 1 }
        }
        expect(stored?.order).toBe(orderOf(Math.max(...sent.map((m) => m.time))))
      }),
    )
  })
})
