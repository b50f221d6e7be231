import { type ControlConfigInput, controlConfig } from '../../functions/contracts/config.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import type { EdgePorts, SweepPorts } from '../../functions/ports/ports.ts'
import { createMemoryAlarms, type MemoryAlarms } from './alarms.ts'
import { createMemoryClock, type MemoryClock } from './clock.ts'
import { createMemoryDeadLetters, type MemoryDeadLetters } from './dead-letters.ts'
import { createMemoryEvents, type MemoryEvents } from './events.ts'
import type { Faulty } from './faults.ts'
import { createMemoryFleet, type MemoryFleet } from './fleet.ts'
import { createMemoryGroupMembers, type MemoryGroupMembers } from './group-members.ts'
import { createMemoryIds } from './ids.ts'
import { createMemoryInstances, type MemoryInstances } from './instances.ts'
import { createMemoryLifecycleActions, type MemoryLifecycleActions } from './lifecycle-actions.ts'
import { createMemoryMediaServers, type MemoryMediaServers } from './media-servers.ts'
import { createMemoryMetrics, type MemoryMetrics } from './metrics.ts'
import { createMemorySettles, type MemorySettles } from './settles.ts'
import { createMemoryStore, type MemoryStore } from './store.ts'
import { createMemoryWorkflows, type MemoryWorkflows } from './workflows.ts'

/** One group `media` with hooks `drain` and `launch`, and one alarm, `media-unhealthy`. */
export const memoryConfig: ControlConfigInput = {
  groups: [
    {
      name: 'media',
      terminateHook: 'drain',
      launchHook: 'launch',
      heartbeatTimeoutSeconds: 300,
      drainDeadlineSeconds: 14_400,
      deadlinePolicy: { callsLeft: 'terminate', unknown: 'terminate' },
    },
  ],
  alarms: [{ name: 'media-unhealthy' }],
  timers: { failoverWindowSeconds: 10, longestCallSeconds: 7200 },
}

export interface MemoryPorts extends SweepPorts, Pick<EdgePorts, 'fleet' | 'mediaServers'> {
  readonly groupMembers: Faulty<MemoryGroupMembers>
  readonly alarms: Faulty<MemoryAlarms>
  readonly settles: Faulty<MemorySettles>
  readonly fleet: Faulty<MemoryFleet>
  readonly instances: Faulty<MemoryInstances>
  readonly lifecycleActions: Faulty<MemoryLifecycleActions>
  readonly mediaServers: Faulty<MemoryMediaServers>
  readonly workflows: Faulty<MemoryWorkflows>
  readonly store: MemoryStore
  readonly events: Faulty<MemoryEvents>
  readonly deadLetters: Faulty<MemoryDeadLetters>
  readonly metrics: MemoryMetrics
  readonly clock: MemoryClock
}

/**
 * A whole world in memory, on one virtual clock. `config` and `edges` are shorthand; every port can be
 * replaced.
 */
export function memoryPorts(
  overrides: Partial<Omit<MemoryPorts, 'config'>> & {
    readonly config?: Partial<ControlConfigInput>
    readonly edges?: readonly Edge[]
  } = {},
): MemoryPorts {
  const { config, edges, ...ports } = overrides
  const clock = ports.clock ?? createMemoryClock()
  return {
    config: controlConfig.parse({ ...memoryConfig, ...config }),
    fleet: createMemoryFleet(edges),
    instances: createMemoryInstances(),
    groupMembers: createMemoryGroupMembers(),
    alarms: createMemoryAlarms(),
    lifecycleActions: createMemoryLifecycleActions(clock),
    mediaServers: createMemoryMediaServers(),
    settles: createMemorySettles(),
    workflows: createMemoryWorkflows(),
    store: createMemoryStore(clock.now),
    events: createMemoryEvents(),
    deadLetters: createMemoryDeadLetters(),
    metrics: createMemoryMetrics(),
    ids: createMemoryIds(),
    ...ports,
    clock,
  }
}
