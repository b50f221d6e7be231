import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUnknown } from '../../functions/control/reading.ts'
import { present, some } from '../present.ts'
import { judgements, type Look, type Moment, profile, rules } from './verdict-history.ts'

const seconds = 1_000
const edgeNames = ['a', 'b', 'c']

const look: fc.Arbitrary<Look> = fc.record({
  flags: fc.constantFrom('disabled', 'disabled', 'disabled', 'unlisted', 'open'),
  count: fc.oneof(
    { weight: 9, arbitrary: fc.constant(profile(0)) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }).map(profile) },
    { weight: 1, arbitrary: fc.constant({ unknown: 'timeout' }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant({ calls: 0, source: 'load', outbound: false } as const) },
  ),
  bootTime: fc.constantFrom('monday', 'monday', 'monday', 'monday', 'tuesday'),
  uptimeSeconds: fc.constantFrom(90_000, 90_000, 90_000, 60),
  restoresDialogs: fc.boolean(),
})
/** Some histories are quiet ones, else almost none would end. */
const askedBefore = fc.constantFrom({}, {}, {}, {}, { askedBefore: 5 * seconds })
const quiet: fc.Arbitrary<Look> = fc
  .tuple(fc.record({ flags: fc.constantFrom('disabled', 'unlisted') } as const), askedBefore)
  .map(([shown, counted]) => ({ ...shown, ...counted }))
const nowhereLook: fc.Arbitrary<Look> = askedBefore.map((counted) => ({ flags: 'unlisted', ...counted }))
const gap = fc.integer({ min: 1, max: 50 })

function histories(look: fc.Arbitrary<Look>, chance: number): fc.Arbitrary<Moment[]> {
  const edge = fc.oneof(
    { weight: chance, arbitrary: look },
    { weight: 1, arbitrary: fc.constant('unreachable' as const) },
  )
  const moment = fc.record({
    gap,
    took: fc.integer({ min: 0, max: 9 * seconds }),
    looks: fc.array(edge, { minLength: 3, maxLength: 3 }),
    fleet: fc.constantFrom(1, 2, 2, 2, 2, 2, 3),
    mediaServer: fc.constantFrom(undefined, undefined, undefined, 0, 0, 0, 1, { unknown: 'timeout' }),
    serverAskedBefore: fc.constantFrom(0, 0, 0, 0, 1),
  })
  return fc.array(moment, { minLength: 1, maxLength: 8 }).map((moments) => {
    let at = 0
    return moments.map(({ gap, took, looks, fleet, mediaServer, serverAskedBefore }) => {
      at += gap * seconds + took
      const edges = Object.fromEntries(
        looks.slice(0, fleet).map((each, index) => [edgeNames[index] ?? '', each] as const),
      )
      return { at, took, edges, serverAskedBefore, ...(mediaServer !== undefined && { mediaServer }) }
    })
  })
}
const history = fc.oneof(histories(look, 12), histories(quiet, 30), histories(nowhereLook, 30))

// What follows is written from the rules, by looking back over the whole history, with no memory of its own.

function zeroOf(moment: Moment, edge: string): Look | undefined {
  const seen = moment.edges[edge]
  if (seen === undefined || seen === 'unreachable' || seen.flags === 'open') return undefined
  const count = 'count' in seen ? seen.count : profile(0)
  if (count === undefined || isUnknown(count) || count.calls !== 0 || count.source === 'load')
    return undefined
  return seen
}

/** Which edges an operator released: in force over the whole history, also of edges that come back. */
const releases = fc.subarray(edgeNames)

/**
 * What has to say that it is done: every edge ever seen, but for one that is released and not configured now.
 */
function waitedFor(past: readonly Moment[], released: readonly string[]): string[] {
  const now = present(past.at(-1), 'look').edges
  return [...everSeen(past)].filter((edge) => edge in now || !released.includes(edge))
}

/** Counted since the look began. */
function countedNow(moment: Moment, edges: Iterable<string>): boolean {
  return [...edges].every((edge) => zeroOf(moment, edge)?.askedBefore === undefined)
}

