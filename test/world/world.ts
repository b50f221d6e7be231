import { afterEach } from 'vitest'
import { type DrainRow, toDrainRow } from '../../functions/aws/drain-row.ts'
import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import type { WorkflowPayload } from '../../functions/contracts/workflow-payload.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import { handleAlarm } from '../../functions/intake/handle-alarm.ts'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { handleLifecycle } from '../../functions/intake/handle-lifecycle.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import { sweep } from '../../functions/intake/sweep.ts'
import type { EdgePorts, SweepPorts } from '../../functions/ports/ports.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { keepingEvents } from '../../functions/stored/keep-events.ts'
import { message } from '../contracts/event-files.ts'
import { createMemoryClock, type MemoryClock } from '../memory/clock.ts'
import type { FileEntry } from '../memory/dispatcher-memory.ts'
import { MemoryEdge } from '../memory/edge.ts'
import type { MemoryEdgeOptions } from '../memory/edge-options.ts'
import { type MemoryPorts, memoryPorts } from '../memory/ports.ts'
import { createMemorySettles } from '../memory/settles.ts'
import { createMemoryWorkflows } from '../memory/workflows.ts'
import { present } from '../present.ts'
import type { Execution } from '../workflow/interpreter.ts'
import { deployed } from './deployed.ts'
import { isWrite } from './samples.ts'
import { flagsOf, formerFlagsOf } from './shown-flags.ts'
import { type Watch, watched } from './watched-ports.ts'

export * from './samples.ts'

export const instanceId = 'i-1234567890abcdef0'
export const server = 'sip:10.0.1.20:5060'
export const neighbour = 'sip:10.0.1.21:5060'
export const drainId = `lifecycle/${instanceId}/drain-calls`
/** The IAM user who sends commands. */
export const alice = 'AIDAJQABLZS4A3QDU576Q'
export const seconds = 1000
export const minutes = 60_000
export const hours = 3_600_000

/** The server stands in two sets, next to a neighbour that must never be touched. */
export const file: readonly FileEntry[] = [
  { set: 1, uri: server, flags: 'AP' },
  { set: 1, uri: neighbour, flags: 'AP' },
  { set: 2, uri: server, flags: 'IP' },
  { set: 2, uri: neighbour, flags: 'AX' },
]

export const config: ControlConfigInput = {
  groups: [
    {
      name: 'media-servers',
      terminateHook: 'drain-calls',
      launchHook: 'admit-calls',
      heartbeatTimeoutSeconds: 300,
      drainDeadlineSeconds: 3600,
      deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' },
    },
  ],
  alarms: [{ name: 'media-server-cpu' }, { name: 'media-server-disk' }],
  timers: { failoverWindowSeconds: 10, longestCallSeconds: 7200 },
}

export function facts(changes: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    instanceId,
    launchedAt: Date.UTC(2026, 10, 20),
    state: 'running',
    addresses: ['10.0.1.20'],
    taggedDestinations: [],
    group: 'media-servers',
    ...changes,
  }
}

export interface WorldOptions {
  readonly config?: Partial<ControlConfigInput>
  readonly edges?: readonly Partial<MemoryEdgeOptions>[]
  readonly instances?: readonly InstanceFacts[]
  readonly watch?: Watch
}

export type World = ReturnType<typeof createWorld>

const running = new Set<{ end(): void; readonly memory: MemoryPorts }>()
afterEach(() => {
  const unlike = [...running].flatMap(({ memory }) => memory.events.unlike)
  for (const world of running) world.end()
  running.clear()
  if (unlike.length > 0) throw new Error(`events are not as their schemas say: ${unlike.join('; ')}`)
})

interface Begun {
  readonly input: WorkflowPayload
  readonly done: Promise<Execution>
}

interface Around {
  readonly memory: MemoryPorts
  readonly ports: SweepPorts & EdgePorts
  readonly clock: MemoryClock
  readonly startedAt: number
  readonly edges: readonly MemoryEdge[]
  readonly executions: readonly Begun[]
  /** Every edge was read once. */
  readonly ready: Promise<void>
  readonly settling: readonly Promise<void>[]
}

/** What AWS and operators do. */
function triggers({ memory, ports, clock, startedAt, ready, settling }: Around) {
  let sequence = 0
  /** Auto Scaling brings the instance to its hook. */
  function beginAction(changes: { token?: string; hook?: string; instanceId?: string } = {}) {
    memory.lifecycleActions.begin({
      group: 'media-servers',
      hook: 'drain-calls',
      token: '87654321-4321-4321-4321-210987654320',
      instanceId,
      heartbeatTimeoutSeconds: 300,
      defaultResult: 'ABANDON',
      ...changes,
    })
  }
  async function lifecycle(body: string) {
    await ready
    await handleLifecycle(ports, parseLifecycleMessage(body))
  }
  return {
    beginAction,
    lifecycle,
    /** What the schedules do each minute. */
    async reconcile() {
      await ready
      await handleSettle(ports, { kind: 'minute' })
      await reconcile(ports)
    },
    async sweep() {
      await ready
      await sweep(ports)
    },
    /** The schedule of settle alone. */
    async settle(request: SettleRequest = { kind: 'minute' }) {
      await ready
      await handleSettle(ports, request)
    },
    /** What was asked of settle so far is done. */
    async settledAll() {
      await ready
      await Promise.all(settling)
    },
    async alarm(body: string) {
      await ready
      await handleAlarm(ports, parseAlarmMessage(body))
    },
    /** `order` numbers commands that were all sent when the world began. */
    async command(body: object, order?: number, senderId = alice): Promise<CommandOutcomeRow> {
      await ready
      sequence += 1
      return handleCommand(ports, {
        body: JSON.stringify(body),
        senderId,
        sentAt: order === undefined ? clock.now() : startedAt,
        sequence: String(order ?? sequence).padStart(20, '0'),
      })
    },
    /** The instance comes to its terminate hook and its event is delivered. */
    async scaleIn() {
      beginAction()
      await lifecycle(message('lifecycle-terminate-scale-in'))
    },
    /** As a queue delivers a message: again until it is taken. */
    async deliver(work: () => Promise<unknown>, everyMs: number = 1 * seconds): Promise<void> {
      for (let tries = 1; ; tries++) {
        try {
          await work()
          return
        } catch (error) {
          if (tries === 40) throw error
          await clock.sleep(everyMs)
        }
      }
    },
  }
}

