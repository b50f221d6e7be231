import { describe, expect, it } from 'vitest'
import { some } from '../present.ts'
import { machine } from './samples.ts'
import { judgements, type Look, type Moment, profile, rules, verdicts } from './verdict-history.ts'

const s = 1_000
const one = (at: number, look: Look | 'unreachable' = {}, more: Partial<Moment> = {}): Moment => ({
  at,
  edges: { a: look },
  ...more,
})

describe('a zero counts only', () => {
  it("on two looks as far apart as the fail-over window and the clocks' difference", () => {
    expect(verdicts(one(0), one(32 * s - 1), one(32 * s))).toEqual(['draining', 'draining', 'drained'])
  })

  it('counted from the end of the first counting to the start of the second', () => {
    expect(verdicts(one(0, {}, { took: 9 * s }), one(33 * s), one(41 * s))).toEqual([
      'draining',
      'draining',
      'drained',
    ])
  })

  it('one reading judged twice is one', () => {
    expect(verdicts(one(0), one(0, {}, { now: 60 * s }))).toEqual(['draining', 'draining'])
  })

  it('if the edge shows the destination disabled, not open', () => {
    const open = { flags: 'open' } as const
    expect(verdicts(one(0, open), one(60 * s, open))).toEqual(['draining', 'draining'])
  })

  it('asked after it was last found open, whichever run disabled it again', () => {
    const opened = { openAt: 20 * s }
    expect(
      verdicts(one(0), one(21 * s, opened), one(40 * s, opened), one(71 * s, opened), one(72 * s, opened)),
    ).toEqual(['draining', 'draining', 'draining', 'draining', 'drained'])
  })

  it('or a readable list without it', () => {
    expect(verdicts(one(0, { flags: 'unlisted' }), one(60 * s, { flags: 'unlisted' }))).toEqual([
      'draining',
      'drained',
    ])
  })

  it.each([
    ['calls', { count: profile(1) }],
    ['open flags', { flags: 'open' }],
    ['no count', { count: { unknown: 'timeout' } }],
    ['no answer', 'unreachable'],
    ['a reading that does not know the drain', { count: undefined }],
  ] as const)('%s in between begin the window anew', (_, look) => {
    const history = [one(0), one(20 * s, look), one(40 * s), one(71 * s), one(73 * s)]
    expect(verdicts(...history).slice(2)).toEqual(['draining', 'draining', 'drained'])
  })

  it('an edge left out of a look in between begins the window anew', () => {
    expect(verdicts(one(0), { at: 20 * s, edges: {} }, one(40 * s), one(73 * s))).toEqual([
      'draining',
      'unknown',
      'draining',
      'drained',
    ])
  })

  it('with the same boot time throughout', () => {
    const restarted = { bootTime: 'tuesday', restoresDialogs: true }
    expect(verdicts(one(0), one(40 * s, restarted), one(73 * s, restarted))).toEqual([
      'draining',
      'draining',
      'drained',
    ])
  })
})

describe('an edge that may have forgotten calls', () => {
  const young = { uptimeSeconds: 7_200 }

  it('is unknown, however long it says zero', () => {
    expect(verdicts(one(0, young), one(60 * s, young), one(600 * s, young))).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ])
  })

  it('counts once it is up longer than the longest call', () => {
    expect(verdicts(one(0, young), one(60 * s, { uptimeSeconds: 7_201 }))).toEqual(['unknown', 'drained'])
  })

  it('counts if it restores dialogs', () => {
    const restores = { ...young, restoresDialogs: true }
    expect(verdicts(one(0, restores), one(60 * s, restores))).toEqual(['draining', 'drained'])
  })

  it('counts if the media server’s own count is 0, and only then', () => {
    const judged = (mediaServer: Moment['mediaServer']) =>
      verdicts(one(0, young), one(60 * s, young, mediaServer === undefined ? {} : { mediaServer }))[1]
    expect(judged(0)).toBe('drained')
    expect(judged(1)).toBe('unknown')
    expect(judged({ unknown: 'timeout' })).toBe('unknown')
    expect(judged(undefined)).toBe('unknown')
  })
})

describe('an edge that was up before the machine was launched', () => {
  const launched = (at: number): Moment[] => [
    one(at, { uptimeSeconds: 600 }),
    one(at + 60 * s, { uptimeSeconds: 660 }),
  ]
  const subject = (launchedAt: number) =>
    ({ kind: 'instance', instanceId: machine.instanceId, launchedAt }) as const
  const judgementFor = (launchedAt: number) =>
    judgements(launched(1_000 * s), undefined, rules, [], subject(launchedAt))[1]

  it('can not have forgotten calls of it', () => {
    expect(judgementFor(500 * s)?.verdict).toBe('drained')
  })

  it("may have, where the machine is older, or as old within the clocks' difference", () => {
    expect(judgementFor(300 * s)?.verdict).toBe('unknown')
    expect(judgementFor(402 * s)?.verdict).toBe('unknown')
  })
})

