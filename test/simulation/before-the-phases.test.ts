import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runHistory } from './history.ts'
import type { Plan } from './plan.ts'

interface Scenario {
  readonly plan: Plan
  /** by drain, in order */
  readonly events: Readonly<Record<string, readonly string[]>>
}

/**
 * The histories of the first twenty seeds, without the faults that count calls of a port, and what commit
 * 28c9bf4^ published in them of each drain. It was the last one whose drains had no phases. `Drain Progress`
 * is left out: since then it is published only when something has changed.
 */
const scenarios: readonly Scenario[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'before-the-phases.json'), 'utf8'),
)

/** What a later mend has changed on purpose, by seed. */
const changedSince: Readonly<Record<number, Scenario['events']>> = {
  // f48867e: a machine whose address EC2 shows while a look is under way is published as confirmed
  3: {
    'lifecycle/i-00000000000000003/drain-calls': [
      'Drain Started',
      'Drain Confirmed',
      'Drain Overdue',
      'Lifecycle Action Completed',
      'Drain Ended',
    ],
  },
  // the sweep: the event of this scale-in was lost, and nobody found the machine
  6: {
    'lifecycle/i-00000000000000003/drain-calls': [
      'Drain Started',
      'Lifecycle Action Completed',
      'Drain Ended',
    ],
  },
  // f48867e
  15: {
    'lifecycle/i-00000000000000003/drain-calls': [
      'Drain Started',
      'Drain Confirmed',
      'Lifecycle Action Completed',
      'Drain Ended',
    ],
  },
  // the sweep: this alarm's OK was lost, and its hold is lifted before its calls are over
  18: { 'alarm/alarm-0': ['Drain Started', 'Drain Confirmed', 'Drain Ended'] },
}

test.each(scenarios)(
  'the events of each drain are what they were before the phases: seed $plan.seed',
  async ({ plan, events }) => {
    const { published } = await runHistory(plan)
    const ofDrains = published.filter(({ type }) => type !== 'Drain Progress' && type !== 'Swept')
    const now = Map.groupBy(ofDrains, ({ drainId }) => drainId)
    now.delete(undefined)
    const sequences = [...now].map(([drainId, each]) => [drainId, each.map(({ type }) => type)])
    expect(Object.fromEntries(sequences)).toEqual({ ...events, ...changedSince[plan.seed] })
  },
)

test('there are twenty scenarios', () => {
  expect(scenarios).toHaveLength(20)
})
