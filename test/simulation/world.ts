import { AsyncLocalStorage } from 'node:async_hooks'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { controlConfig } from '../../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import { type SettleRequest, settleRequest } from '../../functions/contracts/settle-request.ts'
import { type WorkflowPayload, workflowInput } from '../../functions/contracts/workflow-payload.ts'
import { drainWorkflow } from '../../functions/control/workflow.ts'
import { look } from '../../functions/drain/look.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import { handleAlarm } from '../../functions/intake/handle-alarm.ts'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { handleLifecycle } from '../../functions/intake/handle-lifecycle.ts'
import { takeIn } from '../../functions/intake/intake.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import type { EdgePorts, Ports } from '../../functions/ports/ports.ts'
import { createAsterisks } from '../memory/asterisk.ts'
import type { MemoryClock } from '../memory/clock.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { createMemoryWorkflows } from '../memory/workflows.ts'
import { interpreter } from '../workflow/interpreter.ts'
import { createLosingStore, type LosingStore } from './drain-rows.ts'
import { createEdges } from './edge-lists.ts'
import { plantTroubles } from './edges.ts'
import { Faults } from './faults.ts'
import { Machines } from './machines.ts'
import { groupName, hooks } from './messages.ts'
import type { Plan } from './plan.ts'
import { type Message, Queues } from './queues.ts'
import { type FunctionName, Runs } from './runs.ts'
import { type AllPorts, simulatedPorts } from './simulated-ports.ts'
import { EdgeTruth, type Machine, Truth } from './truth.ts'
import { VirtualClock } from './virtual-clock.ts'
import { answersTo, type ByUs, tellOfFaults, traced, watchByes } from './witness.ts'

const minute = 60_000
/** after so long `end-calls` leaves the rest to go with the instance */
export const endingSeconds = 60
/** the longest call that the edges allow */
export const longestCallSeconds = 900

/** What an execution of the workflow came to; `events` of its history so far. */
export interface ExecutionSeen {
  readonly drainId: string
  readonly attempt: number
  readonly startedAt: number
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED'
  events: number
}

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
  readonly executions: readonly ExecutionSeen[]
  readonly lists: ReturnType<typeof createEdges>
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
  const lists = createEdges(plan, { clock, runs, faults, truth })
  const { edges } = lists
  plantTroubles(plan, edges, clock, faults, truth)
  tellOfFaults(plan, truth, startedAt)
  const byUs = watchByes(edges, truth, clock)
  const configured = new Set(plan.edges.flatMap((edge, index) => (edge.configured ? [index] : [])))
  const store = createLosingStore()
  const { executions, workflows } = watchedWorkflows(clock, runs, (input) => execute(input))
  const config = configOf(plan)
  const simulated = simulatedPorts({
    config,
    onPublished: answersTo({ plan, edges, truth, clock, lists }),
    runs,
    store: traced(store, { plan, runs, lists, truth }),
    edges: () => edges.filter((_, index) => configured.has(index)),
    factsOf: (id) => machines.factsOf(id),
    allFacts: () => machines.allFacts(),
    lifecycleActions: machines.port(),
    workflows,
    settles: { ask: async (request) => settling(request) },
    deadLetters: { reject: async ({ body }, reason) => queues.rejected(body, reason.name) },
    mediaServers: createAsterisks(config.groups, (address) => channelsAt(address, plan, truth, clock.now())),
  })
  const { ports, edgePorts } = shared(sabotage(simulated.ports))
  const settling = backgroundSettles({ clock, runs, faults, edgePorts })
  let stopped = false
  const execute = executor({ plan, clock, startedAt, runs, ports, faults, decidedAt, stopped: () => stopped })
  const queues = new Queues(clock, runs, faults, (name, message) => work(ports, name, message))
  const everyMinute = () => {
    if (stopped) return
    settling({ kind: 'minute' })
    void runs.outside(() => runs.invoke('reconcile', () => reconcile(ports)))
    machines.look()
    clock.at(clock.now() + minute, everyMinute)
  }
  clock.at(startedAt + 500, everyMinute)
  return {
    ...{
      plan,
      clock,
      startedAt,
      runs,
      faults,
      truth,
      machines,
      edges,
      configured,
      queues,
      store,
      executions,
      lists,
      byUs,
    },
    events: simulated.events,
    lookAround: () =>
      runs.outside(async () => {
        await handleSettle(edgePorts, { kind: 'minute' })
        await reconcile(ports)
      }),
    stop() {
      stopped = true
      runs.stop()
      clock.stop()
    },
  }
}

