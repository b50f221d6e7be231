import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chooseAtDeadline,
  type DeadlineChoice,
  type DeadlinePolicy,
  dealOut,
  type Left,
  mayRetain,
} from '../../functions/control/deadline.ts'

const unknown = ['retain', 'terminate'] as const
const policies: fc.Arbitrary<DeadlinePolicy> = fc.record({
  callsLeft: fc.constantFrom('end-calls', ...unknown),
  unknown: fc.constantFrom(...unknown),
})
const anything: fc.Arbitrary<Left> = fc.record({
  callsLeft: fc.nat(3),
  unknown: fc.array(fc.constant('edge a: no reply'), { maxLength: 2 }),
  unconfirmed: fc.boolean(),
})
const nothing: Left = { callsLeft: 0, unknown: [], unconfirmed: false }
const apart: DeadlinePolicy = { callsLeft: 'terminate', unknown: 'retain' }

test.each<[string, Partial<Left>, DeadlineChoice, string]>([
  ['calls that are left', { callsLeft: 3 }, 'terminate', '3 calls are left (callsLeft: terminate)'],
  [
    'a zero that is not confirmed',
    { unconfirmed: true },
    'terminate',
    'that no calls are left is not confirmed (callsLeft: terminate)',
  ],
  ['what is unknown', { unknown: ['edge a'] }, 'retain', 'calls are unknown (unknown: retain)'],
  [
    'both, by the gentler one,',
    { callsLeft: 3, unknown: ['edge a'] },
    'retain',
    '3 calls are left (callsLeft: terminate) and calls are unknown (unknown: retain): the gentler one holds',
  ],
])('%s: decided by its own rule, with the reason', (_, left, choice, because) => {
  expect(chooseAtDeadline(apart, { ...nothing, ...left })).toEqual({ choice, because })
})

test('no call goes that either rule which applies would keep', () => {
  fc.assert(
    fc.property(policies, anything, (policy, left) => {
      const { choice } = chooseAtDeadline(policy, left)
      expect([policy.callsLeft, policy.unknown]).toContain(choice)
      const rules = [
        ...(left.callsLeft > 0 || left.unconfirmed ? [policy.callsLeft] : []),
        ...(left.unknown.length > 0 ? [policy.unknown] : []),
      ]
      expect(choice === 'retain' || !rules.includes('retain')).toBe(true)
      // The instance goes with its calls only where no rule that applies would end them first.
      const goesWithCalls = choice === 'terminate' && left.callsLeft > 0
      expect(!goesWithCalls || policy.callsLeft === 'terminate').toBe(true)
    }),
  )
})

test('what does not apply does not decide', () => {
  fc.assert(
    fc.property(policies, anything, (policy, left) => {
      const known = { ...left, unknown: [], unconfirmed: true }
      expect(chooseAtDeadline(policy, known).choice).toBe(policy.callsLeft)
      const unknown = { ...left, callsLeft: 0, unconfirmed: false, unknown: ['edge a'] }
      expect(chooseAtDeadline(policy, unknown).choice).toBe(policy.unknown)
    }),
  )
})

test('only an instance that may be retained is ever chosen to be', () => {
  fc.assert(
    fc.property(policies, anything, (policy, left) => {
      const { choice } = chooseAtDeadline(policy, left)
      expect(choice !== 'retain' || mayRetain(policy)).toBe(true)
    }),
  )
})

const calls = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(20))
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

test('a step ends as many calls as it may or as there are, and on no edge more than it has', () => {
  fc.assert(
    fc.property(calls, fc.integer({ min: 1, max: 30 }), fc.nat(), (has, most, step) => {
      const shares = dealOut(has, most, step)
      expect(sum(Object.values(shares))).toBe(Math.min(most, sum(Object.values(has))))
      const tooMany = Object.entries(shares).filter(([edge, share]) => share <= 0 || share > (has[edge] ?? 0))
      expect(tooMany).toEqual([])
    }),
  )
})

test('no edge with calls is left out for more steps than there are edges', () => {
  fc.assert(
    fc.property(calls, fc.integer({ min: 1, max: 30 }), fc.nat(1000), (has, most, step) => {
      const steps = Object.keys(has).map((_, index) => dealOut(has, most, step + index))
      const withCalls = Object.keys(has).filter((edge) => (has[edge] ?? 0) > 0)
      expect(withCalls.filter((edge) => !steps.some((shares) => shares[edge] !== undefined))).toEqual([])
    }),
  )
})
