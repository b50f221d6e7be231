import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn'
import type { Activity } from '../auto-scaling/auto-scaling-groups.ts'
import { plan } from '../plan/fleet-plan.ts'
import type { Problem } from '../referee/evidence.ts'
import type { World } from '../world/world.ts'
import { output } from '../world/world-aws.ts'
import { drainAndLaunch, type Scenario } from './scenario.ts'
import { drainByLifecycle, untilGapCloses, untilProven } from './stage.ts'

export const scaleIn: Scenario = {
  name: 'scale-in',
  wave: 1,
  run: async (world, found) => {
    await drainAndLaunch(world, world.machines.named('ms-1'), { scenario: 'scale-in' }, found)
  },
}

export const threeAtOnce: Scenario = {
  name: 'three at once',
  wave: 1,
  run: async (world, found) => {
    await Promise.all(
      ['ms-2', 'ms-3', 'ms-4'].map((name, index) =>
        drainAndLaunch(
          world,
          world.machines.named(name),
          { scenario: `three at once (${index + 1})` },
          found,
        ),
      ),
    )
  },
}

export const duplicateEvent: Scenario = {
  name: 'duplicate event',
  wave: 1,
  run: async (world, found) => {
    const options = {
      scenario: 'duplicate event',
      deliver: 'twice' as const,
      check: (activity: Activity) => onceOnly(world, activity),
    }
    await drainAndLaunch(world, world.machines.named('ms-8'), options, found)
  },
}

const startedWithinMs = 5000

/** Two deliveries of one event: one execution of the workflow, one completion. */
async function onceOnly(world: World, activity: Activity): Promise<readonly Problem[]> {
  const [action] = activity.actions
  const sfn = new SFNClient(world.emulator.client)
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: output(world.outputs, 'StateMachineArn') }),
  )
  sfn.destroy()
  // Settle wakes a drain by another attempt once its last call is over: what a delivery starts is started at
  // once.
  const [, second = 0] = action?.published ?? []
  const own = executions.filter(
    ({ name = '', startDate }) =>
      name.includes(activity.instance.id) && Number(startDate) < second + startedWithinMs,
  ).length
  const completions = action?.completions.length ?? 0
  const delivered = action?.published.length ?? 0
  return [
    ...(delivered === 2
      ? []
      : [{ figure: 'deliveries', text: `its event was delivered ${delivered} times` }]),
    ...(own === 1 ? [] : [{ figure: 'executions', text: `${own} executions ran for one lifecycle action` }]),
    ...(completions === 1
      ? []
      : [{ figure: 'completions', text: `one lifecycle action was completed ${completions} times` }]),
  ]
}

/** The sweep comes once a minute, and finds what it is shown at once. */
const sweptWithinMs = 120_000

/** EventBridge loses an instance's only event: nothing but the deployed sweep comes to know of it. */
export const lostEvent: Scenario = {
  name: 'a lost event',
  wave: 1,
  run: async (world, found) => {
    const options = {
      scenario: 'a lost event',
      deliver: 'never' as const,
      disabledWithinMs: sweptWithinMs,
      check: async ({ actions: [action] }: Activity) =>
        action?.published.length === 0
          ? []
          : [{ figure: 'deliveries', text: 'its event was not lost, so it proves nothing' }],
    }
    await drainAndLaunch(world, world.machines.named('long-3'), options, found)
  },
}

export const outlastsHeartbeat: Scenario = {
  name: 'call outlasts the heartbeat timeout',
  wave: 1,
  run: async (world, found) => {
    const machine = world.machines.named('long-1')
    const server = machine.serverName
    const options = {
      scenario: 'call outlasts the heartbeat timeout',
      withFreshLongCall: true,
      check: async (activity: Activity) => outlasted(world, server, activity),
    }
    await drainAndLaunch(world, machine, options, found)
  },
}

/**
 * A call went on for longer than one heartbeat timeout after the event, so that the drain lived on
 * heartbeats.
 */
function outlasted(world: World, server: string, { actions: [action] }: Activity): readonly Problem[] {
  const startedAt = action?.startedAt ?? 0
  world.ledger.sync()
  const byes = world.ledger
    .calls()
    .flatMap((call) => (call.server === server ? (call.byeAtServerAt ?? []) : []))
  const lasted = Math.max(0, ...byes) - startedAt
  return lasted > plan.heartbeatTimeoutSeconds * 1000
    ? []
    : [
        {
          figure: 'longestCallMs',
          text: `the last call ended ${lasted} ms after the event, within one heartbeat timeout`,
        },
      ]
}

export const asterisk: Scenario = {
  name: 'a real Asterisk',
  wave: 1,
  run: async (world, found) => {
    await drainAndLaunch(world, world.machines.named('asterisk'), { scenario: 'a real Asterisk' }, found)
  },
}

/** The edge that forgets its calls and its states is restarted while a drain is under way. */
export const restartMidDrain: Scenario = {
  name: 'edge restarted mid-drain',
  wave: 2,
  run: async (world, found, enough) => {
    const edge = world.edges.find(({ name }) => name === 'edge-b')
    if (edge === undefined) throw new Error('the lab has no edge-b')
    const evidence = await drainByLifecycle(world, world.machines.named('ms-9'), {
      scenario: 'edge restarted mid-drain',
      afterConfirmation: async (machine, confirmedAt) => {
        await untilProven(world, confirmedAt)
        const at = Date.now()
        world.marks.push({ at, label: `${edge.name} restarted` })
        await edge.restart()
        await untilGapCloses(world, machine, { edge: edge.name, at })
        enough()
        return { restart: { edge: edge.name, at } }
      },
    })
    found(evidence)
  },
}
