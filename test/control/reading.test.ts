import { describe, expect, it } from 'vitest'
import { type EdgeHead, type MachinesReading, readingsAt } from '../../functions/control/reading.ts'
import { aReading } from './reading-samples.ts'

const now = 10_000_000
const longestCallSeconds = 7_200
const head = (edge: string, changes: Partial<EdgeHead> = {}): EdgeHead => ({
  edge,
  wanted: 1,
  askedAt: now,
  ...changes,
})
const at = (edges: Parameters<typeof readingsAt>[1], machines?: MachinesReading) =>
  readingsAt(now, edges, machines, longestCallSeconds)
/** Answered that long before now. */
const read = (edge: string, ago = 0) => aReading(edge, { askedAt: now - ago - 100, answeredAt: now - ago })

describe('an edge is known by its last reading', () => {
  it('and each edge by its own', () => {
    const [a, b] = [read('a', 1_000), read('b', 90_000)]
    const { edges, removed } = at([
      { head: head('a'), reading: a },
      { head: head('b'), reading: b },
    ])
    expect(edges).toEqual([
      { readable: true, ...a },
      { readable: true, ...b },
    ])
    expect(removed).toEqual([])
  })

  it('for three minutes: one that nobody has read for longer is unknown', () => {
    const of = (ago: number) => at([{ head: head('a'), reading: read('a', ago) }]).edges
    expect(of(180_000)).toMatchObject([{ readable: true }])
    expect(of(180_001)).toEqual([
      { edge: 'a', readable: false, reason: 'nobody has read it since 1970-01-01 02:43:39 UTC' },
    ])
  })

  it('one that was read after the look began is known too', () => {
    expect(at([{ head: head('a'), reading: read('a', -5_000) }]).edges).toMatchObject([{ readable: true }])
  })

  it('one that can not be read is unknown with its reason, whatever its last reading says', () => {
    const unreadable = { since: now - 1, at: now, reason: 'no reply', passes: true }
    for (const reading of [read('a'), read('a', 600_000), undefined])
      expect(at([{ head: head('a', { unreadable }), reading }]).edges).toEqual([
        { edge: 'a', readable: false, reason: 'no reply' },
      ])
  })

  it('one that was never read is unknown', () => {
    expect(at([{ head: head('a', { wanted: -1 }) }]).edges).toEqual([
      { edge: 'a', readable: false, reason: expect.stringContaining('not read yet') },
    ])
  })
})

describe('an edge that was removed', () => {
  const removed = (ago: number) => [{ head: head('a', { removedAt: now - ago }), reading: read('a') }]

  it('is remembered for as long as a call lasts, and no longer', () => {
    expect(at(removed(0)).removed).toEqual([{ edge: 'a', knownAt: now }])
    expect(at(removed(7_200_000 - 1)).removed).toEqual([{ edge: 'a', knownAt: now - 7_200_000 + 1 }])
    expect(at(removed(7_200_000)).removed).toEqual([])
  })

  it('is none of those that are asked, whatever its last reading says', () => {
    expect(at(removed(0)).edges).toEqual([])
    expect(at(removed(7_200_000)).edges).toEqual([])
  })
})

describe('of the machines', () => {
  it('what was read last is known, and when', () => {
    const machines = { askedAt: 5, answeredAt: 6, gone: ['i-1'], calls: { 'operator/a': 3 } }
    expect(at([], machines)).toMatchObject({ at: now, machines })
  })

  it('nothing is known before anybody has asked: none is gone, and no count is younger than a look', () => {
    const { machines } = at([])
    expect(machines).toMatchObject({ gone: [], calls: {} })
    expect(machines.askedAt).toBeLessThan(now)
  })
})
