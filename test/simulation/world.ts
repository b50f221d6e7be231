import { AsyncLocalStorage } from 'node:async_hooks'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { controlConfig } from '../../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import { type SettleRequest, settleRequest } from '../../functions/contracts/settle-request.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import { handleAlarm } from '../../functions/intake/handle-alarm.ts'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { handleLifecycle } from '../../functions/intake/handle-lifecycle.ts'
import { takeIn } from '../../functions/intake/intake.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import { sweep } from '../../functions/intake/sweep.ts'
import type { EdgePorts, Ports, SweepPorts } from '../../functions/ports/ports.ts'
import { createAsterisks } from '../memory/asterisk.ts'
import type { MemoryClock } from '../memory/clock.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { alarmsPort } from './alarms.ts'
import { createLosingStore, type LosingStore } from './drain-rows.ts'
import { ListedEdges } from './edge-lists.ts'
import { EdgeTruth } from './edge-truth.ts'
import { plantTroubles } from './edges.ts'
import { Executions } from './executions.ts'
import { Faults } from './faults.ts'
import { lagOf, Machines } from './machines.ts'
import { groupName, hooks, senderIds, unknownSender } from './messages.ts'
import type { Plan } from './plan.ts'
import { type Message, Queues } from './queues.ts'
import { type FunctionName, Runs } from './runs.ts'
import { type AllPorts, simulatedPorts } from './simulated-ports.ts'
import { type Machine, Truth } from './truth.ts'
import { VirtualClock } from './virtual-clock.ts'
import { choicesAnswered, watched } from './watch-choices.ts'
import { answersTo, type ByUs, noteFaults, traced, watchByes } from './witness.ts'

const minute = 60_000
/** after so long `end-calls` leaves the rest to go with the instance */
export const endingSeconds = 60
/** the longest call that the edges allow */
export const longestCallSeconds = 900

export interface World {
  readonly plan: Plan
  readonly clock: MemoryClock
  readonly startedAt: number
  readonly runs: Runs
  readonly faults: Faults
  readonly truth: Truth
  readonly machines: Machines
  readonly edges: readonly MemoryEdge[]
  /** edges that have a parameter, by index */
  readonly configured: Set<number>
  readonly queues: Queues
  readonly store: LosingStore
  readonly events: ReturnType<typeof simulatedPorts>['events']
  readonly executions: Executions
  readonly lists: ListedEdges
  readonly byUs: ByUs
  /** A first look, at which nothing goes wrong: the deployment knows its edges before anything happens. */
  lookAround(): Promise<void>
  stop(): void
}

/**
 * The deployed use cases and workflow over ports in memory, on one virtual clock, in the world of a plan.
 * `sabotage` replaces ports.
 */
export function createWorld(plan: Plan, sabotage: (ports: AllPorts) => AllPorts = (ports) => ports): World {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const faults = new Faults(plan.faults, startedAt)
  const runs = new Runs(clock, faults, plan.skewsMs)
  const truth = new Truth(plan.edges.map(({ version }) => new EdgeTruth(version === '6.1')))
  runs.onLate = (by, call) => {
    if (call === 'edge.write') truth.lateWrites.push({ by, at: clock.now() })
  }
  const decidedAt = new AsyncLocalStorage<number | undefined>()
  const machines = new Machines(plan, clock, truth, () => decidedAt.getStore())
  for (const server of plan.servers.keys()) machines.put(server, startedAt - 24 * 60 * minute)
  const lists = new ListedEdges(plan, { clock, runs, faults, truth })
  const { edges } = lists
  plantTroubles(plan, edges, clock, faults, truth)
  noteFaults(plan, truth, startedAt)
  const byUs = watchByes(edges, truth, clock)
  const configured = new Set(plan.edges.flatMap((edge, index) => (edge.configured ? [index] : [])))
  const store = createLosingStore()
  const executions = new Executions({
    ...{ plan, clock, startedAt, runs, faults, decidedAt },
    ports: () => ports,
  })
  const config = configOf(plan)
  const answers = answersTo({ plan, edges, truth, clock, lists })
  const noted = choicesAnswered({ truth, clock })
  const simulated = simulatedPorts({
    config,
    onPublished: (event) => {
      answers(event)
      noted(event)
    },
    runs,
    store: watched(traced(store, { plan, runs, lists, truth }), { plan, clock, runs, lists, truth, faults }),
    edges: () => edges.filter((_, index) => configured.has(index)),
    factsOf: (id) => machines.factsOf(id),
    allFacts: () => machines.allFacts(),
    lifecycleActions: machines.port(),
    groupMembers: machines.members(),
    alarms: alarmsPort(truth, startedAt, () => clock.now() - lagOf(plan)),
    workflows: executions.workflows,
    settles: { ask: async (request) => settling(request) },
    deadLetters: { reject: async ({ body }, reason) => queues.rejected(body, reason.name) },
    mediaServers: createAsterisks(config.groups, (address) => channelsAt(address, plan, truth, clock.now())),
  })
  const { ports, sweepPorts, edgePorts } = shared(sabotage(simulated.ports))
  const settling = backgroundSettles({ clock, runs, faults, edgePorts })
  const queues = new Queues(clock, runs, faults, (name, message) => work(ports, name, message))
  everyMinute(clock, startedAt + 500, () => {
    settling({ kind: 'minute' })
    void runs.outside(() => runs.invoke('reconcile', () => reconcile(ports)))
    void runs.outside(() => runs.invoke('sweep', () => sweep(sweepPorts)))
    machines.look()
  })
  return {
    ...{ plan, clock, startedAt, runs, faults, truth, machines, edges },
    ...{ configured, queues, store, executions, lists, byUs },
    events: simulated.events,
    lookAround: () =>
      runs.outside(async () => {
        await handleSettle(edgePorts, { kind: 'minute' })
        await reconcile(ports)
      }),
    stop() {
      executions.stop()
      runs.stop()
      clock.stop()
    },
  }
}

