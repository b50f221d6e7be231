import { expect, test } from 'vitest'
import type { Rule } from './findings.ts'
import { runHistory } from './history.ts'
import type { Seen } from './observed.ts'
import type { Happening, Plan } from './plan.ts'
import { brokenIn, planOf, withStore } from './planted.ts'
import { judge } from './referee.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000
const delivery = [100]
const alarm = (at: number, server: number, state: 'ALARM' | 'OK' = 'ALARM'): Happening => ({
  ...{ at, kind: 'alarm', server, state, delivery },
})
const drain = (at: number, server: number, more: { sender?: number; force?: true } = {}): Happening => ({
  ...{ at: at * second, kind: 'operator', server, command: 'drain', delivery, ...more },
})
const freeze: Happening = { at: 15 * second, kind: 'freeze', delivery }
const unfreeze: Happening = { at: 200 * second, kind: 'unfreeze', delivery }
const half = { clearance: { floors: [{ percent: 50 }] } }

/** Within two seconds. */
const storm = Array.from({ length: 20 }, (_, server) => alarm(10 * second + server * 100, server))

test('of a storm of 20 alarms at a floor of 50 % ten begin, and the others as those are over', async () => {
  const overs = storm.slice(0, 10).map((_, server) => alarm(240 * second, server, 'OK'))
  const history = await runHistory(planOf(20, [...storm, ...overs], half))
  const heldIn = ({ holds }: Seen) => holds.flatMap(({ server = -1 }) => server).sort((a, b) => a - b)
  const numbers = Array.from({ length: 20 }, (_, server) => server)
  const [calm] = history.calms
  expect(calm && heldIn(calm)).toEqual(numbers.slice(0, 10))
  expect(heldIn(history.last)).toEqual(numbers.slice(10))
  expect(judge(history).violations).toEqual([])
})

test('of a storm of 20 alarms at the same moment no more begin than the floor leaves', async () => {
  const together = storm.map((happening) => ({ ...happening, at: 10 * second }))
  const history = await runHistory(planOf(20, together, half))
  expect(history.last.holds.length).toBe(10)
  expect(history.truth.choices.waitingAt(history.last.at).length).toBe(10)
  expect(judge(history).violations).toEqual([])
})

test('a hold whose launch time is filled in during a freeze was placed before it', async () => {
  const faults: Plan['faults'] = [
    { kind: 'port', port: 'instances', from: 9 * second, to: 14 * second },
    { kind: 'call', from: 10 * second, on: 'store.putHold', nth: 1, what: 'frozen', ms: 12 * second },
  ]
  const history = await runHistory({ ...planOf(2, [alarm(10 * second, 0), freeze], {}), faults })
  const { holds, placements } = history.truth.choices
  expect(new Set(holds.map(({ subject }) => subject.endsWith(' 0')))).toEqual(new Set([true, false]))
  expect(placements.length).toBe(1)
  expect(judge(history).violations).toEqual([])
})

const noFreeze = withStore(() => ({ freeze: async () => undefined }))
const noneHeld = withStore((store) => ({
  holds: async () => (await store.holds()).filter(({ source }) => source !== 'alarm'),
}))
const noDrains = withStore((store) => ({
  drain: async (id) => {
    const drain = await store.drain(id)
    return drain && { ...drain, phase: { name: 'held', at: 0 } as never }
  },
}))
const noLimit = (ports: AllPorts) => ({ ...ports, config: { ...ports.config, maxHoldsPerSender: 200 } })

const planted: readonly (readonly [string, Plan, (ports: AllPorts) => AllPorts, Rule])[] = [
  ['a floor that knows no holds', planOf(4, storm.slice(0, 4), half), noneHeld, 'the floors are kept'],
  [
    'a limit that knows no drains',
    planOf(2, [alarm(10 * second, 0), alarm(12 * second, 1)], { clearance: { floors: [], atOnce: 1 } }),
    noDrains,
    'the floors are kept',
  ],
  [
    'a freeze that nobody looks at',
    planOf(2, [freeze, drain(20, 0), unfreeze], {}),
    noFreeze,
    'a freeze is kept',
  ],
  [
    'an alarm that is over during a freeze',
    planOf(2, [alarm(5 * second, 0), freeze, alarm(60 * second, 0, 'OK'), unfreeze], {}),
    noFreeze,
    'a freeze is kept',
  ],
  [
    'a sender that nobody counts',
    planOf(2, [drain(10, 0, { sender: 1 }), drain(60, 1, { sender: 2 })], {
      senders: { named: true, mostHolds: 1 },
    }),
    noLimit,
    'a sender keeps to its limit',
  ],
]

test.each(planted)('%s breaks a rule, and nothing else does', async (_what, plan, sabotage, rule) => {
  expect(await brokenIn(plan)).toEqual([])
  expect(await brokenIn(plan, sabotage)).toContain(rule)
})

test('what an unknown sender asks for changes nothing', async () => {
  const plan = planOf(2, [drain(10, 0, { sender: 3 }), { ...freeze, sender: 3 }], {
    senders: { named: true, mostHolds: 200 },
  })
  expect(await brokenIn(plan)).toEqual([])
  const { last, truth } = await runHistory(plan)
  expect(last.holds).toEqual([])
  expect(truth.sent.map(({ rejected }) => rejected)).toEqual(['CommandRefused', 'CommandRefused'])
})

test('what is forced begins during a freeze, and what is not waits for its end', async () => {
  const happenings = [freeze, drain(20, 0), drain(25, 1, { force: true })]
  const frozen = await runHistory(planOf(2, happenings, {}))
  expect(frozen.last.holds.map(({ server }) => server)).toEqual([1])
  expect(await brokenIn(planOf(2, happenings, {}))).toEqual([])
  const over = await runHistory(planOf(2, [...happenings, unfreeze], {}))
  expect(over.last.holds.map(({ server }) => server).sort()).toEqual([0, 1])
  const byItself = [{ ...freeze, lasts: 180 * second }, drain(20, 0)]
  expect((await runHistory(planOf(2, byItself, {}))).last.holds.map(({ server }) => server)).toEqual([0])
})
