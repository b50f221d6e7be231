import { describe, expect, test } from 'vitest'
import { runHistory } from './history.ts'
import type { Fault, Plan } from './plan.ts'
import { brokenIn, countNothing, quiet } from './planted.ts'
import { judge } from './referee.ts'

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

  test('is undecidable also where a later look saw it, and nothing could take the completion back', async () => {
    const { violations, undecidable } = judge(await runHistory(beginsAt(31 * second)))
    expect(violations).toEqual([])
    expect(undecidable).toEqual(['a call began while its server was let go'])
  })

  test('is cut where it was up when the look began that decided', async () => {
    const [, sabotage, rule] = countNothing
    expect(await brokenIn(beginsAt(15 * second), sabotage)).toContain(rule)
  })
})
