import { describe, expect, it } from 'vitest'
import { machine } from './samples.ts'
import { deadlineAt, judgements, type Look, type Moment, profile, verdicts } from './verdict-history.ts'

const s = 1_000
const one = (at: number, look: Look | 'unreachable' = {}, more: Partial<Moment> = {}): Moment => ({
  at,
  edges: { a: look },
  ...more,
})
const begunUnlisted = { edges: { a: { everListed: false } } }

describe('absent', () => {
  const nowhere: Look = { flags: 'unlisted' }
  const verdictsOf = (moments: readonly Moment[], begun: Parameters<typeof judgements>[1] = begunUnlisted) =>
    judgements(moments, begun).map(({ verdict }) => verdict)

  it('is no weaker than drained: the window, the same boot, and no edge that may have forgotten calls', () => {
    expect(verdictsOf([one(0, nowhere), one(31 * s, nowhere)])).toEqual(['draining', 'draining'])
    expect(verdictsOf([one(0, nowhere), one(32 * s, nowhere)])).toEqual(['draining', 'absent'])
    const young = { ...nowhere, uptimeSeconds: 600 }
    expect(verdictsOf([one(0, young), one(60 * s, young)])).toEqual(['unknown', 'unknown'])
    const restarted = { ...nowhere, bootTime: 'tuesday' }
    expect(verdictsOf([one(0, nowhere), one(32 * s, restarted), one(64 * s, restarted)])).toEqual([
      'draining',
      'draining',
      'absent',
    ])
  })

  it('is never said of what any edge has ever listed', () => {
    expect(verdictsOf([one(0), one(35 * s, nowhere), one(70 * s, nowhere)])).not.toContain('absent')
    expect(
      verdictsOf([one(0, nowhere), one(35 * s, nowhere)], { edges: { a: { everListed: true } } }),
    ).not.toContain('absent')
    const elsewhere = (at: number): Moment => ({ at, edges: { a: nowhere, b: { flags: 'disabled' } } })
    expect(verdictsOf([elsewhere(0), elsewhere(35 * s)])).not.toContain('absent')
  })

  it('what was listed once stays so, also while its edge can not be read', () => {
    const history = [one(0), one(5 * s, 'unreachable'), one(10 * s, nowhere), one(15 * s, nowhere)]
    expect(verdictsOf(history)).toEqual(['draining', 'unknown', 'draining', 'draining'])
  })

  it.each([
    ['an edge that can not be read', 'unreachable'],
    ['a call after all', { flags: 'unlisted', count: profile(1) }],
  ] as const)('%s begins it anew', (_, look) => {
    expect(
      verdictsOf([one(0, nowhere), one(5 * s, look), one(10 * s, nowhere), one(42 * s, nowhere)]).slice(2),
    ).toEqual(['draining', 'absent'])
  })
})

describe('which verdict is said', () => {
  const late = { now: deadlineAt }

  it('gone before all else', () => {
    expect(verdicts(one(0, 'unreachable', { gone: [machine.instanceId], ...late }))).toEqual(['gone'])
    expect(verdicts(one(0), one(60 * s, {}, { gone: [machine.instanceId] }))).toEqual(['draining', 'gone'])
  })

  it('another machine’s end is not this one’s', () => {
    expect(verdicts(one(0, {}, { gone: ['i-0fedcba9876543210'] }))).toEqual(['draining'])
  })

  it('drained, absent before overdue: at the deadline too', () => {
    expect(verdicts(one(0), one(60 * s, {}, late))).toEqual(['draining', 'drained'])
    const nowhere = { flags: 'unlisted' } as const
    const [, last] = judgements([one(0, nowhere), one(60 * s, nowhere, late)], begunUnlisted)
    expect(last?.verdict).toBe('absent')
  })

  it.each(['unreachable', { count: profile(3) }, { flags: 'open' }, {}] as const)(
    'overdue at the deadline and never before: %j',
    (look) => {
      expect(verdicts(one(0, look, { now: deadlineAt - 1 }))).not.toContain('overdue')
      expect(verdicts(one(0, look, { now: deadlineAt }))).toEqual(['overdue'])
    },
  )

  it('a failure is not the deadline: unknown stays unknown until then', () => {
    const failing = Array.from({ length: 50 }, (_, index) => one(index * 120 * s, 'unreachable'))
    expect(new Set(verdicts(...failing))).toEqual(new Set(['unknown']))
  })
})

describe('what is said beside the verdict', () => {
  it('calls left are summed over the edges; the media server’s count can only raise them', () => {
    const edges = { a: { count: profile(2) }, b: { count: profile(3) }, c: 'unreachable' } as const
    const left = (mediaServer?: number) =>
      judgements([{ at: 0, edges, ...(mediaServer !== undefined && { mediaServer }) }])[0]?.callsLeft
    expect(left()).toBe(5)
    expect(left(9)).toBe(9)
    expect(left(1)).toBe(5)
  })

  it('a first zero is pending until the window is over', () => {
    const pending = judgements([one(0, { count: profile(1) }), one(5 * s), one(20 * s), one(40 * s)])
    expect(pending.map(({ zeroPending }) => zeroPending)).toEqual([false, true, true, false])
  })

  it('everything that is unknown is named', () => {
    const edges = {
      a: 'unreachable',
      b: { count: { unknown: 'no profile' } },
      c: { uptimeSeconds: 1 },
      d: {},
    } as const
    const [judgement] = judgements([{ at: 0, edges, mediaServer: { unknown: 'HTTP 503' } }])
    expect(judgement?.unknown).toEqual([
      'edge a: timeout',
      'edge b: no profile',
      'edge c: restarted, or is another Kamailio, and may have forgotten calls',
      'media server: HTTP 503',
    ])
  })
})
