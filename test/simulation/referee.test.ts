import { describe, expect, test } from 'vitest'
import type { ControlEvent } from '../../functions/contracts/events.ts'
import type { Store } from '../../functions/ports/store.ts'
import { runHistory } from './history.ts'
import { type About, leadingTo } from './incidents.ts'
import type { Fault, Plan } from './plan.ts'
import { brokenIn, countNothing, quiet, type Sabotage, withEdges } from './planted.ts'
import { edge } from './races.ts'
import { judge } from './referee.ts'
import { shrink } from './shrink.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000

test('a quiet history breaks no rule, and applies most of them', async () => {
  const { violations, applied, undecidable } = judge(await runHistory(quiet))
  expect(violations).toEqual([])
  expect(undecidable).toEqual([])
  expect(applied.size).toBeGreaterThan(10)
})

const withStore = (change: (store: Store) => Partial<Store>) => (ports: AllPorts) => ({
  ...ports,
  store: { ...ports.store, ...change(ports.store) },
})

const sabotages: readonly Sabotage[] = [
  countNothing,
  [
    'no heartbeat',
    (ports) => ({
      ...ports,
      lifecycleActions: { ...ports.lifecycleActions, heartbeat: async () => 'recorded' },
    }),
    'heartbeats come in time',
  ],
  [
    'writes that do nothing',
    withEdges(() => ({ write: async (writes) => writes.map(() => 'done') })),
    'held is disabled',
  ],
  [
    'a state that is never given back',
    withEdges((each) => ({
      write: (writes) => each.write(writes.filter((one) => 'held' in one || one.state.startsWith('d'))),
    })),
    'free is given back',
  ],
  [
    'a guard that is never opened',
    withEdges((each) => ({
      write: (writes) => each.write(writes.filter((one) => !('held' in one) || one.held)),
    })),
    'the guard agrees',
  ],
  [
    'the wrong state given back',
    withEdges((each) => ({
      write: (writes) =>
        each.write(
          writes.map((one) => ('held' in one || one.state.startsWith('d') ? one : { ...one, state: 'ip' })),
        ),
    })),
    'former flags are exact',
  ],
  [
    'records that are kept',
    withStore((store) => ({
      putEdgeRecords: async (edge, generation, records) => {
        const keyOf = ({ kind, uri, ...rest }: (typeof records)[number]) =>
          `${kind} ${uri} ${'set' in rest ? `${rest.set} ${rest.duid}` : ''}`
        const before = (await store.edgeRecords(edge)) ?? []
        const next = new Map([...before, ...records].map((record) => [keyOf(record), record]))
        return store.putEdgeRecords(edge, generation, [...next.values()])
      },
    })),
    'no record outlives its reason',
  ],
  [
    'an own count that never comes to 0',
    (ports) => ({ ...ports, mediaServers: { activeCalls: async () => 1 } }),
    'an empty drain ends soon',
  ],
  [
    'completions that never come back',
    (ports) => ({
      ...ports,
      lifecycleActions: { ...ports.lifecycleActions, complete: () => new Promise(() => undefined) },
    }),
    'every action ends',
  ],
]

describe('what is planted is found', () => {
  test.each(sabotages)('%s', async (_, sabotage, rule) => {
    expect(await brokenIn(quiet, sabotage)).toContain(rule)
  })

  test('a list that disables a server for its own reasons, opened by hand of ours', async () => {
    const servers = quiet.servers.map((server) => ({
      ...server,
      lines: server.lines.map((line) => ({ ...line, flags: 'DX' as const })),
    }))
    const opens = withEdges((each) => ({
      write: (writes) => each.write(writes.map((one) => ('held' in one ? one : { ...one, state: 'ap' }))),
      list: async () => {
        const { destinations, opaque } = await each.list()
        return { opaque, destinations: destinations.map((entry) => ({ ...entry, flags: 'AP' })) }
      },
    }))
    expect(await brokenIn({ ...quiet, servers }, opens)).toContain('nothing is opened that we did not close')
  })
})

