import type { Edge } from '../../functions/ports/edge.ts'
import type { Rule } from './findings.ts'
import { runHistory } from './history.ts'
import type { Happening, Plan } from './plan.ts'
import { edge, group } from './races.ts'
import { judge } from './referee.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000

/** A scale-in with a call up, a drain that is lifted, and a reload in between: nothing is wrong in it. */
export const quiet: Plan = {
  seed: 0,
  edges: [edge('edge-a'), edge('edge-b')],
  servers: ['10.0.1.20', '10.0.1.21'].map((address) => ({
    address,
    port: 5060,
    namedBy: 'instance',
    lines: [
      { edge: 0, set: 1, flags: 'AP', listed: true },
      { edge: 1, set: 1, flags: 'AX', listed: true },
    ],
  })),
  group,
  happenings: [
    { at: 2 * second, kind: 'call', server: 0, edge: 1, out: true, lasts: 400 * second },
    { at: 10 * second, kind: 'scale-in', server: 0, delivery: [100], gone: [100] },
    { at: 20 * second, kind: 'operator', server: 1, command: 'drain', delivery: [100] },
    { at: 25 * second, kind: 'alarm', server: 1, state: 'ALARM', delivery: [100] },
    { at: 45 * second, kind: 'stranger-reloads', edge: 0 },
    { at: 200 * second, kind: 'alarm', server: 1, state: 'OK', delivery: [100] },
    { at: 240 * second, kind: 'operator', server: 1, command: 'activate', delivery: [100] },
  ],
  faults: [],
  skewsMs: [0, 400, -400],
}

/** Servers that are listed in one set on each of two edges. */
export const planOf = (
  servers: number,
  happenings: readonly Happening[],
  settings: Pick<Plan, 'clearance' | 'senders'>,
): Plan => ({
  ...{ ...quiet, ...settings, happenings },
  servers: Array.from({ length: servers }, (_, server) => ({
    ...{ address: `10.0.1.${20 + server}`, port: 5060, namedBy: 'instance' },
    lines: [0, 1].map((edge) => ({ edge, set: 1, flags: 'AP' as const, listed: true })),
  })),
})

/** The rules that a history breaks, each once. */
export const brokenIn = async (plan: Plan, sabotage?: (ports: AllPorts) => AllPorts): Promise<Rule[]> => [
  ...new Set(judge(await runHistory(plan, sabotage)).violations.map(({ rule }) => rule)),
]

export const withEdges = (change: (edge: Edge) => Partial<Edge>) => (ports: AllPorts) => ({
  ...ports,
  fleet: {
    ...ports.fleet,
    edges: async () =>
      (await ports.fleet.edges()).map((each) => ({
        ...each,
        ...change(each),
        under: (generation: number) => {
          const leased = each.under(generation)
          return { ...leased, ...change(leased) }
        },
      })),
  },
})

export const withStore =
  (change: (store: AllPorts['store']) => Partial<AllPorts['store']>) => (ports: AllPorts) => ({
    ...ports,
    store: { ...ports.store, ...change(ports.store) },
  })

/** What is planted, and the rule that it breaks. */
export type Sabotage = readonly [string, (ports: AllPorts) => AllPorts, Rule]
export const countNothing: Sabotage = [
  'edges that count no call',
  withEdges((edge) => ({
    countAndBoot: async (subjects) => {
      const { bootTime } = await edge.boot()
      return { counts: subjects.map(() => ({ calls: 0, source: 'profile', outbound: true })), bootTime }
    },
  })),
  'no call is cut',
]
