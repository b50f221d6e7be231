import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chooseAtDeadline,
  type DeadlineChoice,
  type DeadlinePolicy,
  type Left,
  mayRetain,
} from '../../functions/control/deadline.ts'

const choices: readonly DeadlineChoice[] = ['retain', 'terminate']
const policies: fc.Arbitrary<DeadlinePolicy> = fc.record({
  callsLeft: fc.constantFrom(...choices),
  unknown: fc.constantFrom(...choices),
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
      if (choice === 'retain') return
      if (left.callsLeft > 0 || left.unconfirmed) expect(policy.callsLeft).not.toBe('retain')
      if (left.unknown.length > 0) expect(policy.unknown).not.toBe('retain')
    }),
  )
})

test('what does not apply does not decide', () => {
  fc.assert(
    fc.property(policies, anything, (policy, left) => {
      const { choice } = chooseAtDeadline(policy, left)
      if (left.unknown.length === 0 && (left.callsLeft > 0 || left.unconfirmed))
        expect(choice).toBe(policy.callsLeft)
      if (left.unknown.length > 0 && left.callsLeft === 0 && !left.unconfirmed)
        expect(choice).toBe(policy.unknown)
    }),
  )
})

test('only an instance that may be retained is ever chosen to be', () => {
  fc.assert(
    fc.property(policies, anything, (policy, left) => {
      if (chooseAtDeadline(policy, left).choice === 'retain') expect(mayRetain(policy)).toBe(true)
    }),
  )
})