test('a reload that leaves a held server open is not answered as if all were well: an event that hides it breaks a rule', async () => {
  const reload = { at: 170 * second, kind: 'reload-command', delivery: [100] } as const
  const refusal: Fault = {
    kind: 'edge',
    edge: 1,
    from: reload.at,
    to: reload.at + 40 * second,
    what: 'writes refused',
    ms: 0,
  }
  const plan: Plan = { ...quiet, happenings: [...quiet.happenings, reload], faults: [refusal] }
  expect(await brokenIn(plan)).toEqual([])
  const hides = (ports: AllPorts) => ({
    ...ports,
    events: {
      ...ports.events,
      publish: (event: ControlEvent) => {
        const { type, detail } = event
        if (type !== 'Command Answered' || detail.command !== 'reload' || detail.result === 'dry-run')
          return ports.events.publish(event)
        const edges = detail.edges.map(({ edge }) => ({ edge, outcome: 'reloaded' }) as const)
        return ports.events.publish({ type, detail: { ...detail, edges } })
      },
    },
  })
  expect(await brokenIn(plan, hides)).toContain('an answer is true')
  expect(await brokenIn({ ...plan, faults: [] }, hides)).not.toContain('an answer is true')
})

describe('a write that arrives after a later run has read the edge', () => {
  const { happenings: _, ...calm } = quiet
  const planOf = (rpcFile: 'ours' | 'former', ms: number): Plan => ({
    ...calm,
    edges: [{ ...edge('edge-a'), rpcFile }],
    servers: quiet.servers.map((server) => ({ ...server, lines: server.lines.slice(0, 1) })),
    happenings: [
      { at: 10 * second, kind: 'alarm', server: 0, state: 'ALARM', delivery: [100] },
      { at: 13 * second, kind: 'alarm', server: 0, state: 'OK', delivery: [100] },
      { at: 90 * second, kind: 'alarm', server: 1, state: 'ALARM', delivery: [100] },
      { at: 120 * second, kind: 'alarm', server: 1, state: 'OK', delivery: [100] },
    ],
    faults: [{ kind: 'call', from: 9 * second, on: 'edge.write', nth: 1, what: 'done later', ms }],
  })
  const undecidableIn = async (plan: Plan) => {
    const { violations, undecidable } = judge(await runHistory(plan))
    expect(violations).toEqual([])
    return [...new Set(undecidable)]
  }
  const neverOpens = sabotages.find(([name]) => name === 'a guard that is never opened')?.[1]

  test('is undecidable where no fence refuses it, and only there', async () => {
    expect(await undecidableIn(planOf('former', 70 * second))).toEqual(['a late write that no fence refused'])
    expect(await undecidableIn(planOf('ours', 70 * second))).toEqual([])
    expect(await undecidableIn(planOf('former', 4 * second))).toEqual([])
  })

  test('excuses no server whose guard was left before it came', async () => {
    const { violations } = judge(await runHistory(planOf('former', 70 * second), neverOpens))
    const guards = violations.filter(({ rule }) => rule === 'the guard agrees')
    expect([...new Set(guards.map(({ about }) => about.server))].sort()).toEqual([0, 1])
  })
})

test('a violation is expected only where its cause happened to that very edge and since it was right', () => {
  const incident = { kind: 'broken run', from: 100, until: 200, edge: 1, server: 0 } as const
  const kinds = (about: Partial<About>) =>
    leadingTo({ at: 300, since: 150, edge: 1, server: 0, ...about }, [incident])
  expect(kinds({})).toEqual(['broken run'])
  expect([kinds({ edge: 0 }), kinds({ server: 1 }), kinds({ since: 201 }), kinds({ at: 99 })]).toEqual([
    [],
    [],
    [],
    [],
  ])
})

test('a broken history is made shorter and stays broken', async () => {
  const long: Plan = {
    ...quiet,
    edges: [...quiet.edges, edge('edge-c')],
    faults: [{ kind: 'call', from: 0, on: 'store.*', nth: 20, what: 'slow', ms: 300 }],
  }
  const [, sabotage, rule] = countNothing
  const { plan, violation } = await shrink(long, rule, (candidate) => runHistory(candidate, sabotage))
  expect(violation?.rule).toBe(rule)
  expect(plan.happenings.map(({ kind }) => kind)).toEqual(['call', 'scale-in'])
  expect([plan.edges.length, plan.servers.length, plan.faults]).toEqual([1, 1, []])
})
