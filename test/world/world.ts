import { afterEach } from 'vitest'
import type { ControlConfigInput } from '../../functions/contracts/config.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import type { EdgePorts, SweepPorts } from '../../functions/ports/ports.ts'
import { keepingEvents } from '../../functions/stored/keep-events.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { MemoryEdge } from '../memory/edge.ts'
import type { MemoryEdgeOptions } from '../memory/edge-options.ts'
import { type MemoryPorts, memoryPorts } from '../memory/ports.ts'
import { createMemorySettles } from '../memory/settles.ts'
import { createMemoryWorkflows } from '../memory/workflows.ts'
import { deployed } from './deployed.ts'
import { config, facts, file, hours } from './samples.ts'
import { schedules, triggers } from './triggers.ts'
import { type Begun, views } from './views.ts'
import { type Watch, watched } from './watched-ports.ts'

export * from './samples.ts'

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

/** The ports of the functions; an event waits in its record until the bus has taken it. */
function portsOver(memory: MemoryPorts, watch: Watch | undefined): SweepPorts & EdgePorts {
  const given = watch ? watched(memory, watch) : memory
  return { ...given, events: keepingEvents({ ...given, bus: given.events }) }
}

/** It has been deployed for a while: every edge was read once. */
async function readOnce(memory: MemoryPorts, edges: readonly MemoryEdge[]): Promise<void> {
  await handleSettle(memory, { kind: 'minute' })
  for (const edge of edges) edge.forgetRequests()
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
  const ports = portsOver(memory, options.watch)
  const { settled, execute, looks } = deployed({ ports, clock, stopped: () => stopped, ended: () => ended })
  const ready = readOnce(memory, edges)
  const around = { memory, ports, clock, startedAt, edges, executions, ready, settling }
  const world = Object.assign(triggers(around), schedules(around), views(around), {
    ...{ memory, ports, clock, startedAt, edges, newEdge, executions },
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
