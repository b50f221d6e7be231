import type { EdgePlan, FileFlags, Happening, Plan, ServerPlan } from './plan.ts'

const second = 1000

/** One of our edges, on which nothing is wrong. */
export const edge = (id: string, changes: Partial<EdgePlan> = {}): EdgePlan => ({
  id,
  version: '6.1',
  rpcFile: 'ours',
  counters: true,
  guard: true,
  profiles: ['dst', 'src'],
  counts: true,
  restoresDialogs: false,
  upMs: 86_400_000,
  latencyMs: 20,
  reloadTakesMs: 0,
  configured: true,
  ...changes,
})

export const group: Plan['group'] = {
  launchHook: true,
  heartbeatTimeoutSeconds: 300,
  drainDeadlineSeconds: 1500,
  callsLeft: 'terminate',
  unknown: 'terminate',
  ownCount: false,
}

/** A server with one line on each edge, in set 1. */
const server = (...flags: readonly FileFlags[]): ServerPlan => ({
  address: '10.0.1.20',
  port: 5060,
  namedBy: 'instance',
  lines: flags.map((shown, index) => ({ edge: index, set: 1, flags: shown, listed: true })),
})

const plan = (changes: Partial<Plan>): Plan => ({
  seed: 0,
  edges: [edge('edge-a'), edge('edge-b')],
  servers: [server('AP', 'AP')],
  group,
  happenings: [],
  faults: [],
  skewsMs: [0],
  ...changes,
})

const operator = (command: 'drain' | 'activate', at: number): Happening => ({
  ...{ at, kind: 'operator', server: 0, command, delivery: [0] },
})
const alarm = (state: 'ALARM' | 'OK', at: number): Happening => ({
  ...{ at, kind: 'alarm', server: 0, state, delivery: [0] },
})
const reloads = (at: number): Happening[] =>
  [0, 1].map((index) => ({ at, kind: 'stranger-reloads', edge: index }))
/** The line of the server changes in the file of an edge. */
const line = (index: number, at: number, flags: FileFlags, listed = true): Happening => ({
  ...{ at, kind: 'line', server: 0, edge: index, set: 1, listed, flags },
})
const away = (index: number, from: number, to: number) =>
  ({ kind: 'edge', edge: index, from, to, what: 'unreachable', ms: 0 }) as const
const slow = (latencyMs: number) => [edge('edge-a', { latencyMs }), edge('edge-b', { latencyMs })]

/** The reconciler begins half a second after each minute. */
const reconciles = 120.5 * second

/** The races of two writers, each as a short history, by the name of its case. */
export const races = {
  'R1: an edge comes back after a lift, and another had it disabled by its list': plan({
    servers: [server('DX', 'AP')],
    happenings: [operator('drain', 10 * second), operator('activate', 40 * second)],
    faults: [away(1, 30 * second, 100 * second)],
  }),
  'R2: an edge that disables it by its list is away during hold and lift': plan({
    servers: [server('AP', 'DX')],
    happenings: [operator('drain', 10 * second), operator('activate', 40 * second)],
    faults: [away(1, 5 * second, 100 * second)],
  }),
  'R3: an edge that disables it by its list restarts during a hold': plan({
    servers: [server('AP', 'DX')],
    happenings: [operator('drain', 10 * second), { at: 60 * second, kind: 'restart', edge: 1 }],
  }),
  'R4: it is lifted while a reconciler finds its edges reloaded': plan({
    edges: slow(500),
    happenings: [
      operator('drain', 10 * second),
      ...reloads(reconciles - 100),
      operator('activate', reconciles + 700),
    ],
  }),
  'R5: as R4, before the reconciler has read a list': plan({
    edges: slow(500),
    servers: [server('AX', 'AX')],
    happenings: [
      operator('drain', 10 * second),
      ...reloads(reconciles - 100),
      operator('activate', reconciles + 200),
    ],
  }),
  'R6: an OK comes a second after its ALARM while an edge is away': plan({
    happenings: [alarm('ALARM', 10 * second), alarm('OK', 11 * second)],
    faults: [away(1, 5 * second, 100 * second)],
  }),
  'R7: an OK comes 20 ms after its ALARM': plan({
    edges: slow(50),
    happenings: [alarm('ALARM', 10 * second), alarm('OK', 10 * second + 20)],
  }),
  'R8: a round fails while it writes, and what is left at work goes on after a lift': plan({
    edges: slow(500),
    happenings: [
      operator('drain', 10 * second),
      ...reloads(reconciles - 100),
      operator('activate', reconciles + 20 * second),
    ],
    faults: [
      { kind: 'call', from: reconciles - 50, on: 'instances.inGroups', nth: 1, what: 'refused', ms: 0 },
    ],
  }),
  'R11: it was taken for absent, and listed before its mark was left': plan({
    happenings: [
      ...[0, 1].map((index) => line(index, 1 * second, 'AP', false)),
      ...reloads(2 * second),
      { at: 95 * second, kind: 'scale-in', server: 0, delivery: [0], gone: [100] },
      line(1, 118 * second, 'AP'),
      { at: 119 * second, kind: 'stranger-reloads', edge: 1 },
      {
        ...{
          at: 120 * second,
          kind: 'launch',
          server: 0,
          after: 10 * second,
          notFoundFor: 0,
          addressAfter: 0,
        },
        ...{ delivery: [100], successful: [100] },
      },
    ],
    faults: [
      { kind: 'call', from: 0, on: 'lifecycleActions.complete', nth: 1, what: 'slow', ms: 25 * second },
    ],
  }),
  'R12: an edge that was released is listed again, and shows other flags than before': plan({
    happenings: [
      operator('drain', 10 * second),
      { at: 30 * second, kind: 'edge-removed', edge: 1, delivery: [100] },
      { at: 40 * second, kind: 'release-command', edge: 1, delivery: [100] },
      operator('activate', 50 * second),
      line(1, 70 * second, 'AX'),
      { at: 71 * second, kind: 'restart', edge: 1 },
      { at: 100 * second, kind: 'edge-added', edge: 1, delivery: [100] },
      operator('drain', 190 * second),
      operator('activate', 230 * second),
    ],
  }),
  'R13: its list disables it during a hold': plan({
    happenings: [
      alarm('ALARM', 10 * second),
      ...[0, 1].map((index) => line(index, 40 * second, 'DX')),
      ...reloads(41 * second),
      alarm('OK', 100 * second),
    ],
  }),
} as const satisfies Readonly<Record<string, Plan>>