function shownBy(moment: Moment, edge: string): number {
  const before = zeroOf(moment, edge)?.askedBefore
  return before === undefined ? moment.at + (moment.took ?? 0) : moment.at - before
}

function everSeen(past: readonly Moment[]): Set<string> {
  return new Set(['a', ...past.flatMap((moment) => Object.keys(moment.edges))])
}

function listedOnce(past: readonly Moment[], edges: Iterable<string>): boolean {
  return [...edges].some((edge) =>
    past.some((moment) => {
      const seen = moment.edges[edge]
      // A reading that does not know the drain says nothing about it.
      const asked =
        seen !== undefined && seen !== 'unreachable' && !('count' in seen && seen.count === undefined)
      return asked && seen.flags !== 'unlisted'
    }),
  )
}

/**
 * Since when an edge shows zeros of one boot without a break; undefined where its latest is none, or proves
 * nothing.
 */
function zeroSince(past: readonly Moment[], edge: string): number | undefined {
  const last = past.at(-1)
  const seen = last && zeroOf(last, edge)
  if (!last || !seen) return undefined
  const remembers = seen.restoresDialogs || (seen.uptimeSeconds ?? 90_000) > rules.longestCallSeconds
  if (!remembers && last.mediaServer !== 0) return undefined
  const unbroken = past.filter((_, index) =>
    past.slice(index).every((moment) => {
      const zero = zeroOf(moment, edge)
      return zero && (zero.bootTime ?? 'monday') === (seen.bootTime ?? 'monday')
    }),
  )
  return Math.min(...unbroken.map((moment) => shownBy(moment, edge)))
}

function mediaServerIsDone(moment: Moment): boolean {
  return moment.mediaServer === undefined || (moment.mediaServer === 0 && moment.serverAskedBefore === 0)
}

function expected(
  past: readonly Moment[],
  begunListed: boolean,
  released: readonly string[],
): 'drained' | 'absent' | 'neither' {
  const last = past.at(-1)
  if (!last || !mediaServerIsDone(last)) return 'neither'
  const edges = waitedFor(past, released)
  const since = edges.map((edge) => zeroSince(past, edge))
  if (edges.length === 0 || !countedNow(last, edges)) return 'neither'
  const known = since.filter((at) => at !== undefined)
  const windowMs = (rules.failoverWindowSeconds + 2) * seconds
  if (known.length < edges.length || last.at - Math.max(...known) < windowMs) return 'neither'
  return begunListed || listedOnce(past, everSeen(past)) ? 'drained' : 'absent'
}

describe('for any history of looks', () => {
  it('drained and absent are said when the rules allow it, and never else', () => {
    const counts = { drained: 0, absent: 0, neither: 0 }
    let withoutReleased = 0
    const property = fc.property(history, fc.boolean(), releases, (moments, everListed, released) => {
      const judged = judgements(moments, { edges: { a: { everListed } } }, rules, released)
      some(judged).forEach(({ verdict }, index) => {
        const past = moments.slice(0, index + 1)
        const outcome = expected(past, everListed, released)
        counts[outcome]++
        if (outcome !== expected(past, everListed, [])) withoutReleased++
        expect(verdict === 'drained' || verdict === 'absent' ? verdict : 'neither').toBe(outcome)
      })
    })
    fc.assert(property, { numRuns: 600, seed: 20261122 })
    expect(counts.drained).toBeGreaterThan(50)
    expect(counts.absent).toBeGreaterThan(20)
    expect(counts.neither).toBeGreaterThan(500)
    expect(withoutReleased).toBeGreaterThan(20)
  })

  it('an edge that was ever seen is never forgotten', () => {
    const property = fc.property(history, releases, (moments, released) => {
      const last = present(judgements(moments, undefined, rules, released).at(-1), 'judgement')
      expect(new Set(Object.keys(last.edges))).toEqual(everSeen(moments))
    })
    fc.assert(property)
  })

  it('nothing is overdue before the deadline, and nothing is gone that is not', () => {
    const property = fc.property(history, (moments) => {
      for (const { verdict } of some(judgements(moments)))
        expect(['draining', 'unknown', 'drained', 'absent']).toContain(verdict)
    })
    fc.assert(property)
  })
})
