import { describe, expect, test } from 'vitest'
import type { Edge } from '../../functions/ports/edge.ts'
import type { Rule } from './findings.ts'
import { runHistory } from './history.ts'
import type { Happening, Plan } from './plan.ts'
import { edge, group } from './races.ts'
import { judge } from './referee.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000

const planOf = (happenings: readonly Happening[], changes: Partial<Plan> = {}): Plan => ({
  seed: 0,
  edges: [edge('edge-a')],
  servers: [
    {
      address: '10.0.1.20',
      port: 5060,
      namedBy: 'instance',
      lines: [{ edge: 0, set: 1, flags: 'AP', listed: true }],
    },
  ],
  group,
  happenings,
  faults: [],
  skewsMs: [0],
  ...changes,
})

async function judged(plan: Plan, sabotage?: (ports: AllPorts) => AllPorts) {
  const { violations, undecidable } = judge(await runHistory(plan, sabotage))
  const broken: Rule[] = [...new Set(violations.map(({ rule }) => rule))]
  return { broken, undecidable }
}

const drained: Happening = { at: 10 * second, kind: 'scale-in', server: 0, delivery: [100], gone: [100] }
const heir = (after: number, addressAfter = 0): Happening => ({
  ...{ at: 11 * second, kind: 'launch', server: 0, after, notFoundFor: 0, addressAfter },
  ...{ delivery: [100], successful: [100] },
})

describe('a mark whose address another machine had', () => {
  const dies = (at: number): Happening => ({ at, kind: 'machine-dies', server: 0, gone: [100] })
  const later: Happening = { at: 700 * second, kind: 'stranger-reloads', edge: 0 }
  const endsNoMark = (ports: AllPorts): AllPorts => ({
    ...ports,
    store: {
      ...ports.store,
      putHold: async (hold) =>
        hold.source === 'retired' && hold.lifted ? 'written' : ports.store.putHold(hold),
    },
  })

  test('stays where that one was gone before EC2 had shown its address', async () => {
    const plan = planOf([drained, heir(second, 300 * second), dies(200 * second), later])
    expect((await judged(plan)).broken).toEqual([])
  })

  test.each([
    ['lives', []],
    ['was there for long', [dies(900 * second)]],
    ['was admitted, and died soon', [dies(200 * second)]],
  ])('ends where that one %s', async (_, deaths) => {
    const plan = planOf([drained, heir(second), later, ...deaths])
    expect((await judged(plan)).broken).toEqual([])
    expect((await judged(plan, endsNoMark)).broken).toContain('no mark outlives its reason')
  })
})

describe('a D that comes between two readings while ours is on record', () => {
  const reload = (at: number): Happening => ({ at: at * second, kind: 'stranger-reloads', edge: 0 })
  const edited: Happening = {
    ...{ at: 184 * second, kind: 'line', server: 0, edge: 0, set: 1, listed: true, flags: 'DX' },
  }
  const hand = (at: number, state: 'ip' | 'd'): Happening => ({
    ...{ at: at * second, kind: 'hand', server: 0, edge: 0, set: 1, state },
  })
  // Its mark is settled once a minute.
  const [mark, byList] = [
    [drained, heir(200 * second)],
    [reload(183), edited, reload(190)],
  ]
  const byHand = [hand(183, 'ip'), hand(190, 'd')]
  const before = 'what an entry showed before'

  test.each([
    ['the list, before 6.1', byList, '6.0'],
    ['a hand', byHand, '6.1'],
  ] as const)('is nobody’s to tell: by %s', async (_, happenings, version) => {
    const plan = planOf([...mark, ...happenings], { edges: [edge('edge-a', { version })] })
    const { broken, undecidable } = await judged(plan)
    expect([broken, undecidable]).toEqual([[], expect.arrayContaining([before])])
  })

  test.each([
    ['a reload of 6.1 shows', 200, '6.1'],
    ['what was given back, and read so twice, is on record no more', 60, '6.0'],
  ] as const)('%s: the list’s D is its own', async (_, launchedAfter, version) => {
    const edges = [edge('edge-a', { version })]
    const plan = planOf([drained, heir(launchedAfter * second), ...byList], { edges })
    expect(await judged(plan)).toEqual({ broken: [], undecidable: [] })
  })

  test('whoever does not look at the identity opens what the list has disabled', async () => {
    const { broken } = await judged(planOf([...mark, ...byList]), (ports) => ({
      ...ports,
      fleet: {
        ...ports.fleet,
        edges: async () => (await ports.fleet.edges()).map(withoutIdentities),
      },
    }))
    expect(broken).toContain('nothing is opened that we did not close')
  })
})

function withoutIdentities(each: Edge): Edge {
  return {
    ...each,
    under: (generation) => withoutIdentities(each.under(generation)),
    list: async () => {
      const { destinations, opaque } = await each.list()
      return { opaque, destinations: destinations.map(({ iuid: _, ...entry }) => entry) }
    },
  }
}

describe('an action whose execution hangs', () => {
  const call: Happening = {
    ...{ at: 5 * second, kind: 'call', server: 0, edge: 0, out: false, lasts: 900 * second },
  }
  const hangs: Happening = { at: 97 * second, kind: 'executions-end', server: 0, how: 'hangs' }
  const refused = (from: number, to: number): Plan['faults'][number] => ({
    ...{ kind: 'port', port: 'store', from: from * second, to: to * second },
  })
  const hanging = (...faults: Plan['faults'][number][]) =>
    planOf([call, drained, hangs], { group: { ...group, heartbeatTimeoutSeconds: 300 }, faults })
  const nobody = 'nobody could keep an action alive'

  test('is nobody’s to keep alive while the store answers no sweep that would find that', async () => {
    const { broken, undecidable } = await judged(hanging(refused(180, 310)))
    expect([broken, undecidable]).toEqual([[], expect.arrayContaining([nobody])])
  })

  test('is kept alive by the sweep where the store refuses for less than a minute, or soon enough', async () => {
    for (const plan of [hanging(), hanging(refused(200, 255)), hanging(refused(100, 200))]) {
      const { broken, undecidable } = await judged(plan)
      expect([broken, undecidable.includes(nobody)]).toEqual([[], false])
    }
  })
})