/** What a test looks at. */
function views({ memory, clock, startedAt, edges, executions }: Around) {
  const execution = (nth = 0) => present(executions.at(nth), `execution ${nth}`)
  const edgeOf = (id: string) => edges.find((each) => each.id === id)
  /** One of those that the world began with. */
  const edge = (id: string) => present(edgeOf(id), `edge ${id} in this world`)
  return {
    /** Lets time pass until the drain's record says so; five virtual days are never. */
    async until(what: (row: DrainRow | undefined) => boolean, id = drainId) {
      const end = clock.now() + 120 * hours
      for (;;) {
        const drain = await memory.store.drain(id)
        if (what(drain && toDrainRow(drain))) return
        if (clock.now() > end) throw new Error(`drain ${id} never came there`)
        await clock.sleep(5 * seconds)
      }
    },
    edge,
    execution,
    /** What the execution was begun with; -1 is the last. */
    payload: (nth = 0) => execution(nth).input,
    /** A drain's row, as it is stored. */
    record: async (id = drainId) => toDrainRow(present(await memory.store.drain(id), `drain ${id}`)),
    /** The only one in force. */
    hold: async () => {
      const [hold, ...more] = await memory.store.holds()
      if (more.length > 0) throw new Error(`${more.length} more holds are in force`)
      return present(hold, 'hold in force')
    },
    /** Flags of a destination by edge and set, as Kamailio has them. */
    flags: (uri = server) => flagsOf(memory.fleet.list, uri),
    /** Every hold that is not lifted, as `source/id`. */
    heldBy: async () =>
      (await memory.store.holds())
        .filter((hold) => !hold.lifted)
        .map((hold) => `${hold.source}/${hold.id}`)
        .sort(),
    /** What is on record of a destination before its first hold, by edge and set. */
    formerFlags: (uri = server) => formerFlagsOf(memory.store, memory.fleet.list, uri),
    /** How the lifecycle actions ended, with when. */
    ended: () =>
      memory.lifecycleActions.ended().map(({ result, by, at }) => ({ result, by, at: at - startedAt })),
    writes: (id?: string) =>
      (id === undefined ? edges : [edge(id)]).flatMap(({ requests }) => requests.filter(isWrite)),
  }
}

/**
 * Two edges that have been up for a day, one instance, and the deployed workflow run by the interpreter: real
 * use cases over ports in memory, on one virtual clock. Executions run beside the test; `pass` lets time go
 * by.
 */
export function createWorld(options: WorldOptions = {}) {
  const clock = createMemoryClock()
  const startedAt = clock.now()
  const newEdge = (changes: Partial<MemoryEdgeOptions> = {}) =>
    new MemoryEdge({ id: 'edge-a', clock, file, bootedAt: startedAt - 24 * hours, ...changes })
  const edges = (options.edges ?? [{ id: 'edge-a' }, { id: 'edge-b' }]).map(newEdge)
  const executions: Begun[] = []
  let stopped = false
  let ended = false
  const settling: Promise<void>[] = []
  const workflows = createMemoryWorkflows((input) => {
    executions.push({ input, done: execute(input) })
  })
  const memory: MemoryPorts = memoryPorts({
    clock,
    edges,
    workflows,
    settles: createMemorySettles((request) => {
      settling.push(settled(request))
    }),
    config: { ...config, ...options.config },
  })
  for (const instance of options.instances ?? [facts()]) memory.instances.put(instance)
  const given = options.watch ? watched(memory, options.watch) : memory
  const ports: SweepPorts & EdgePorts = { ...given, events: keepingEvents({ ...given, bus: given.events }) }
  const { settled, execute, looks } = deployed({ ports, clock, stopped: () => stopped, ended: () => ended })
  // It has been deployed for a while: every edge was read once.
  const ready = handleSettle(memory, { kind: 'minute' }).then(() => {
    for (const each of edges) each.forgetRequests()
  })
  const around = { memory, ports, clock, startedAt, edges, executions, ready, settling }
  const world = Object.assign(triggers(around), views(around), {
    memory,
    ports,
    clock,
    startedAt,
    edges,
    newEdge,
    executions,
    /** how many the workflow has had done */
    looks,
    /** No execution of the workflow goes on. */
    stop: () => {
      stopped = true
    },
    end: () => {
      stopped = true
      ended = true
    },
    pass: (ms: number) => clock.sleep(ms),
    /** time since the world began, ms */
    age: () => clock.now() - startedAt,
  })
  running.add(world)
  return world
}
