import { describe, expect, test } from 'vitest'
import { carriedCount, holdsToCount } from '../../functions/control/counting.ts'
import { holdKey } from '../../functions/control/hold.ts'
import type { EdgeReading, HoldReading, Round } from '../../functions/control/round.ts'
import { hold } from './samples.ts'

const s = 1000
const pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 7 }
const day = 86_400 * s
const old = (id: string) => hold({ id, placedAt: 0 })
const [a, b, c] = [old('a'), old('b'), old('c')]

const counted = (at: number, calls: number): HoldReading => ({
  flags: 'disabled',
  counted: { count: { calls, source: 'profile', outbound: true }, at, readBy: at + 50 },
})
const unknown = (at: number): HoldReading => ({
  flags: 'disabled',
  counted: { count: { unknown: 'timeout' }, at, readBy: at },
})
const edge = (holds: Readonly<Record<string, HoldReading>>, id = 'edge-a'): EdgeReading => ({
  edge: id,
  readable: true,
  at: day,
  bootTime: 'monday',
  uptimeSeconds: 90_000,
  restoresDialogs: false,
  holds: Object.fromEntries(Object.entries(holds).map(([name, shown]) => [`operator/${name}`, shown])),
})
const away: EdgeReading = { edge: 'edge-b', readable: false, at: day, reason: 'timeout' }
const round = (...edges: EdgeReading[]): Round => ({
  id: 'r',
  startedAt: day,
  finishedAt: day,
  holds: [a, b, c].map(holdKey),
  goneInstances: [],
  edges,
  mediaServers: {},
})
const due = (before: Round | undefined, now = day) =>
  holdsToCount(before, [a, b, c], now, pace).map(({ id }) => id)

describe('a round counts', () => {
  test('everyone when there was none before, and whom the one before did not come to', () => {
    expect(due(undefined)).toEqual(['a', 'b', 'c'])
    expect(due(round(edge({ a: counted(day, 1), c: counted(day, 1) })))).toEqual(['b'])
  })

  test('the longest not counted first', () => {
    const before = round(
      edge({ a: counted(day - 61 * s, 1), b: counted(day - 300 * s, 1), c: counted(day - 90 * s, 1) }),
    )
    expect(due(before)).toEqual(['b', 'c', 'a'])
  })

  test('at twice the pace at which a drain of that age looks', () => {
    const before = round(edge({ a: counted(day, 1), b: counted(day, 1), c: counted(day, 1) }))
    expect(due(before, day + 59 * s)).toEqual([])
    expect(due(before, day + 60 * s)).toEqual(['a', 'b', 'c'])
    const young = hold({ id: 'a', placedAt: day - 60 * s })
    expect(holdsToCount(before, [young], day + 3 * s, pace)).toEqual([young])
  })

  test('what is unknown, or silent on every edge, each time', () => {
    const before = round(
      edge({ a: unknown(day), b: counted(day, 0), c: counted(day, 0) }),
      edge({ a: counted(day, 1), b: counted(day, 0), c: counted(day, 2) }, 'edge-b'),
    )
    expect(due(before)).toEqual(['a', 'b'])
  })

  test('a hold past its deadline each time: what is counted may end its calls', () => {
    const before = round(edge({ a: counted(day, 1), b: counted(day, 1), c: counted(day, 1) }))
    const overdue = [hold({ id: 'a', placedAt: 0, until: day + 5 * s }), b]
    expect(holdsToCount(before, overdue, day + 5 * s, pace).map(({ id }) => id)).toEqual(['a'])
    expect(holdsToCount(before, overdue, day + 4 * s, pace)).toEqual([])
  })

  test('each in its turn, also where an edge shows some open for ever', () => {
    let before = round(edge({ a: { ...counted(day, 1), flags: 'open' } }))
    const asked: string[] = []
    for (let at = day; asked.length < 9; at += 5 * s) {
      const [next] = holdsToCount(before, [a, b, c], at, pace)
      const shown = [a, b, c].map((held) => {
        const known = held === next ? counted(at, 0).counted : carriedCount(before.edges[0], 'monday', held)
        const flags = held === a ? ('open' as const) : ('disabled' as const)
        return [held.id, { flags, ...(known && { counted: known }) }] as const
      })
      before = round(edge(Object.fromEntries(shown)))
      asked.push(next?.id ?? '')
    }
    expect(asked).toEqual(['b', 'c', 'a', 'b', 'c', 'a', 'b', 'c', 'a'])
  })

  test('nobody more often because an edge is away', () => {
    expect(due(round(edge({ a: counted(day, 0), b: counted(day, 0), c: counted(day, 2) }), away))).toEqual([])
  })
})

describe('what an edge counted before stands', () => {
  const before = edge({ a: counted(50 * s, 3) })

  test('for the same hold on the same edge, with the time at which it was counted', () => {
    expect(carriedCount(before, 'monday', a)).toMatchObject({ count: { calls: 3 }, at: 50 * s })
  })

  test('not of an edge that could not be read, nor of one that is new', () => {
    expect(carriedCount(away, 'monday', a)).toBe(undefined)
    expect(carriedCount(undefined, 'monday', a)).toBe(undefined)
  })

  test('not since a restart, nor when it showed the hold open, as calls may have come since: it is unknown, and when it was asked stays', () => {
    const stale = { count: { unknown: expect.any(String) }, at: 50 * s }
    expect(carriedCount(before, 'tuesday', a)).toMatchObject(stale)
    const open = edge({ a: { ...counted(50 * s, 0), flags: 'open' } })
    expect(carriedCount(open, 'monday', a)).toMatchObject(stale)
  })

  test('not when the hold was placed anew since', () => {
    expect(carriedCount(before, 'monday', hold({ id: 'a', placedAt: 51 * s }))).toBe(undefined)
  })
})