function watchedWorkflows(
  clock: MemoryClock,
  runs: Runs,
  execute: (input: WorkflowPayload) => Promise<Pick<ExecutionSeen, 'status' | 'events'>>,
) {
  const executions: ExecutionSeen[] = []
  const workflows = createMemoryWorkflows((input) => {
    const seen: ExecutionSeen = {
      drainId: input.drainId,
      attempt: input.attempt,
      startedAt: clock.now(),
      status: 'RUNNING',
      events: 0,
    }
    executions.push(seen)
    void runs
      .outside(() => execute(input))
      .then(({ status, events }) => {
        Object.assign(seen, { status, events })
        if (status === 'FAILED') workflows.fail(input.drainId, input.attempt)
        if (status === 'SUCCEEDED') workflows.succeed(input.drainId, input.attempt)
      })
  })
  return { executions, workflows }
}

/** What each function has of all ports: only settle reaches edges and media servers; it ends no action. */
function shared(all: AllPorts): { readonly ports: Ports; readonly edgePorts: EdgePorts } {
  const { fleet: _fleet, mediaServers: _mediaServers, ...ports } = all
  const { lifecycleActions: _actions, deadLetters: _deadLetters, ...edgePorts } = all
  return { ports, edgePorts }
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

function configOf({ group, servers }: Plan): Ports['config'] {
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
    timers: { failoverWindowSeconds: 10, longestCallSeconds },
  })
}

/** What each handler does with a message. */
async function work(ports: Ports, name: FunctionName, message: Message): Promise<void> {
  await takeIn(ports, message, async () => {
    if (name === 'alarm-events') await handleAlarm(ports, parseAlarmMessage(message.body))
    else if (name === 'lifecycle-events') await handleLifecycle(ports, parseLifecycleMessage(message.body))
    else await handleCommand(ports, message)
  })
}

interface ExecutorSettings {
  readonly plan: Plan
  readonly clock: MemoryClock
  readonly startedAt: number
  readonly runs: Runs
  readonly ports: Ports
  readonly faults: Faults
  /** when the look began by which the running step goes */
  readonly decidedAt: AsyncLocalStorage<number | undefined>
  readonly stopped: () => boolean
}

/** Runs executions of the deployed definition, each step in a function. */
function executor({ plan, clock, startedAt, runs, ports, faults, decidedAt, stopped }: ExecutorSettings) {
  const lookedAt = new Map<string, number>()
  const isNewer = () =>
    plan.faults.some(
      (fault) =>
        fault.kind === 'newer-payload' &&
        clock.now() >= startedAt + fault.from &&
        clock.now() < startedAt + fault.to,
    )
  const step =
    (name: FunctionName, task: (ports: Ports, payload: WorkflowPayload) => Promise<WorkflowPayload>) =>
    async (input: unknown) => {
      const outcome = await runs.invoke(name, async () => {
        const { error: _, ...payload } = workflowInput.parse(input)
        if (name === 'look') lookedAt.set(payload.drainId, clock.now())
        return decidedAt.run(lookedAt.get(payload.drainId), () => task(ports, payload))
      })
      if (outcome.end === 'died') throw Object.assign(new Error('killed'), { name: 'Sandbox.Timedout' })
      if (outcome.end === 'failed') throw outcome.error
      if (!isNewer()) return outcome.answer
      faults.hit('payload of a newer release', clock.now())
      return { ...outcome.answer, ofANewerRelease: 1 }
    }
  return interpreter(drainWorkflow, {
    clock,
    stopped,
    tasks: {
      Look: step('look', look),
      CompleteDrain: step('complete-drain', look),
      RetireDrain: step('retire-drain', look),
    },
  })
}
