import { expect, test } from 'vitest'
import { holdChange, timeOf } from '../../functions/control/change.ts'
import { orderOf } from '../../functions/control/hold.ts'
import { aHold } from '../port-contracts/store-samples.ts'

const asked = 1_795_000_000_000
const days = 86_400_000
const order = orderOf(asked, '1')
const operators = aHold('a', { source: 'operator', order, endsAt: asked + 3 * days })
const liftedAt = (at: number, by = 'its end', order = operators.order) =>
  holdChange({ ...operators, order, lifted: { at, by } })

test('a hold that its own end lifts is filed under that end, however late it is found', () => {
  expect(timeOf(liftedAt(asked + 3 * days))).toBe(asked + 3 * days)
  expect(timeOf(liftedAt(asked + 4 * days))).toBe(asked + 3 * days)
})

test('one that is lifted by command is filed under the command, before its end and after it', () => {
  const [before, after] = [asked + 1 * days, asked + 4 * days]
  expect(timeOf(liftedAt(before + 5, 'bob', orderOf(before, '2')))).toBe(before)
  expect(timeOf(liftedAt(after + 5, 'bob', orderOf(after, '2')))).toBe(after)
})

test('what had to wait is filed under when it began, not under the day on which it was asked for', () => {
  expect(timeOf(holdChange(operators, asked + 2 * days))).toBe(asked + 2 * days)
  expect(timeOf(holdChange(operators))).toBe(asked)
})
