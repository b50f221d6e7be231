import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../referee/report.ts'
import { invitesBetween } from '../sip/call-record.ts'
import type { Edge } from '../sip/edge.ts'
import type { Interposed } from '../sip/interposed.ts'
import { type Lie, startLyingProxy } from '../sip/lying-proxy.ts'
import type { Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './scenario.ts'
import { drainByLifecycle, untilProven } from './stage.ts'
import { meddle } from './stranger.ts'

export const sabotageNames = [
  'early-continue',
  'lying-state',
  'lying-count',
  'deaf-heartbeat',
  'reactivated',
  'two-writers',
] as const
export type SabotageName = (typeof sabotageNames)[number]

/**
 * A fault that comes from outside our functions, and the figures of the report, each of which must show it.
 */
export interface Sabotage {
  readonly name: SabotageName
  readonly what: string
  readonly figures: readonly string[]
  /** For a fault that has to be there before our functions are told of the edges. */
  readonly inFrontOf?: (edge: Edge) => Promise<Interposed | undefined>
  readonly scenario: Scenario
}

interface Plant {
  readonly before?: (world: World) => void
  readonly after?: (world: World) => void
  readonly whenConfirmed?: (world: World, machine: Machine, confirmedAt: number) => Promise<void>
}

/**
 * One scale-in with the fault in it. Three servers, so that one world can have three faults in turn.
 * Those with long calls are drained when one of them has just begun.
 */
function drainUnder(
  name: SabotageName,
  machineName: 'long-2' | 'long-3' | 'ms-7',
  plant: Plant = {},
): Scenario {
  return {
    name,
    wave: 1,
    run: async (world, found, enough) => {
      plant.before?.(world)
      const evidence = await drainByLifecycle(world, world.machines.named(machineName), {
        scenario: `scale-in, sabotaged: ${name}`,
        withFreshLongCall: machineName.startsWith('long-'),
        afterConfirmation: async (machine, confirmedAt) => {
          if (plant.whenConfirmed === undefined) return {}
          await plant.whenConfirmed(world, machine, confirmedAt)
          await untilProven(world, confirmedAt)
          enough()
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
    for (const set of machine.plan.sets) await edge.call('dispatcher.set_state', ['ap', set, machine.uri])
    await release(edge, machine.uri)
    await sleep(100)
  }
}

/** @throws whatever the edge answers, other than that the key is not there */
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
    figures: ['cut'],
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
    what: 'edge-b answers Ok to every write, shows it in its list, and does nothing',
    figures: ['triggerToConfirmedMs'],
    inFrontOf: proxied('state', ['edge-b']),
    scenario: drainUnder('lying-state', 'long-2'),
  },
  'lying-count': {
    name: 'lying-count',
    what: 'every edge answers that the server has no calls',
    figures: ['cut'],
    inFrontOf: proxied('count', ['edge-a', 'edge-b']),
    scenario: drainUnder('lying-count', 'long-2'),
  },
  'deaf-heartbeat': {
    name: 'deaf-heartbeat',
    what: 'Auto Scaling answers heartbeats and does not count them',
    figures: ['cut'],
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
    figures: ['newCallsAfterConfirmation'],
    scenario: drainUnder('reactivated', 'long-3', { whenConfirmed: reactivate }),
  },
  'two-writers': {
    name: 'two-writers',
    what: 'a stranger enables the server again and again, and disables another one; no call shows it',
    figures: ['edges.writes', 'edges.reopened', 'edges.disabled'],
    scenario: drainUnder('two-writers', 'ms-7', {
      whenConfirmed: (world, machine) => meddle(world, machine, world.machines.named('ms-8')),
    }),
  },
}

export function sabotageNamed(name: SabotageName): Sabotage {
  return sabotages[name]
}

/**
 * What the referee found of it, in words; undefined when a figure shows nothing, which makes the referee
 * worthless.
 */
export function shownBy({ figures }: Sabotage, { problems, scenarios }: Report): string | undefined {
  const all = [...problems, ...scenarios.flatMap((scenario) => scenario.problems)]
  const shown = figures.map((figure) => all.filter((problem) => problem.figure === figure))
  if (shown.some((found) => found.length === 0)) return undefined
  return shown
    .flat()
    .map(({ figure, text }) => `${figure}: ${text}`)
    .join('\n  ')
}
