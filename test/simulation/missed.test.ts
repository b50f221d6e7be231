import { expect, test } from 'vitest'
import type { Rule } from './findings.ts'
import type { Happening, Plan } from './plan.ts'
import { brokenIn, quiet } from './planted.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000
const call: Happening = { at: second, kind: 'call', server: 0, edge: 1, out: true, lasts: 400 * second }
const planOf = (happenings: readonly Happening[], group: Partial<Plan['group']> = {}): Plan => ({
  ...quiet,
  group: { ...quiet.group, ...group },
  happenings,
})
const scaleIn = (delivery: readonly number[]): Happening => ({
  ...{ at: 10 * second, kind: 'scale-in', server: 0, delivery, gone: [100] },
})
const alarm = (at: number, state: 'ALARM' | 'OK', delivery: readonly number[]): Happening => ({
  ...{ at: at * second, kind: 'alarm', server: 1, state, delivery },
})

const sweepsNobody = (ports: AllPorts): AllPorts => ({
  ...ports,
  groupMembers: { waiting: async () => [] },
})
const noAlarmEnds = (ports: AllPorts): AllPorts => ({
  ...ports,
  alarms: {
    ...ports.alarms,
    states: async (names) => new Map(names.map((name) => [name, { value: 'ALARM', since: 0 }])),
  },
})
const neverTerminates = (ports: AllPorts): AllPorts => ({
  ...ports,
  lifecycleActions: {
    ...ports.lifecycleActions,
    terminate: () => Promise.reject(new Error('it is throttled')),
  },
})
const everythingRuns = (ports: AllPorts): AllPorts => ({
  ...ports,
  workflows: { ...ports.workflows, idle: async () => [], start: async () => 'runs' },
})

const missed: readonly (readonly [string, Plan, (ports: AllPorts) => AllPorts, Rule])[] = [
  ['an instance at the terminate hook', planOf([call, scaleIn([])]), sweepsNobody, 'heartbeats come in time'],
  [
    'an instance at the launch hook',
    planOf(
      [
        scaleIn([100]),
        {
          ...{ at: 20 * second, kind: 'launch', server: 0, after: second, notFoundFor: 0, addressAfter: 0 },
          ...{ delivery: [], successful: [] },
        },
      ],
      { launchHook: true },
    ),
    sweepsNobody,
    'nothing is missed',
  ],
  [
    'an alarm that is over',
    planOf([alarm(10, 'ALARM', [100]), alarm(100, 'OK', [])]),
    noAlarmEnds,
    'nothing is missed',
  ],
  [
    'a drain whose execution was stopped',
    planOf([
      alarm(10, 'ALARM', [100]),
      { at: 60 * second, kind: 'executions-end', server: 1, how: 'stopped' },
    ]),
    everythingRuns,
    'nothing is missed',
  ],
  [
    'a retained instance',
    planOf([{ ...call, lasts: 800 * second }, scaleIn([100])], {
      ...{ drainDeadlineSeconds: 300, callsLeft: 'retain', unknown: 'retain' },
    }),
    neverTerminates,
    'nothing is missed',
  ],
]

test.each(missed)(
  '%s is found without a message, and a fault that misses it breaks the rule',
  async (_what, plan, miss, rule) => {
    expect(await brokenIn(plan)).toEqual([])
    expect(await brokenIn(plan, miss)).toContain(rule)
  },
)
