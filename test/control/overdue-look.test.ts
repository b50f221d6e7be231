import { expect, test } from 'vitest'
import { isLookOverdue } from '../../functions/control/overdue-look.ts'
import { actionDrain, draining, holdDrain, retained } from './drain-samples.ts'

const pace = { minWaitSeconds: 5, maxWaitSeconds: 120, failoverWindowSeconds: 10 }
const second = 1000
const looked = { ...actionDrain(draining), lookedAt: 1000 * second, lastHeartbeatAt: 950 * second }
const overdueAt = (drain: Parameters<typeof isLookOverdue>[0], at: number, waits = pace) =>
  isLookOverdue(drain, at * second, waits)

test('a look is overdue after two of the longest waits', () => {
  const beating = { ...looked, lastHeartbeatAt: 1000 * second + 100 * second }
  expect([overdueAt(beating, 1199), overdueAt(beating, 1200)]).toEqual([false, true])
  const held = { ...holdDrain(draining), lookedAt: 1000 * second }
  expect([overdueAt(held, 1239), overdueAt(held, 1240)]).toEqual([false, true])
})

test('and after the wait of a failure where its heartbeat is late: the sweep of the next minute goes on', () => {
  const late = { ...looked, lookedAt: 1110 * second }
  expect([overdueAt(late, 1142), overdueAt(late, 1143)]).toEqual([false, true])
  const beating = { ...late, lastHeartbeatAt: 1050 * second }
  expect([overdueAt(beating, 1143), overdueAt(beating, 1199)]).toEqual([false, false])
})

test('one whose action is over keeps nothing alive', () => {
  const kept = { ...actionDrain(retained), lookedAt: 1000 * second, lastHeartbeatAt: 10 * second }
  expect([overdueAt(kept, 1239), overdueAt(kept, 1240)]).toEqual([false, true])
})

test('waits of some seconds leave a look a minute, which a slow start or an edge that is away may take', () => {
  const waits = { ...pace, minWaitSeconds: 1, maxWaitSeconds: 2 }
  const held = { ...holdDrain(draining), lookedAt: 1000 * second }
  expect([overdueAt(held, 1059, waits), overdueAt(held, 1060, waits)]).toEqual([false, true])
  // Not so where its action may be over by then.
  expect([overdueAt(looked, 1001, waits), overdueAt(looked, 1101, waits)]).toEqual([false, true])
})
