import { expect, test } from 'vitest'
import type { Rule } from './findings.ts'
import { runHistory } from './history.ts'
import type { Seen } from './observed.ts'
import type { Happening, Plan, Window } from './plan.ts'
import { brokenIn, planOf, withStore } from './planted.ts'
import { judge } from './referee.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000
const delivery = [100]
const group = { group: 'media-servers' }
const drain = (at: number, server: number, window: Window = {}): Happening => ({
  ...{ at: at * second, kind: 'operator', server, command: 'drain', delivery, ...window },
})
const many = (at: number, command: 'drain' | 'activate' = 'drain', by: { by?: 'bob' } = {}): Happening => ({
  ...{ at: at * second, kind: 'many', whom: group, command, delivery, ...by },
})
const freeze: Happening = { at: 60 * second, kind: 'freeze', delivery, lasts: 200 * second }
const ending = drain(10, 0, { endsAfter: 90 * second })
const window = drain(10, 0, { beginsAfter: 120 * second })
const heldIn = ({ holds }: Seen) => holds.flatMap(({ server = -1, lifted }) => (lifted ? [] : server)).sort()

test('of a group at a floor of 50 % half begins, and an activate of the group lets none begin or stay', async () => {
  const half = { clearance: { floors: [{ percent: 50 }] } }
  const drained = await runHistory(planOf(4, [many(10)], half))
  expect(heldIn(drained.last)).toEqual([0, 1])
  expect(drained.truth.choices.waitingAt(drained.last.at).length).toBe(2)
  const over = await runHistory(planOf(4, [many(10), many(60, 'activate')], half))
  expect(heldIn(over.last)).toEqual([])
  expect(over.truth.choices.waitingAt(over.last.at)).toEqual([])
  expect([...judge(drained).violations, ...judge(over).violations]).toEqual([])
})

const noEnd = withStore((store) => ({
  holds: async () => (await store.holds()).map(({ endsAt: _, ...hold }) => hold),
}))
const noFreeze = withStore(() => ({ freeze: async () => undefined }))
const noWindow = withStore((store) => ({
  waiting: async () => {
    const { drains, unread } = await store.waiting()
    return { unread, drains: drains.map(({ beginsAt: _, ...waiting }) => waiting) }
  },
}))
const oneLost = withStore((store) => ({
  putWaiting: async (waiting, over) =>
    waiting.hold.uris.some((uri) => uri.includes('10.0.1.21')) ? 'written' : store.putWaiting(waiting, over),
}))
const allHers = withStore((store) => ({
  holds: async () => (await store.holds()).map((hold) => ({ ...hold, who: 'alice' })),
}))

const planted: readonly (readonly [string, Plan, (ports: AllPorts) => AllPorts, Rule])[] = [
  ['an end that nobody looks at', planOf(2, [ending], {}), noEnd, 'a hold keeps to its time'],
  ['an end in a freeze that nobody looks at', planOf(2, [ending, freeze], {}), noFreeze, 'a freeze is kept'],
  ['a window that begins at once', planOf(2, [window], {}), noWindow, 'a hold keeps to its time'],
  ['one of many that is lost', planOf(2, [many(10)], {}), oneLost, 'many are each seen to'],
  [
    "an activate of many that lifts others' holds",
    planOf(2, [many(10), many(20, 'drain', { by: 'bob' }), many(90, 'activate')], {}),
    allHers,
    'many are each seen to',
  ],
]

test.each(planted)('%s breaks a rule, and nothing else does', async (_what, plan, sabotage, rule) => {
  expect(await brokenIn(plan)).toEqual([])
  expect(await brokenIn(plan, sabotage)).toContain(rule)
})

test('what ends during a freeze is held until the freeze is over, and free afterwards', async () => {
  const { truth, last } = await runHistory(planOf(2, [ending, freeze], {}))
  const lifted = truth.choices.holds.find(({ isLifted }) => isLifted)
  expect(lifted?.at).toBeGreaterThanOrEqual((truth.choices.freezes[0]?.at ?? 0) + 199 * second)
  expect(heldIn(last)).toEqual([])
})

test('what a set still lists of a group whose machines are gone is under no floor of the group', async () => {
  const gone: Happening = { at: 10 * second, kind: 'group-deleted' }
  const drained: Happening = { at: 60 * second, kind: 'many', whom: { set: 1 }, command: 'drain', delivery }
  const half = { clearance: { floors: [{ ...group, percent: 50 }] } }
  const { last } = await runHistory(planOf(2, [gone, drained], half))
  expect(last.holds.map(({ id }) => id.replace(/;.*/, '')).sort()).toEqual([
    '10.0.1.20:5060',
    '10.0.1.21:5060',
  ])
  expect(await brokenIn(planOf(2, [gone, drained], half))).toEqual([])
})