/** Until the clock stops. */
function everyMinute(clock: MemoryClock, firstAt: number, act: () => void): void {
  clock.at(firstAt, () => {
    act()
    everyMinute(clock, clock.now() + minute, act)
  })
}

/** What each function has of all ports: only settle reaches edges and media servers; it ends no action. */
function shared(all: AllPorts): {
  readonly ports: Ports
  readonly sweepPorts: SweepPorts
  readonly edgePorts: EdgePorts
} {
  const { fleet: _fleet, mediaServers: _mediaServers, ...sweepPorts } = all
  const { groupMembers: _members, alarms: _alarms, ...ports } = sweepPorts
  const { lifecycleActions: _actions, deadLetters: _deadLetters, ...edgePorts } = all
  return { ports, sweepPorts, edgePorts }
}

/** How long after one that failed or died Lambda does again what nobody waits for; then it is lost. */
const comesAgainAfter = [1 * minute, 2 * minute]
/** how long a request waits in Lambda's own queue */
const queuedMs = 20

/**
 * The settle function as everybody asks it: in the background, with what Lambda does about one that fails.
 */
function backgroundSettles({
  clock,
  runs,
  faults,
  edgePorts,
}: Pick<World, 'clock' | 'runs' | 'faults'> & { readonly edgePorts: EdgePorts }) {
  const run = async (request: SettleRequest) => {
    for (const waitMs of [queuedMs, ...comesAgainAfter]) {
      await clock.sleep(waitMs)
      if (request.kind !== 'minute' && request.kind !== 'settle')
        faults.lastAt = Math.max(faults.lastAt, clock.now())
      const { end } = await runs.invoke('settle', () => handleSettle(edgePorts, request))
      if (end === 'answered') return
    }
  }
  return (request: SettleRequest): void => {
    const asSent = settleRequest.parse(JSON.parse(JSON.stringify(request)))
    void runs.outside(() => run(asSent))
  }
}

/** The channels of the Asterisk at this address: one for each call, and one that a SIP MESSAGE has left. */
function channelsAt(address: string, plan: Plan, { calls, machines }: Truth, now: number): string[] {
  const isThere = ({ server }: Machine) => plan.servers[server]?.address === address
  const up = calls.filter(({ machine, from, to }) => from <= now && to > now && isThere(machine))
  const left = machines.filter((one) => one.hadMessage && one.goneAt === undefined && isThere(one))
  return [...up.map(({ number }) => `PJSIP/edge-${number}`), ...left.map(() => 'Message/ast_msg_queue')]
}

function configOf({ group, servers, clearance, senders }: Plan): Ports['config'] {
  return controlConfig.parse({
    groups: [
      {
        name: groupName,
        terminateHook: hooks.terminate,
        ...(group.ownCount && {
          callCount: { kind: 'asterisk', user: 'ari', passwordParameter: '/simulated' },
        }),
        ...(group.launchHook && { launchHook: hooks.launch }),
        heartbeatTimeoutSeconds: group.heartbeatTimeoutSeconds,
        drainDeadlineSeconds: group.drainDeadlineSeconds,
        deadlinePolicy: { callsLeft: group.callsLeft, unknown: group.unknown },
        ...(group.callsLeft === 'end-calls' && { endCalls: { perStep: 2, withinSeconds: endingSeconds } }),
      },
    ],
    alarms: servers.map((_, index) => ({ name: `alarm-${index}` })),
    ...(clearance && { clearance }),
    ...(senders && { maxHoldsPerSender: senders.mostHolds }),
    ...(senders?.named && { senders: knownSenders() }),
    timers: { failoverWindowSeconds: 10, longestCallSeconds },
  })
}

/** A role is named once, for all its sessions. */
function knownSenders() {
  const ids = new Set(senderIds.slice(0, unknownSender).map((id) => id.replace(/:.*/, '')))
  return [...ids].map((id, index) => ({ id, name: `sender ${index}` }))
}

/** What each handler does with a message. */
async function work(ports: Ports, name: FunctionName, message: Message): Promise<void> {
  await takeIn(ports, message, async () => {
    if (name === 'alarm-events') await handleAlarm(ports, parseAlarmMessage(message.body))
    else if (name === 'lifecycle-events') await handleLifecycle(ports, parseLifecycleMessage(message.body))
    else await handleCommand(ports, message)
  })
}
