import { describe, expect, test } from 'vitest'
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

describe('a mark whose address another machine had', () => {
  const drained: Happening = { at: 10 * second, kind: 'scale-in', server: 0, delivery: [100], gone: [100] }
  const heir = (addressAfter: number): Happening => ({
    ...{ at: 11 * second, kind: 'launch', server: 0, after: second, notFoundFor: 0, addressAfter },
    ...{ delivery: [100], successful: [100] },
  })
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
    const plan = planOf([drained, heir(300 * second), dies(200 * second), later])
    expect((await judged(plan)).broken).toEqual([])
  })

  test.each([
    ['lives', []],
    ['was there for long', [dies(900 * second)]],
  ])('ends where that one %s', async (_, deaths) => {
    const plan = planOf([drained, heir(0), later, ...deaths])
    expect((await judged(plan)).broken).toEqual([])
    expect((await judged(plan, endsNoMark)).broken).toContain('no mark outlives its reason')
  })
})