describe('the begun counters', () => {
  const count = (begun: number) => ({ count: { ...profile(0), begun } })

  it('a call that came and went between two zeros begins the window anew', () => {
    expect(
      verdicts(one(0, count(7)), one(40 * s, count(8)), one(71 * s, count(8)), one(72 * s, count(8))),
    ).toEqual(['draining', 'draining', 'draining', 'drained'])
  })

  it('that have not risen prove that none did', () => {
    expect(verdicts(one(0, count(7)), one(32 * s, count(7)))).toEqual(['draining', 'drained'])
  })
})

describe('every edge must say so', () => {
  const both = (at: number, b: Look | 'unreachable', a: Look = {}): Moment => ({ at, edges: { a, b } })

  it.each([
    ['unreachable', 'unreachable', 'unknown'],
    ['without a count', { count: { unknown: 'timeout' } }, 'unknown'],
    ['with a call', { count: profile(1) }, 'draining'],
    ['open', { flags: 'open' }, 'draining'],
    ['restarted a moment ago', { uptimeSeconds: 5 }, 'unknown'],
  ] as const)('one that is %s is waited for', (_, b, verdict) => {
    expect(verdicts(both(0, b), both(60 * s, b), both(600 * s, b))).toEqual([verdict, verdict, verdict])
  })

  it('one that was removed from the configuration is unknown: its calls may still be up', () => {
    const left = one(60 * s)
    expect(verdicts(both(0, {}), left, { ...left, at: 120 * s })).toEqual(['draining', 'unknown', 'unknown'])
    const [, judgement] = judgements([both(0, {}), left])
    expect(judgement?.unknown).toEqual([expect.stringContaining('edge b')])
  })

  it('one that was removed and released is not waited for, and what it listed is drained, not absent', () => {
    const moments = [one(0, { flags: 'unlisted' }), one(60 * s, { flags: 'unlisted' })]
    const begun = { edges: { a: { everListed: false }, b: { everListed: true } } }
    const verdictsWith = (released: readonly string[]) =>
      judgements(moments, begun, rules, released).map(({ verdict }) => verdict)
    expect(verdictsWith([])).toEqual(['unknown', 'unknown'])
    expect(verdictsWith(['b'])).toEqual(['draining', 'drained'])
  })

  it('one that was added later needs two readings of its own', () => {
    expect(verdicts(one(0), both(40 * s, {}), both(73 * s, {}))).toEqual(['draining', 'draining', 'drained'])
  })

  it('and all of them at one time: from the last first zero to the earliest of the latest', () => {
    const late = both(20 * s, {}, {})
    const first = both(0, { count: profile(1) }, {})
    expect(verdicts(first, late, both(40 * s, {}, {}), both(52 * s, {}, {}))).toEqual([
      'draining',
      'draining',
      'draining',
      'drained',
    ])
  })

  it('no edge at all says nothing', () => {
    const nobody = { edges: {} }
    for (const { verdict } of some(
      judgements(
        [
          { at: 0, edges: {} },
          { at: 60 * s, edges: {} },
        ],
        nobody,
      ),
    ))
      expect(verdict).toBe('draining')
  })
})

describe('the media server’s own count', () => {
  it.each([
    [1, 'draining'],
    [{ unknown: 'timeout' }, 'unknown'],
  ] as const)('%j blocks, whatever the edges say', (mediaServer, verdict) => {
    const more = { mediaServer }
    expect(verdicts(one(0, {}, more), one(60 * s, {}, more))).toEqual([verdict, verdict])
    expect(verdicts(one(0, { flags: 'unlisted' }, more), one(60 * s, { flags: 'unlisted' }, more))).toEqual([
      verdict,
      verdict,
    ])
  })

  it('0 is not enough: the edges must say so too', () => {
    const more = { mediaServer: 0 }
    const look = { count: profile(2) }
    expect(verdicts(one(0, look, more), one(60 * s, look, more))).toEqual(['draining', 'draining'])
  })
})

describe('where an edge’s count comes from', () => {
  it('DLGLOAD is never believed when it says 0', () => {
    const load = { count: { calls: 0, source: 'load', outbound: false } } as const
    expect(verdicts(one(0, load), one(60 * s, load))).toEqual(['unknown', 'unknown'])
  })

  it('the whole edge’s total only when it does', () => {
    const total = (calls: number) => ({ count: { calls, source: 'edge', outbound: true } }) as const
    expect(verdicts(one(0, total(0)), one(60 * s, total(0)))).toEqual(['draining', 'drained'])
    const [judgement] = judgements([one(0, total(900))])
    expect(judgement).toMatchObject({ verdict: 'unknown', callsLeft: 0 })
  })
})
