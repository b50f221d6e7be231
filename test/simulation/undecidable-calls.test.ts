import { describe, expect, test } from 'vitest'
import { runHistory } from './history.ts'
import type { Fault, Plan } from './plan.ts'
import { brokenIn, countNothing, quiet, withEdges } from './planted.ts'
import { edge, group } from './races.ts'
import { judge } from './referee.ts'
import type { AllPorts } from './simulated-ports.ts'

const second = 1000

describe('a call that began while its server was let go', () => {
  /** Auto Scaling completes the action 25 s after it was asked to. */
  const late: Fault = {
    ...{ kind: 'call', from: 0, on: 'lifecycleActions.complete', nth: 1 },
    ...{ what: 'done later', ms: 25 * second },
  }
  const beginsAt = (at: number): Plan => ({
    ...quiet,
    servers: quiet.servers.slice(0, 1),
    happenings: [
      { at: 10 * second, kind: 'scale-in', server: 0, delivery: [100], gone: [100] },
      { at, kind: 'call', server: 0, edge: 1, out: true, lasts: 60 * second },
    ],
    faults: [late],
  })

  test('is undecidable, also where a later look saw it before the completion arrived', async () => {
    const { violations, undecidable } = judge(await runHistory(beginsAt(31 * second)))
    expect(violations).toEqual([])
    expect(undecidable).toEqual(['a call began while its server was let go'])
  })

  test('is cut where it was up when the look began that decided', async () => {
    const [, sabotage, rule] = countNothing
    expect(await brokenIn(beginsAt(15 * second), sabotage)).toContain(rule)
  })

  test('is cut where it was up when its edge was counted for that look, though the look had begun', async () => {
    const asksForNothing = withEdges((each) => ({
      countAndBoot: async (subjects) => {
        const { bootTime } = await each.countAndBoot(subjects)
        return { counts: subjects.map(() => ({ calls: 0, source: 'profile', outbound: true })), bootTime }
      },
    }))
    const plan = beginsAt(39.31 * second)
    const edges = plan.edges.map((each) => ({ ...each, latencyMs: 400 }))
    const { truth, startedAt } = await runHistory({ ...plan, edges }, asksForNothing)
    expect(truth.goings.map(({ decidedAt = 0 }) => decidedAt - startedAt)).toEqual([39.3 * second])
    expect(await brokenIn({ ...plan, edges }, asksForNothing)).toEqual(['no call is cut'])
  })
})

describe('a call that moved from an edge off the list, under a URI that only that one lists', () => {
  const name = 'media-1.example.internal'
  const moved = (changes: Partial<Plan>, listed = false): Plan => ({
    ...quiet,
    edges: [edge('edge-a'), edge('edge-b', { configured: false })],
    servers: [
      {
        ...{ address: '10.0.1.20', name, port: 5060, namedBy: 'instance' },
        lines: [
          { edge: 0, set: 1, flags: 'AX', listed },
          { edge: 1, set: 1, flags: 'AX', listed: true },
        ],
      },
    ],
    happenings: [
      {
        ...{ at: 2 * second, kind: 'call', server: 0, edge: 1, out: false, lasts: 400 * second },
        moves: [{ edge: 0, after: 3 * second }],
      },
      { at: 10 * second, kind: 'scale-in', server: 0, delivery: [100], gone: [100] },
    ],
    ...changes,
  })
  const undecidable = 'a call under a URI that only an edge off the list has shown'
  const judged = async (plan: Plan, sabotage?: (ports: AllPorts) => AllPorts) => {
    const findings = judge(await runHistory(plan, sabotage))
    return [...findings.violations.map(({ rule }) => rule), ...findings.undecidable]
  }

  test('is undecidable', async () => {
    expect(await judged(moved({}))).toContain(undecidable)
    expect(await judged(moved({}))).not.toContain('no call is cut')
  })

  test.each<readonly [string, Plan]>([
    ['an edge lists it that can be asked', moved({}, true)],
    ['the edge that lists it had a parameter', moved({ edges: quiet.edges })],
    [
      'its server is listed by its address',
      { ...moved({}), servers: moved({}).servers.map(({ name: _, ...server }) => server) },
    ],
    ['the media server has a count of its own', moved({ group: { ...group, ownCount: true } })],
  ])('is cut where %s, and nobody counts it', async (_, plan) => {
    const [, countsNone] = countNothing
    const sabotage = (ports: AllPorts) => ({
      ...countsNone(ports),
      mediaServers: { activeCalls: async () => 0 },
    })
    expect(await judged(plan, sabotage)).toContain('no call is cut')
    expect(await judged(plan)).not.toContain('no call is cut')
  })
})
