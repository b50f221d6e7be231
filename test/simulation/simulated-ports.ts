import type { ControlEvent } from '../../functions/contracts/events.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import type { EventBus } from '../../functions/ports/event-bus.ts'
import type { Events } from '../../functions/ports/events.ts'
import type { EdgePorts, Ports, SweepPorts } from '../../functions/ports/ports.ts'
import { keepingEvents } from '../../functions/stored/keep-events.ts'
import { createMemoryEvents } from '../memory/events.ts'
import { createMemoryIds } from '../memory/ids.ts'
import type { MemoryWorkflows } from '../memory/workflows.ts'
import type { Runs } from './runs.ts'

/** A port whose every call goes through what goes wrong. */
function through<P extends object>(runs: Runs, name: string, port: P): P {
  const wrapped = Object.fromEntries(
    Object.entries(port).map(([method, value]) => {
      if (typeof value !== 'function') return [method, value]
      const full = `${name}.${method}`
      return [method, (...args: unknown[]) => runs.call(full, async () => value.apply(port, args))]
    }),
  )
  return wrapped as P
}

export interface PortSettings {
  readonly config: Ports['config']
  readonly onPublished: (event: ControlEvent) => void
  readonly store: Ports['store']
  readonly runs: Runs
  readonly edges: () => readonly Edge[]
  readonly factsOf: (instanceId: string) => InstanceFacts | undefined
  readonly allFacts: () => readonly InstanceFacts[]
  readonly lifecycleActions: Ports['lifecycleActions']
  readonly groupMembers: SweepPorts['groupMembers']
  readonly alarms: SweepPorts['alarms']
  readonly workflows: MemoryWorkflows
  readonly settles: Ports['settles']
  readonly deadLetters: Ports['deadLetters']
  readonly mediaServers: EdgePorts['mediaServers']
}

/** The ports of all functions of one deployment together. */
export type AllPorts = SweepPorts & EdgePorts

/** The ports of one deployment, in memory. */
export function simulatedPorts(settings: PortSettings) {
  const { config, runs } = settings
  const events = createMemoryEvents()
  const instances: Ports['instances'] = {
    inGroups: async (groups) =>
      settings.allFacts().filter(({ group }) => group !== undefined && groups.includes(group)),
    byIds: async (ids) => ids.flatMap((id) => settings.factsOf(id) ?? []),
    byAddress: async (host) =>
      settings
        .allFacts()
        .filter(
          ({ state, addresses }) => (state === 'running' || state === 'pending') && addresses.includes(host),
        ),
  }
  const clock = { now: () => runs.now(), sleep: (ms: number) => runs.sleep(ms) }
  const ids = createMemoryIds()
  const metrics = { count: () => undefined }
  const store = through(runs, 'store', settings.store)
  const bus: EventBus = through(runs, 'events', { publish: (event) => events.publish(event) })
  const kept: Events = keepingEvents({ bus, store, clock, ids, metrics })
  const ports: AllPorts = {
    config,
    store,
    events: {
      ...kept,
      publish: (event) => {
        settings.onPublished(event)
        return kept.publish(event)
      },
      publishWith: (event, write) =>
        kept.publishWith(event, async (saved) => {
          const isDone = await write(saved)
          if (isDone) settings.onPublished(event)
          return isDone
        }),
    },
    instances: through(runs, 'instances', instances),
    lifecycleActions: through(runs, 'lifecycleActions', settings.lifecycleActions),
    groupMembers: through(runs, 'groupMembers', settings.groupMembers),
    alarms: through(runs, 'alarms', settings.alarms),
    workflows: through(runs, 'workflows', {
      start: (input) => settings.workflows.start(input),
      idle: (attempts) => settings.workflows.idle(attempts),
    }),
    settles: through(runs, 'settles', settings.settles),
    deadLetters: through(runs, 'deadLetters', settings.deadLetters),
    mediaServers: through(runs, 'mediaServers', settings.mediaServers),
    fleet: through(runs, 'fleet', { edges: async () => settings.edges(), reread: async () => undefined }),
    clock,
    ids,
    metrics,
  }
  return { ports, events }
}
