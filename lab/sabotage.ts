import { setTimeout as sleep } from 'node:timers/promises'
import type { Edge } from './edge.ts'
import { type Lie, startLyingProxy } from './lying-proxy.ts'
import type { Machine } from './machines.ts'
import { invitesBetween } from './referee.ts'
import type { Report } from './report.ts'
import type { Scenario } from './scenario.ts'
import { drainByLifecycle } from './stage.ts'
import type { Interposed, World } from './world.ts'

export const sabotageNames = [
  'early-continue',
  'lying-state',
  'lying-count',
  'deaf-heartbeat',
  'reactivated',
] as const
export type SabotageName = (typeof sabotageNames)[number]

/** A fault that comes from outside our functions, and the figure of the report that must show it. */
export interface Sabotage {
  readonly name: SabotageName
  readonly what: string
  readonly figure: string
  /** For a fault that has to be there before our functions are told of the edges. */
  readonly inFrontOf?: (edge: Edge) => Promise<Interposed | undefined>
  readonly scenario: Scenario
}

interface Plant {
  readonly before?: (world: World) => void
  readonly after?: (world: World) => void
  readonly whenConfirmed?: (world: World, machine: Machine, confirmedAt: number) => Promise<void>
}

/** One scale-in of a server with long calls, with the fault in it. Two servers, so that one world can have two faults in turn. */
function drainUnder(name: SabotageName, machineName: 'long-2' | 'long-3', plant: Plant = {}): Scenario {
  return {
    name,
    wave: 1,
    run: async (world, found) => {
      plant.before?.(world)
      const evidence = await drainByLifecycle(world, world.machines.named(machineName), {
        scenario: `scale-in, sabotaged: ${name}`,
        withFreshLongCall: true,
        afterConfirmation: async (machine, confirmedAt) => {
          await plant.whenConfirmed?.(world, machine, confirmedAt)
          return {}
        },
      })
      plant.after?.(world)
      found(evidence)
    },
  }
}

const proxied = (lie: Lie, edges: readonly string[]) => async (edge: Edge) =>
  edges.includes(edge.name) ? startLyingProxy(edge, lie) : undefined

/** A stranger activates the server on one edge, again and again, until a call has come of it. */
async function reactivate(world: World, machine: Machine, confirmedAt: number): Promise<void> {
  const [edge] = world.edges
  world.marks.push({ at: Date.now(), machine: machine.plan.name, label: 'a stranger activates it' })
  const deadline = Date.now() + 10_000
  while (edge !== undefined && Date.now() < deadline) {
    if (invitesBetween(world.ledger.calls(), machine.serverName, confirmedAt, Date.now()) > 0) return
    for (const group of machine.plan.sets) await edge.call('dispatcher.set_state', ['ap', group, machine.uri])
    await release(edge, machine.uri)
    await sleep(100)
  }
}

/** @throws whatever the edge says, other than that the key is not there */
async function release(edge: Edge, uri: string): Promise<void> {
  try {
    await edge.call('htable.delete', ['held', uri])
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('Key not found'))) throw error
  }
}

const sabotages: Readonly<Record<SabotageName, Sabotage>> = {
  'early-continue': {
    name: 'early-continue',
    what: 'the lifecycle action is continued by somebody else, 8 s after its start',
    figure: 'cut',
    scenario: drainUnder('early-continue', 'long-2', {
      before: ({ autoScaling }) => {
        autoScaling.faults.endEarlyMs = 8000
      },
      after: ({ autoScaling }) => {
        autoScaling.faults.endEarlyMs = undefined
      },
    }),
  },
  'lying-state': {
    name: 'lying-state',
    what: 'edge-b says Ok to every write, shows it in its list, and does nothing',
    figure: 'triggerToConfirmedMs',
    inFrontOf: proxied('state', ['edge-b']),
    scenario: drainUnder('lying-state', 'long-2'),
  },
  'lying-count': {
    name: 'lying-count',
    what: 'every edge says that the server has no calls',
    figure: 'cut',
    inFrontOf: proxied('count', ['edge-a', 'edge-b']),
    scenario: drainUnder('lying-count', 'long-2'),
  },
  'deaf-heartbeat': {
    name: 'deaf-heartbeat',
    what: 'Auto Scaling answers heartbeats and does not count them',
    figure: 'cut',
    scenario: drainUnder('deaf-heartbeat', 'long-2', {
      before: ({ autoScaling }) => {
        autoScaling.faults.ignoreHeartbeats = true
      },
      after: ({ autoScaling }) => {
        autoScaling.faults.ignoreHeartbeats = false
      },
    }),
  },
  reactivated: {
    name: 'reactivated',
    what: 'a stranger activates the server on edge-a after the confirmation',
    figure: 'newCallsAfterConfirmation',
    scenario: drainUnder('reactivated', 'long-3', { whenConfirmed: reactivate }),
  },
}

export function sabotageNamed(name: SabotageName): Sabotage {
  return sabotages[name]
}

/** What the referee found of it, in words; undefined when it found nothing, which makes the referee worthless. */
export function shownBy(sabotage: Sabotage, report: Report): string | undefined {
  const problem = report.scenarios
    .flatMap(({ problems }) => problems)
    .find(({ figure }) => figure === sabotage.figure)
  return problem && `${problem.figure}: ${problem.text}`
}
