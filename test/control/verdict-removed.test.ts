import { describe, expect, it } from 'vitest'
import { present } from '../present.ts'
import { machine } from './samples.ts'
import { judgements, type Moment, rules, verdicts } from './verdict-history.ts'

const s = 1_000
/** Removed long before the drain began, which never saw it. */
const gone = { removed: [{ edge: 'b', knownAt: -600 * s }] }
const one = (at: number, more: Partial<Moment> = {}): Moment => ({ at, edges: { a: {} }, ...more })
const begun = { edges: { a: { everListed: true } } }

describe('an edge that was removed before the drain began', () => {
  it('is unknown while it is remembered: its calls may still be up', () => {
    expect(verdicts(one(0, gone), one(60 * s, gone), one(120 * s))).toEqual(['unknown', 'unknown', 'drained'])
    expect(judgements([one(0, gone)])[0]?.unknown).toEqual([expect.stringContaining('edge b')])
  })

  it('is not remembered by the drain, which would wait for it for good', () => {
    expect(Object.keys(present(judgements([one(0, gone)])[0], 'judgement').edges)).toEqual(['a'])
  })

  it('is not waited for when it is released', () => {
    const found = judgements([one(0, gone), one(60 * s, gone)], begun, rules, ['b'])
    expect(found.map(({ verdict }) => verdict)).toEqual(['draining', 'drained'])
  })

  it('is read as any other when it is configured again', () => {
    const both = (at: number): Moment => ({ at, edges: { a: {}, b: {} }, ...gone })
    expect(verdicts(both(0), both(60 * s))).toEqual(['draining', 'drained'])
  })

  it("matters only to a machine that was launched before that, within the clocks' difference", () => {
    const verdictOf = (launchedAt: number) => {
      const subject = { kind: 'instance', instanceId: machine.instanceId, launchedAt } as const
      return judgements([one(0, gone), one(60 * s, gone)], begun, rules, [], subject)[1]?.verdict
    }
    expect(verdictOf(-598 * s - 1)).toBe('unknown')
    expect(verdictOf(-598 * s)).toBe('drained')
  })

  it('matters to a bare URI, which nobody launched', () => {
    const subject = { kind: 'uri', uri: machine.uri } as const
    expect(judgements([one(0, gone)], begun, rules, [], subject)[0]?.verdict).toBe('unknown')
  })
})
