import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type ShortDeadline, shortDeadlineSeconds } from '../../lab/plan/fleet-plan.ts'
import type { DeadlineEvidence, Evidence } from '../../lab/referee/evidence.ts'
import type { ScenarioReport } from '../../lab/referee/referee.ts'
import { run } from '../../lab/scenarios/run.ts'
import type { Scenario } from '../../lab/scenarios/scenario.ts'
import { type DrainOptions, drainByLifecycle, waitFor } from '../../lab/scenarios/stage.ts'
import { type Severable, startSeverableProxy } from '../../lab/sip/severable-proxy.ts'
import { instanceOf, type Machine } from '../../lab/world/machines.ts'
import type { World } from '../../lab/world/world.ts'
import { present, some } from '../present.ts'
import { everythingIn } from './leak-search.ts'
import { sharedWorld } from './shared-world.ts'

/** What is known goes at the deadline, what is not is kept: two servers with it, one in trouble. */
const apart = { callsLeft: 'terminate', unknown: 'retain' } as const
const deadlines: readonly ShortDeadline[] = [
  { server: 'ms-1', deadlinePolicy: apart },
  { server: 'ms-2', deadlinePolicy: apart },
  { server: 'long-1', deadlinePolicy: { callsLeft: 'retain', unknown: 'terminate' } },
  {
    server: 'long-2',
    deadlinePolicy: { callsLeft: 'end-calls', unknown: 'terminate' },
    endCalls: { perStep: 2, withinSeconds: 40 },
  },
]

let way: Severable | undefined
const world = sharedWorld({
  deadlines,
  inFrontOf: async (edge) => {
    if (edge.name !== 'edge-b') return undefined
    way = await startSeverableProxy(edge)
    return way
  },
})
let reports: readonly ScenarioReport[]

const scenarios: readonly Scenario[] = [
  pastDeadline('terminate', 1, 'ms-1', 'terminate'),
  pastDeadline('retain', 1, 'long-1', 'retain'),
  pastDeadline('end-calls', 1, 'long-2', 'end-calls'),
  pastDeadline('unknown', 2, 'ms-2', 'retain', async () => {
    present(way, 'way to edge-b').sever()
    return {}
  }),
]

function pastDeadline(
  name: string,
  wave: 1 | 2,
  server: string,
  choice: DeadlineEvidence['choice'],
  afterConfirmation?: DrainOptions['afterConfirmation'],
): Scenario {
  return {
    name,
    wave,
    run: async (its, found, enough) => {
      const machine = its.machines.named(server)
      await untilBelieved(its)
      const drained = await drainByLifecycle(its, machine, {
        scenario: name,
        withFreshLongCall: true,
        ...(afterConfirmation && { afterConfirmation }),
      })
      present(way, 'way to edge-b').mend()
      enough()
      // An event says when to the second.
      const at = Math.floor(drained.triggeredAt / 1000) * 1000 + shortDeadlineSeconds * 1000
      const goneAt = choice === 'retain' ? await untilGone(machine) : undefined
      found({ ...drained, deadline: { at, choice, goneAt }, watchedUntil: Date.now() } satisfies Evidence)
    },
  }
}

/**
 * An edge that forgets its calls at a restart is believed when it has been up for longer than the longest
 * call.
 */
async function untilBelieved(its: World): Promise<void> {
  const believed = await waitFor(60_000, async () => {
    const up = await Promise.all(its.edges.map((edge) => edge.call('core.uptime', [])))
    return up.every((answer) => z.object({ uptime: z.number() }).parse(answer).uptime > 20)
  })
  expect(believed).toBe(true)
}

async function untilGone(machine: Machine): Promise<number | undefined> {
  const instance = instanceOf(machine)
  expect(instance.lifecycleState).toBe('Terminating:Retained')
  return (await waitFor(60_000, () => instance.ec2State === 'terminated')) ? Date.now() : undefined
}

beforeAll(async () => {
  const { report } = await run(world(), scenarios)
  reports = report.scenarios
}, 240_000)

const reportOf = (name: string) => reports.find((report) => report.name === name)
function saidOf(server: string, type: string) {
  const { id } = instanceOf(world().machines.named(server))
  const about = world()
    .controlEvents.all()
    .filter((event) => event.type === type && event.detail.instanceId === id)
  return about.map(({ detail }) => detail)
}
const callsOf = (server: string) =>
  world()
    .ledger.calls()
    .filter((call) => call.server === server)

test.each(scenarios.map(({ name }) => name))(
  '%s: the referee finds nothing that the policy does not say',
  (name) => {
    expect(reportOf(name)?.problems).toEqual([])
  },
)

describe('terminate', () => {
  test('the calls that were left are cut, no other is, and neither is hidden', () => {
    const cut = callsOf('ms-1').filter(({ outcome }) => outcome === 'cut').length
    expect(cut).toBeGreaterThan(0)
    expect(reportOf('terminate')).toMatchObject({ cut, cutByPolicy: cut, result: 'CONTINUE (completed)' })
    const [{ callsLeft = 0 } = {}, ...others] = saidOf('ms-1', 'Drain Overdue')
    expect(callsLeft).toBeGreaterThanOrEqual(cut)
    expect(others).toEqual([])
  })

  test('it is said with the reason, and counted', async () => {
    expect(saidOf('ms-1', 'Drain Overdue')).toMatchObject([
      { policy: 'terminate', because: expect.stringContaining('(callsLeft: terminate)') },
    ])
    const logs = (await everythingIn(world())).filter(({ kind }) => kind === 'log')
    const counted = (policy: string) =>
      logs.some(({ text }) => text.includes('"DeadlineDecisions"') && text.includes(`"policy":"${policy}"`))
    expect(['terminate', 'retain', 'end-calls'].filter(counted)).toHaveLength(3)
    expect(logs.some(({ text }) => text.includes('"CallsEnded"'))).toBe(true)
  })
})

test('retain: no call is cut, the instance is kept, its drain goes on, and it goes after its last BYE', () => {
  expect(reportOf('retain')).toMatchObject({ cut: 0, result: 'ABANDON (completed)' })
  expect(some(callsOf('long-1')).every(({ outcome }) => outcome === 'ended')).toBe(true)
  expect(saidOf('long-1', 'Instance Retained')).toHaveLength(1)
  expect(saidOf('long-1', 'Lifecycle Action Completed')).toMatchObject([{ completion: 'TERMINATE' }])
})

test('end-calls: every call that is left gets a BYE at both ends, a few in a step, and CONTINUE comes after', () => {
  const report = present(reportOf('end-calls'), 'report')
  expect(report).toMatchObject({ result: 'CONTINUE (completed)' })
  expect(report.cutByPolicy).toBe(report.cut)
  const steps = saidOf('long-2', 'Calls Ended')
  const ended = steps.map((detail) => z.object({ ended: z.int() }).parse(detail).ended)
  expect(Math.max(...ended)).toBeLessThanOrEqual(2)
  expect(ended.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(report?.cutByPolicy ?? 0)
  expect(saidOf('long-2', 'Drain Overdue')).toMatchObject([{ policy: 'end-calls' }])
})

test('unknown: an edge that does not answer has the instance kept, whatever is known of the others', () => {
  expect(reportOf('unknown')).toMatchObject({ cut: 0, result: 'ABANDON (completed)' })
  expect(saidOf('ms-2', 'Drain Overdue')).toMatchObject([
    { policy: 'retain', unknown: [expect.stringContaining('edge-b')] },
  ])
  expect(saidOf('ms-2', 'Lifecycle Action Completed')).toMatchObject([{ completion: 'TERMINATE' }])
})
